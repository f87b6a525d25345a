"""The kinds of data: scikit-learn's, made ones, and two real tables that packages ship."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

_ROWS = 120
_GAPS = 0.1  # the share of missing values
_TOWNS = ["Paris", "paris", "Zürich", "São Paulo", "Rome", "nan", "İzmir"]
_GRADES = ["low", "middle", "high"]
_WORDS = [
    "dry",
    "fruity",
    "oak",
    "cherry",
    "crème",
    "sweet",
    "sour",
    "Straße",
    "light",
    "2019",
    "full-bodied",
    "café",
    "it's",
]


class Data(NamedTuple):
    """A table, its labels, and the columns that a pipeline treats alike."""

    X: Any  # a matrix of float64, or a frame
    y: npt.NDArray[Any]
    numbers: list[str] = []  # noqa: RUF012
    categories: list[str] = []  # noqa: RUF012
    text: str | None = None  # the column of free text

    @property
    def is_frame(self) -> bool:
        """Return whether the columns have names."""
        return isinstance(self.X, pd.DataFrame)


def _sample(X: Any, y: Any, *, rows: int = _ROWS) -> Data:
    kept = np.random.default_rng(0).permutation(len(y))[:rows]
    return Data(np.asarray(X, dtype=np.float64)[kept], np.asarray(y)[kept])


def _iris() -> Data:
    X, y = load_iris(return_X_y=True)
    return _sample(X, np.array(["setosa", "versicolor", "virginica"], dtype=np.object_)[y])


def _wine() -> Data:
    X, y = load_wine(return_X_y=True)
    return _sample(X, y)


def _cancer() -> Data:
    X, y = load_breast_cancer(return_X_y=True)
    return _sample(X[:, :10], np.array(["malignant", "benign"], dtype=np.object_)[y])


def _digits() -> Data:
    X, y = load_digits(return_X_y=True)
    return _sample(X, y, rows=200)


def _wine_gaps() -> Data:
    data = _wine()
    mask = np.random.default_rng(1).random(data.X.shape) < _GAPS
    return Data(np.where(mask, np.nan, data.X), data.y)


def _wine_frame() -> Data:
    dataset = load_wine(as_frame=True)
    frame = dataset.data.sample(_ROWS, random_state=0)
    return Data(frame, dataset.target[frame.index].to_numpy() == 1, list(frame.columns))


def _mixed(missing: Any, dtype: Any = np.object_) -> Data:
    """Return two columns of text with gaps, and numbers, integers and booleans."""
    random = np.random.default_rng(2)
    towns = random.choice(np.array(_TOWNS, dtype=np.object_), _ROWS)
    grades = random.choice(np.array(_GRADES, dtype=np.object_), _ROWS)
    size = random.normal(size=_ROWS).round(2)
    age = random.integers(18, 80, _ROWS)
    is_member = random.random(_ROWS) < 0.5
    score = size + (age > 40) + 2 * (grades == "high") - (towns == "Paris") + is_member
    y = np.array(["no", "perhaps", "yes"])[np.digitize(score, np.quantile(score, [0.3, 0.7]))]
    size[random.random(_ROWS) < _GAPS] = np.nan
    towns[random.random(_ROWS) < _GAPS] = missing
    grades[random.random(_ROWS) < _GAPS] = missing
    frame = pd.DataFrame(
        {
            "size": size,
            "age": age,
            "member": is_member,
            "town": pd.Series(towns, dtype=dtype),
            "grade": pd.Series(grades, dtype=dtype),
        }
    )
    return Data(frame, y, ["size", "age", "member"], ["town", "grade"])


def _mixed_nullable() -> Data:
    """Return pandas' nullable integers and booleans, and text with gaps as NA."""
    data = _mixed(None)
    frame = data.X.astype({"age": "Int64", "member": "boolean", "town": "string"})
    frame.loc[::9, "age"] = pd.NA
    frame["grade"] = frame["grade"].fillna("none")
    return Data(frame, data.y == "yes", ["size", "age"], ["grade"])


def _reviews() -> Data:
    """Return a column of free text and one of numbers."""
    random = np.random.default_rng(3)
    chosen = [random.choice(_WORDS, random.integers(1, 9)) for _ in range(_ROWS)]
    texts = [" ".join(words).capitalize() + "." * index for index, words in enumerate(chosen)]
    texts = [text[:80] for text in texts]
    price = random.uniform(3, 80, _ROWS).round(1)
    score = price / 40 + np.array([("oak" in words) + ("sweet" in words) for words in chosen])
    frame = pd.DataFrame({"review": pd.Series(texts, dtype=np.object_), "price": price})
    return Data(frame, np.where(score > np.median(score), "good", "poor"), ["price"], [], "review")


def _file(package: str, path: str) -> Path:
    """Return a file of an installed package, which is not imported."""
    return Path(str(distribution(package).locate_file(path)))


def _penguins() -> Data:
    """Return the Palmer penguins: islands, sexes with gaps, measurements with gaps."""
    frame = pd.read_csv(_file("palmerpenguins", "palmerpenguins/data/penguins.csv"))
    frame = frame.sample(200, random_state=0).reset_index(drop=True)
    numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"]
    y = frame.pop("species").to_numpy(dtype=np.object_)
    return Data(frame, y, numbers, ["island", "sex"])


def _cars() -> Data:
    """Return cars of 1970 to 1982: names as free text, measurements with gaps."""
    records = json.loads(_file("vega_datasets", "vega_datasets/_data/cars.json").read_text())
    frame = pd.DataFrame(records).sample(200, random_state=0).reset_index(drop=True)
    y = frame.pop("Origin").to_numpy(dtype=np.object_)
    numbers = [name for name in frame.columns if name not in ("Name", "Year")]
    return Data(frame, y, numbers, ["Year"], "Name")


KINDS: dict[str, Callable[[], Data]] = {
    "iris: matrix, 3 classes": _iris,
    "wine: matrix, 3 classes": _wine,
    "breast cancer: matrix, binary": _cancer,
    "digits: matrix, 10 classes": _digits,
    "wine: matrix with gaps": _wine_gaps,
    "wine: frame of numbers, binary": _wine_frame,
    "mixed: gaps are NaN": lambda: _mixed(np.nan),
    "mixed: gaps are None": lambda: _mixed(None),
    "mixed: pandas category": lambda: _mixed(np.nan, "category"),
    "mixed: nullable types, binary": _mixed_nullable,
    "reviews: text and a number": _reviews,
    "penguins: real, mixed": _penguins,
    "cars: real, mixed and text": _cars,
}


@functools.cache
def load(kind: str) -> Data:
    """Return data of a kind."""
    return KINDS[kind]()
