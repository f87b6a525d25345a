"""Load a fitted estimator and a data table from the user's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import skops.io

from chalicelib.errors import InvalidArtifact
from chalicelib.runtimes.sklearn_classifier import TRUSTED_TYPES, audit
from training.errors import NotServable

PICKLE_SUFFIXES = (".joblib", ".pkl", ".pickle")


def load_estimator(path: Path, *, trust_pickle: bool) -> Any:
    """Load a fitted estimator from a ``.skops`` file or, if trusted, from a pickle.

    Loading a pickle runs the code in it. Raises `NotServable` if the file has another suffix, is
    an untrusted pickle, holds a type outside `TRUSTED_TYPES`, or cannot be parsed.
    """
    content = path.read_bytes()
    if path.suffix == ".skops":
        try:
            audit(content)
            return skops.io.loads(content, trusted=list(TRUSTED_TYPES))
        except InvalidArtifact as error:
            raise NotServable(f"{path}: {error}") from error
        except Exception as error:  # skops may raise anything on a malformed file
            raise NotServable(f"{path} is not a .skops file: {error}") from error
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
        raise NotServable(f"{path} cannot be loaded: {error}") from error


def read_data(path: Path, target: str) -> tuple[pd.DataFrame, npt.NDArray[Any]]:
    """Read a CSV file with a header; return the features, and the labels in column `target`.

    Raises `NotServable` if the file is not CSV or the column does not exist.
    """
    try:
        table = pd.read_csv(path)
    except ValueError as error:  # the base class of pandas' parser errors
        raise NotServable(f"{path} is not a CSV file: {str(error).strip()}") from error
    if target not in table.columns:
        names = ", ".join(str(name) for name in table.columns)
        raise NotServable(f"{path} has no column {target!r}; its columns are {names}.")
    return table.drop(columns=target), np.asarray(table[target])


def select_fitted_columns(estimator: Any, X: pd.DataFrame) -> Any:
    """Select the columns that the estimator was fitted on, in the fitted order.

    Return all columns, as a matrix, if it was fitted without feature names. Raises `NotServable`
    if a column is missing.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return X.to_numpy()
    missing = [str(name) for name in names if name not in X.columns]
    if missing:
        raise NotServable(f"The data has no column for these features: {', '.join(missing)}.")
    return X[list(names)]
