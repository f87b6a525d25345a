"""Parse samples that arrive as one matrix of numbers."""

from __future__ import annotations

from collections import Counter

from chalicelib.inputs.numbers import invalid_indices, number_problem
from chalicelib.inputs.problems import Locate, Problems
from chalicelib.inputs.samples import NO_VALUE, Samples, check_row_count
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.values import Column


def read_matrix(
    matrix: Column,
    signature: Signature,
    locate: Locate,
    *,
    rows: int,
    max_rows: int,
) -> Samples:
    """Parse a matrix whose signature is unconstrained, with the results of `read_samples`.

    Parameters
    ----------
    matrix : Column
        Shape (rows, features), row by row.
    signature : Signature
    locate : Locate
        Returns the path of a value in the request, for problems.
    rows : int
    max_rows : int

    Returns
    -------
    Samples

    Raises
    ------
    InvalidRequest
        If the samples do not fit the signature; lists all problems.
    TooManySamples
    """
    check_row_count(rows, max_rows)
    problems = Problems()
    if not rows:
        problems.add(locate(None, None), "has no samples")
    numbers, values = matrix.to_floats(), matrix.values
    features = signature.features
    missing: Counter[int] = Counter()
    for index in invalid_indices(numbers, signature.largest_number):
        row, column = divmod(index, len(features))
        value = values[index]
        if value is None or value != value:
            missing[row] += 1
            value = None
        problem = number_problem(value, features[column], signature)
        if problem is not None:
            problems.add(locate(row, features[column].name), problem)
    if not signature.has_required:
        for row, count in missing.items():
            if count == len(features):
                problems.add(locate(row, None), NO_VALUE)
    problems.raise_if_any()
    return Samples(rows, numbers, [])
