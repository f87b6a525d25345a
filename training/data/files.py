"""What a user already has: a fitted estimator in a file, and the data it was fitted on."""

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

PICKLES = (".joblib", ".pkl", ".pickle")


def load_estimator(path: Path, *, trust_pickle: bool) -> Any:
    """Load a fitted estimator.

    Parameters
    ----------
    path : pathlib.Path
        A ``.skops`` file or, if it is trusted, one of `PICKLES`.
    trust_pickle : bool
        Whether a pickle may be loaded, which runs whatever code it holds.

    Returns
    -------
    estimator

    Raises
    ------
    NotServable
        If it is another kind of file, a pickle that is not trusted, or holds what is not allowed.
    OSError
        If it cannot be read.
    """
    content = path.read_bytes()
    if path.suffix == ".skops":
        try:
            audit(content)
            return skops.io.loads(content, trusted=list(TRUSTED_TYPES))
        except InvalidArtifact as error:
            raise NotServable(f"{path}: {error}") from error
        except Exception as error:  # a file that is not as skops writes it may raise anything
            raise NotServable(f"{path} is not a .skops file: {error}") from error
    if path.suffix not in PICKLES:
        raise NotServable(f"{path} is neither a .skops file nor one of {', '.join(PICKLES)}.")
    if not trust_pickle:
        raise NotServable(
            f"Loading {path} runs whatever code is in it: if you made it, or trust who did, say "
            "--trust-pickle; better, save the estimator with skops.io.dump."
        )
    try:
        return joblib.load(path)
    except Exception as error:  # a pickle may raise anything
        raise NotServable(f"{path} cannot be loaded: {error}") from error


def read_data(path: Path, target: str) -> tuple[pd.DataFrame, npt.NDArray[Any]]:
    """Read a table with a column of classes.

    Parameters
    ----------
    path : pathlib.Path
        A CSV file with a header.
    target : str
        The name of the column that holds the classes.

    Returns
    -------
    X : pandas.DataFrame
        The other columns.
    y : numpy.ndarray
        The classes.

    Raises
    ------
    NotServable
        If it is no such file, or has no such column.
    OSError
        If it cannot be read.
    """
    try:
        table = pd.read_csv(path)
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise NotServable(f"{path} is not a CSV file: {str(error).strip()}") from error
    if target not in table.columns:
        known = ", ".join(str(name) for name in table.columns)
        raise NotServable(f"{path} has no column {target!r}; it has {known}.")
    return table.drop(columns=target), np.asarray(table[target])


def select_fitted_columns(estimator: Any, X: pd.DataFrame) -> Any:
    """Give a table the form that an estimator was fitted on.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : pandas.DataFrame
        The table.

    Returns
    -------
    pandas.DataFrame or numpy.ndarray
        The columns that it was fitted on, in their order; a matrix if it was fitted on one.

    Raises
    ------
    NotServable
        If a column is missing.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return X.to_numpy()
    missing = [str(name) for name in names if name not in X.columns]
    if missing:
        raise NotServable(f"The data lacks the columns {', '.join(missing)}.")
    return X[list(names)]
