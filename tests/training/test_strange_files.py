"""The command line ends in one line, whatever files it is passed."""

from __future__ import annotations

import gzip
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from chalicelib.models.artifact import make_footer
from chalicelib.store.object_store import ObjectStore
from tests.support.app import App
from tests.support.artifacts import rewrite_manifest
from training.__main__ import main
from training.artifact import build_artifact
from training.errors import MAX_CHARACTERS, NotServable
from training.wine.dataset import wine

GOOD_CSV = "a,b,label\n" + "".join(
    f"{i % 7},{i % 5},{'yes' if i % 7 > 3 else 'no'}\n" for i in range(40)
)


class Unknown:
    """A type that no other process can import."""


def fitted() -> Any:
    """Fit a classifier on the table in `GOOD_CSV`."""
    X = pd.DataFrame({"a": [i % 7 for i in range(40)], "b": [i % 5 for i in range(40)]})
    return LogisticRegression().fit(X, np.where(X["a"] > 3, "yes", "no"))


def truncated_pickle() -> bytes:
    """Return the first half of a pickle."""
    content = pickle.dumps(fitted())
    return content[: len(content) // 2]


def unimportable_pickle() -> bytes:
    """Return a pickle of a type in a module that does not exist."""
    return pickle.dumps(Unknown()).replace(b"test_strange_files", b"test_strange_filez")


MODELS: dict[str, Callable[[], bytes]] = {
    "empty.skops": lambda: b"",
    "noise.skops": lambda: bytes(range(256)) * 4,
    "text.skops": lambda: b"not a model\n" * 3,
    "pickle.skops": lambda: pickle.dumps(fitted()),
    "dictionary.skops": lambda: skops.io.dumps({"a": 1}),
    "regressor.skops": lambda: skops.io.dumps(LinearRegression().fit([[0], [1]], [0, 1])),
    "unfitted.skops": lambda: skops.io.dumps(LogisticRegression()),
    "own.skops": lambda: skops.io.dumps(
        make_pipeline(FunctionTransformer(pd.DataFrame.abs), fitted())
    ),
    "empty.pkl": lambda: b"",
    "noise.pkl": lambda: bytes(range(256)) * 4,
    "csv.pkl": lambda: GOOD_CSV.encode(),
    "truncated.joblib": truncated_pickle,
    "unimportable.pickle": unimportable_pickle,
    "none.pkl": lambda: pickle.dumps(None),
    "class.pkl": lambda: pickle.dumps(LogisticRegression),
    "list.pkl": lambda: pickle.dumps([fitted()]),
    "regressor.pkl": lambda: pickle.dumps(LinearRegression().fit([[0], [1]], [0, 1])),
    "unfitted.pkl": lambda: pickle.dumps(LogisticRegression()),
    "unfitted_part.pkl": lambda: pickle.dumps(make_pipeline(StandardScaler(), fitted())),
    "other_columns.pkl": lambda: pickle.dumps(
        LogisticRegression().fit(pd.DataFrame({"z": [0, 1]}), ["no", "yes"])
    ),
    "three_features.pkl": lambda: pickle.dumps(
        LogisticRegression().fit(np.eye(3), ["no", "no", "yes"])
    ),
    "model.h5": lambda: b"\x89HDF",
    "model": lambda: b"",
}

TABLES: dict[str, bytes] = {
    "empty.csv": b"",
    "newlines.csv": b"\n\n\n",
    "header.csv": b"a,b,label\n",
    "no_target.csv": b"a,b\n1,2\n",
    "latin1.csv": "a,b,label\n1,2,é\n".encode("latin-1"),
    "utf16.csv": GOOD_CSV.encode("utf-16"),
    "noise.csv": bytes(range(256)) * 4,
    "nul.csv": b"\0" * 100,
    "ragged.csv": b"a,b,label\n1,2,yes,4,5\n1\n1,2,3,4,5,6,7,8\n",
    "quote.csv": b'a,b,label\n"1,2,yes\n1,2,no\n',
    "gaps.csv": b"a,b,label\n1,,yes\n,2,no\n",
    "no_label.csv": b"a,b,label\n1,2,\n3,4,no\n",
    "text.csv": b"a,b,label\nx,y,yes\nz,w,no\n",
    "other_labels.csv": b"a,b,label\n1,2,cat\n3,4,dog\n",
    "large.csv": b"a,b,label\n1e999,2,yes\n-1e999,4,no\n",
    "one_column.csv": b"label\nyes\nno\n",
    "index.html": b"<html><body>a,b,label</body></html>",
    "table.json": b'{"a": [1, 2]}',
    "table.parquet": b"PAR1",
    "table.csv.gz": gzip.compress(b"a,b\n1,2\n"),
    "broken.csv.gz": b"\x1f\x8b\x08broken",
    "table.xlsx": b"PK\x03\x04",
    "dates.csv": b"a,b,label\n2026-01-01,2,yes\n2026-01-02,4,no\n",
    "semicolons.csv": b"a;b;label\n1;2;yes\n",
}


def artifact() -> bytes:
    """Build a small artifact."""
    X = pd.DataFrame({"a": [i % 7 for i in range(40)], "b": [i % 5 for i in range(40)]})
    return build_artifact(fitted(), X, np.where(X["a"] > 3, "yes", "no"), name="small").artifact


def with_manifest(**fields: Any) -> bytes:
    """Build an artifact whose manifest has other fields."""
    return rewrite_manifest(artifact(), lambda manifest: manifest.update(fields))


def footer_of(start: int, length: int) -> bytes:
    """Return a file whose footer points somewhere."""
    content = b"{}" * 40
    return content + make_footer(content, start, length)


ARTIFACTS: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "one byte": lambda: b"{",
    "zeros": lambda: bytes(1000),
    "noise": lambda: bytes(range(256)) * 40,
    "text": lambda: b"not a model\n" * 30,
    "json": lambda: b'{"format": 3}',
    "html": lambda: b"<html><body></body></html>",
    "png": lambda: b"\x89PNG\r\n\x1a\n" + bytes(100),
    "gzip": lambda: gzip.compress(artifact()),
    "a model without a footer": lambda: artifact()[:-400],
    "truncated": lambda: artifact()[:-1],
    "without its beginning": lambda: artifact()[1:],
    "twice": lambda: artifact() * 2,
    "followed by a newline": lambda: artifact() + b"\n",
    "a flipped bit": lambda: b"\x09" + artifact()[1:],
    "a footer alone": lambda: make_footer(b"", 0, 0),
    "a footer beyond the file": lambda: footer_of(10**11, 10**11),
    "a footer at nothing": lambda: footer_of(10, 0),
    "a footer at half a manifest": lambda: footer_of(1, 3),
    "an empty manifest": lambda: footer_of(0, 2),
    "a newer format": lambda: with_manifest(format=99),
    "no version": lambda: with_manifest(version=None),
    "a path as its version": lambda: with_manifest(version="../../etc"),
    "another runtime": lambda: with_manifest(runtime="\x1b[31m"),
    "no signature": lambda: with_manifest(signature=[]),
    "no golden samples": lambda: with_manifest(golden_samples={}),
    "a pickle": lambda: pickle.dumps(fitted()),
    "a skops file": lambda: skops.io.dumps(fitted()),
}


@pytest.mark.parametrize("name", ARTIFACTS)
def test_any_artifact_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Without a traceback or control characters, and nothing is written."""
    path = tmp_path / "model.onnx"
    path.write_bytes(ARTIFACTS[name]())
    assert main(["publish", str(path), "--store", str(tmp_path / "store")]) == 2
    assert not (tmp_path / "store").exists()
    printed = capsys.readouterr()
    [line] = printed.err.splitlines()
    assert line.startswith("publish: ")
    assert line.isprintable()


@pytest.mark.parametrize("name", ["", "a\x1b[31mb", "a\nb", "a\x00", "a\x85b", "\u202eb"])
def test_a_name_with_control_characters_is_rejected(
    run: Callable[..., str], model: Path, table: Path, name: str
) -> None:
    """From the shell and from Python; the line does not repeat them."""
    if name:  # the file's name otherwise
        assert "name" in run(model, table, "--name", name)
    X = pd.read_csv(table)
    with pytest.raises(NotServable, match="control characters") as error:
        build_artifact(fitted(), X[["a", "b"]], X["label"], name=name)
    assert str(error.value).isprintable()


def test_a_private_column_must_exist(run: Callable[..., str], model: Path, table: Path) -> None:
    """A typo would tell what is private."""
    assert "its features are a, b" in run(model, table, "--private", "a", "agee")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Publish files from the shell and return the one line of the error."""

    def publish(model: Path, table: Path, *arguments: str) -> str:
        command = ["publish", "--model", str(model), "--data", str(table), "--target", "label"]
        store = ["--store", str(tmp_path / "store"), "--trust-pickle"]
        assert main([*command, *store, *arguments]) == 2
        assert not (tmp_path / "store").exists()
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("publish: ")
        assert len(line) <= len("publish: ") + MAX_CHARACTERS
        return line

    return publish


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table that the good model was fitted on."""
    path = tmp_path / "good.csv"
    path.write_text(GOOD_CSV)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that can be published with the good table."""
    path = tmp_path / "good.skops"
    path.write_bytes(skops.io.dumps(fitted()))
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_any_model_file_ends_in_one_line(
    run: Callable[..., str], tmp_path: Path, table: Path, name: str
) -> None:
    """Without a traceback, and nothing is written."""
    path = tmp_path / name
    path.write_bytes(MODELS[name]())
    run(path, table)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TABLES)
def test_any_table_ends_in_one_line(
    run: Callable[..., str], tmp_path: Path, model: Path, name: str
) -> None:
    """Without a traceback, and nothing is written."""
    path = tmp_path / name
    path.write_bytes(TABLES[name])
    run(model, path)


def test_a_folder_or_no_file_ends_in_one_line(
    run: Callable[..., str], tmp_path: Path, model: Path, table: Path
) -> None:
    """For the model and for the data."""
    for path in (tmp_path, tmp_path / "none.csv", tmp_path / "none.skops"):
        run(path, table)
        run(model, path)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--target", "churn"], "has no column 'churn'; its columns are a, b, label"),
        (["--features", "a", "c"], "no column 'c'"),
        (["--features", "a"], "no column for 1 of the 2 features"),
    ],
)
def test_the_line_says_what_to_change(
    run: Callable[..., str], model: Path, table: Path, arguments: list[str], reason: str
) -> None:
    """It names the columns that there are."""
    assert reason in run(model, table, *arguments)


def test_which_columns_a_model_without_names_takes_must_be_said(
    run: Callable[..., str], tmp_path: Path, table: Path
) -> None:
    """The first ones may be others than those that it was fitted on."""
    path = tmp_path / "one.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression().fit([[0], [1]], ["no", "yes"])))
    assert "--features" in run(path, table)


def test_verbose_prints_all_that_was_tried(
    tmp_path: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each strategy, with the whole reason."""
    X = pd.read_csv(table)
    estimator = make_pipeline(FunctionTransformer(pd.DataFrame.abs), LogisticRegression())
    estimator.fit(X[["a", "b"]], X["label"])
    path = tmp_path / "own.pkl"
    path.write_bytes(pickle.dumps(estimator))
    command = ["publish", "--model", str(path), "--data", str(table), "--target", "label"]
    options = ["--trust-pickle", "--store", str(tmp_path / "store"), "--verbose"]
    assert main([*command, *options]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("onnx float64: ") for line in lines)
    assert any(line.startswith("sklearn: ") for line in lines)


@pytest.mark.parametrize(
    "dump", [joblib.dump, lambda model, path: path.write_bytes(pickle.dumps(model))]
)
def test_the_tutorials_pickled_model_is_published_by_one_command(
    tmp_path: Path, start_app: Callable[..., App], dump: Callable[..., Any]
) -> None:
    """Fitted on the first column, without names; it answers as the estimator does."""
    X, y, names = wine()
    estimator = LogisticRegression().fit(X[:, :1], y)
    dump(estimator, tmp_path / "tutorial.pkl")
    pd.DataFrame(X, columns=names).assign(wine=y).to_csv(tmp_path / "wine.csv", index=False)
    url = f"file://{tmp_path}/store"
    command = ["publish", "--model", str(tmp_path / "tutorial.pkl"), "--trust-pickle"]
    data = ["--data", str(tmp_path / "wine.csv"), "--target", "wine", "--features", "alcohol"]
    assert main([*command, *data, "--store", url]) == 0
    assert ObjectStore(url, timeout_seconds=5).fetch("current") is not None
    app = start_app(MODEL_URL=url)
    for text in (".10", "12.5", "13.2", "14.9"):
        [expected] = estimator.predict([[float(text)]])
        assert app.classify(text).body == {"prediction": str(expected)}
    assert app.classify({"alcohol": 13.2}).status == 200


def test_a_zip_archive_that_is_no_model_ends_in_one_line(
    run: Callable[..., str], tmp_path: Path, table: Path
) -> None:
    """With a schema that is not JSON."""
    path = tmp_path / "archive.skops"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", "{")
    assert "not a .skops file" in run(path, table)
