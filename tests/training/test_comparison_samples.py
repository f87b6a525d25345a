"""The samples that an exported model is compared on: what is made to differ, and how much."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from chalicelib.inputs.signature import Feature, Signature
from training.data.signature import UNSEEN_CATEGORY
from training.data.table import Table
from training.export.comparison_samples import (
    _ODD_TEXTS,
    MAX_EXTREME_FEATURES,
    MAX_TABLE_ROWS,
    RANDOM_ROWS,
    TIED_ROWS,
    Sizes,
    _spellings,
    comparison_samples,
    comparison_sizes,
    extreme_samples,
)

SIZES = Sizes(table=2, random=400, tied=200)
VALUES = np.array([1.234, 5.678, 9.111, 20.5, 0.0456, -7.89])


def signature_of(table: Table, *, required: bool = True, **changes: Any) -> Signature:
    """Return a signature of a table's features, of which some have other fields."""
    features = [
        Feature(name, kind, required)._replace(**changes.get(name, {}))
        for name, kind in zip(table.names, table.kinds, strict=True)
    ]
    return Signature(tuple(features), ("no", "yes"))


def numbers_table(**columns: Any) -> Table:
    """Return a table of numbers."""
    return Table(pd.DataFrame(columns or {"a": VALUES, "b": VALUES[::-1] * 3}))


def significant_digits(values: npt.NDArray[np.float64]) -> set[int]:
    """Return how many digits the numbers have."""
    return {len(f"{abs(v):.12e}".partition("e")[0].replace(".", "").rstrip("0")) for v in values}


def test_random_rounded_and_halfway_samples_are_made() -> None:
    """And nothing is missing of features that are required."""
    table = numbers_table()
    made, of_table = comparison_samples(table, signature_of(table), [1, 3], SIZES)
    assert len(made.numbers) == 400 + 2 * 200
    assert not np.isnan(made.numbers).any()
    assert of_table.numbers.tolist() == table.samples.numbers[[1, 3]].tolist()


def test_samples_with_missing_values_are_made_if_some_may_be() -> None:
    """As many random ones again, a fifth of whose values are missing, and the first value alone."""
    table = numbers_table()
    made, _ = comparison_samples(table, signature_of(table, required=False), [2], SIZES)
    assert len(made.numbers) == 400 + 2 * 200 + 400 + 1
    masked, [last] = made.numbers[800:-1], made.numbers[-1:]
    assert 0.15 < np.isnan(masked).mean() < 0.25
    assert np.isnan(last).tolist() == [False, True]
    kept = ~np.isnan(masked)
    assert (masked[kept] == made.numbers[:400][kept]).all()
    one_required = signature_of(table, required=False, b={"required": True})
    made, _ = comparison_samples(table, one_required, [2], SIZES)
    assert np.isnan(made.numbers).any(axis=0).tolist() == [True, False]


def test_numbers_are_rounded_to_one_digit_and_to_two() -> None:
    """In turns, within the range of the table; so that real samples' ties occur."""
    table = numbers_table(a=np.array([-7.89, 0.0456, 1.234, 5.678, 9.111, 12.0, 0.0]))
    made, _ = comparison_samples(table, signature_of(table), [0], SIZES)
    rounded = made.numbers[400:600, 0]
    in_range = np.abs(rounded) < 7.8  # the ends of the range are not round
    ones, twos = rounded[::2][in_range[::2]], rounded[1::2][in_range[1::2]]
    assert significant_digits(ones) == {0, 1}  # none of zero
    assert significant_digits(twos) == {0, 2}
    assert set(ones) >= {0.05, 1.0, 6.0, 0.0}
    assert set(twos) >= {0.046, 1.2, 5.7, 0.0}
    assert -7.89 <= rounded.min() < rounded.max() <= 12.0


def test_other_numbers_are_halfway_between_two_samples() -> None:
    """Of whole numbers, rounded down."""
    table = Table(pd.DataFrame({"a": [0.0, 10.0, 30.0], "n": [1, 2, 7]}))
    made, _ = comparison_samples(table, signature_of(table), [0], SIZES)
    halfway = made.numbers[600:]
    assert set(halfway[:, 0]) == {0.0, 5.0, 10.0, 15.0, 20.0, 30.0}
    assert set(halfway[:, 1]) == {1.0, 2.0, 4.0, 7.0}


def test_a_closed_or_boolean_number_is_never_between_two() -> None:
    """The estimator would reject it."""
    table = Table(pd.DataFrame({"a": VALUES, "c": [1.5, 2.5, 4.5] * 2, "b": [True, False] * 3}))
    closed = signature_of(table, c={"categories": frozenset([1.5, 2.5, 4.5])})
    made, _ = comparison_samples(table, closed, [0], SIZES)
    assert set(made.numbers[:, 1]) == {1.5, 2.5, 4.5}
    assert set(made.numbers[:, 2]) == {0.0, 1.0}


def test_numbers_whose_middle_is_unknown_stay_as_they_are() -> None:
    """One of the two is missing."""
    table = numbers_table(a=np.array([np.nan, 2.0, np.nan, 4.0] * 3))
    made, _ = comparison_samples(table, signature_of(table, required=False), [0], SIZES)
    halfway = made.numbers[600:800, 0]
    assert {2.0, 3.0, 4.0} == set(halfway[~np.isnan(halfway)])
    assert np.isnan(halfway).any()


def test_random_numbers_are_within_the_range_of_the_table() -> None:
    """Whole numbers with both ends."""
    table = Table(pd.DataFrame({"a": [-1.0, 3.0] * 5, "n": [2, 5] * 5}))
    made, _ = comparison_samples(table, signature_of(table), [0], SIZES)
    a, n = made.numbers[:400].T
    assert -1 <= a.min() < -0.9
    assert 2.9 < a.max() <= 3
    assert set(n) == {2.0, 3.0, 4.0, 5.0}


def test_texts_are_in_the_spellings_that_matter() -> None:
    """Half of them as they are in the table; others respelt, odd or in no table."""
    table = Table(pd.DataFrame({"text": ["Red Née", "blue"] * 10}))
    made, _ = comparison_samples(table, signature_of(table), [0], SIZES._replace(random=4_000))
    assert not made.numbers.size
    texts = made.texts[:, 0].tolist()
    assert len(texts) == 4_000  # nothing is rounded or halfway
    known = {"Red Née", "blue"}
    respelt = {"RED NÉE", "red née", "rED nÉE", " blue ", "Blue", "blue, blue!"}
    decomposed = "Red Ne\N{COMBINING ACUTE ACCENT}e"
    assert set(texts) == known | respelt | {
        *("BLUE", " Red Née ", "Red Née, Red Née!", decomposed, *_ODD_TEXTS, UNSEEN_CATEGORY)
    }
    assert 0.4 < sum(text in known for text in texts) / len(texts) < 0.65


def test_texts_are_made_up_where_none_is_known() -> None:
    """In the spellings that occur nowhere."""
    assert {*_spellings(np.random.default_rng(0), [], 10)} == {*_ODD_TEXTS, UNSEEN_CATEGORY}


def test_of_many_texts_some_are_chosen() -> None:
    """As many as there are samples to make; each once."""
    table = Table(pd.DataFrame({"text": [f"Text {index}" for index in range(500)]}))
    made, _ = comparison_samples(table, signature_of(table), [0], SIZES._replace(random=50))
    known = {text for text in made.texts[:, 0] if text in set(table.samples.texts[:, 0])}
    assert 10 < len(known) <= 50


@pytest.mark.parametrize(
    ("width", "operations", "expected"),
    [
        (1, 1, (MAX_TABLE_ROWS, RANDOM_ROWS, TIED_ROWS)),
        (1, 0, (MAX_TABLE_ROWS, RANDOM_ROWS, TIED_ROWS)),
        (2_000, 1, (5_000, 2_500, 1_000)),
        (4_000, 1, (2_500, 1_250, 625)),
        (1, 400_000, (2_500, 1_250, 625)),
        (10**6, 10**9, (500, 250, 125)),
    ],
)
def test_fewer_samples_are_compared_if_each_is_wide_or_takes_long(
    width: int, operations: int, expected: tuple[int, ...]
) -> None:
    """Of each sort a share of what 20 million values or 2 billion operations allow."""
    assert comparison_sizes(width, operations) == expected


def test_extreme_samples_have_the_numbers_at_which_arithmetic_changes() -> None:
    """Zeros of both signs, a subnormal one, those beyond float32 and beyond whole numbers."""
    table = numbers_table()
    rows = extreme_samples(table, signature_of(table), 1e300).numbers
    first, second = rows[:-2, 0], rows[:-2, 1]
    changed = first[first != table.samples.numbers[0, 0]]
    assert len(changed) == len(second[second != table.samples.numbers[0, 1]]) == 9
    assert {-1e300, -(2.0**53), 2.0**53, 1e300} <= set(changed)
    zeros = changed[changed == 0]
    assert np.signbit(zeros).tolist() == [False, True]
    sizes = np.abs(changed[changed != 0])
    assert (sizes < np.finfo(np.float64).tiny).sum() == 1
    assert ((sizes > np.finfo(np.float32).max) & (sizes < 1e39)).sum() == 1
    assert ((sizes > 2**31) & (sizes < 2**53)).sum() == 1
    assert rows[-2:].tolist() == [[1e300, 1e300], [-1e300, -1e300]]


def test_extreme_samples_have_no_number_beyond_the_largest() -> None:
    """The largest itself is one."""
    table = numbers_table()
    signature = signature_of(table)
    assert np.abs(extreme_samples(table, signature, 2.0**53).numbers).max() == 2.0**53
    assert len(extreme_samples(table, signature, 2.0**53).numbers) == 2 * 8 + 2
    assert len(extreme_samples(table, signature, 2.0**53 - 1).numbers) == 2 * 6 + 2


def test_extreme_numbers_are_in_free_features_alone() -> None:
    """Not in whole numbers, booleans or closed ones; the texts are those of the first sample."""
    frame = pd.DataFrame(
        {
            "t": ["x", "y"] * 3,
            "n": [1, 2] * 3,
            "c": [1.5, 2.5] * 3,
            "a": VALUES,
            "b": [True, False] * 3,
        }
    )
    table = Table(frame)
    signature = signature_of(table, c={"categories": frozenset([1.5, 2.5])})
    samples = extreme_samples(table, signature, 1e300)
    assert (samples.numbers[:, [0, 1, 3]] == table.samples.numbers[0, [0, 1, 3]]).all()
    assert len(set(samples.numbers[:, 2])) >= 8
    assert set(samples.texts[:, 0]) == {"x"}
    closed = signature_of(table, a={"categories": frozenset(VALUES)}, c={"categories": frozenset()})
    assert not len(extreme_samples(table, closed, 1e300).numbers)


def test_of_very_many_features_some_are_extreme_alone() -> None:
    """And all of them together."""
    count = MAX_EXTREME_FEATURES + 10
    table = numbers_table(**{f"x{index}": VALUES for index in range(count)})
    numbers = extreme_samples(table, signature_of(table), 1e300).numbers
    assert len(numbers) == MAX_EXTREME_FEATURES * 9 + 2
    assert set(numbers[-2]) == {1e300}
