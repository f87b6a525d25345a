"""Load a fitted estimator and a data table from the user's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import skops.io

from chalicelib.errors import InvalidArtifact
from chalicelib.runtimes.sklearn_classifier import TRUSTED_TYPES, audit
from chalicelib.runtimes.skops_audit import check_objects, check_size
from training.errors import NotServable, first_line

PICKLE_SUFFIXES = (".joblib", ".pkl", ".pickle")


def load_estimator(path: Path, *, trust_pickle: bool) -> Any:
    """Load a fitted estimator from a ``.skops`` file or, if trusted, from a pickle.

    Loading a pickle runs the code in it. Raises `NotServable` if the file has another suffix, is
    an untrusted pickle, holds a type outside `TRUSTED_TYPES`, or cannot be parsed.
    """
    content = path.read_bytes()
    if path.suffix == ".skops":
        try:
            check_size(content)
            audit(content)
            estimator = skops.io.loads(content, trusted=list(TRUSTED_TYPES))
            check_objects(estimator)
            return estimator
        except InvalidArtifact as error:
            raise NotServable(f"{path}: {error}") from error
        except Exception as error:  # skops may raise anything on a malformed file
            raise NotServable(f"{path} is not a .skops file: {first_line(error)}") from error
    if path.suffix not in PICKLE_SUFFIXES:
        suffixes = ", ".join(PICKLE_SUFFIXES)
        raise NotServable(f"{path} is neither a .skops file nor one of {suffixes}.")
    if not trust_pickle:
        raise NotServable(
            f"Loading {path} runs whatever code is in it. If you trust its author, add "
            "--trust-pickle. Safer: save the estimator with skops.io.dump."
        )
    try:
        return joblib.load(path)
    except Exception as error:  # unpickling may raise anything
        raise NotServable(
            f"{path} cannot be loaded: {type(error).__name__}: {first_line(error)}"
        ) from error


def read_data(path: Path, target: str) -> tuple[pd.DataFrame, npt.NDArray[Any]]:
    """Read a table with a header; return the features, and the labels in column `target`.

    The table is CSV in UTF-8, or Parquet if the file's suffix is ``.parquet``. Raises `NotServable`
    if it is neither, has no rows, or the column does not exist.
    """
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except ImportError as error:
        raise NotServable(f"Reading {path} needs pyarrow: install it, or pass CSV.") from error
    except UnicodeDecodeError as error:
        raise NotServable(f"{path} is not UTF-8: save it as CSV in UTF-8.") from error
    except OSError:
        raise
    except Exception as error:  # pandas may raise anything for a file that is no table
        raise NotServable(f"{path} is not a CSV file with a header: {first_line(error)}") from error
    if target not in table.columns:
        names = ", ".join(str(name) for name in table.columns)
        raise NotServable(f"{path} has no column {target!r}; its columns are {names}.")
    if not len(table):
        raise NotServable(f"{path} has a header, but no rows.")
    return table.drop(columns=target), np.asarray(table[target])


def select_features(
    estimator: Any, X: pd.DataFrame, features: Sequence[str] | None
) -> tuple[Any, list[str] | None]:
    """Select what the estimator takes; return it with the names of its features.

    An estimator that was fitted without names takes a matrix: of the columns in `features`, or of
    all if there are as many as it takes. Raises `NotServable` if that is not known.
    """
    if features is not None:
        missing = [name for name in features if name not in X.columns]
        if missing:
            raise NotServable(f"The data has no column {missing[0]!r}; --features needs names.")
        X = X[list(features)]
    if hasattr(estimator, "feature_names_in_"):
        return X, None
    expected = getattr(estimator, "n_features_in_", None)
    if expected is None and X.shape[1] > 1:
        raise NotServable(
            f"{type(estimator).__name__} does not say which of the {X.shape[1]} columns it was "
            "fitted on: name it with --features."
        )
    if expected not in (None, X.shape[1]):
        raise NotServable(
            f"{type(estimator).__name__} takes {expected} features, and the data has {X.shape[1]} "
            "columns: name those that it was fitted on, in order, with --features."
        )
    return X.to_numpy(), [str(name) for name in X.columns]
