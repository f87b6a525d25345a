"""Count terms by their hashes, exactly as scikit-learn's ``HashingVectorizer`` does."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from chalicelib.inputs.text_analyzers import Analyzer

_TERMS_PER_HASHED_TERM = 8  # that are looked up in the time of hashing one
_32_BITS = 0xFFFFFFFF


class HashEncoder:
    """Counts terms in the columns that their hashes select, as ``HashingVectorizer`` does.

    Parameters
    ----------
    feature : int
        Index of the feature in the signature.
    width : int
        Number of columns.
    alternate_sign : bool
        Whether the hash also decides if a term counts as 1 or as -1.
    binary : bool
        Whether to write 1 in each column that a term of the text selects.
    analyze : callable
        Splits a text into terms.
    """

    def __init__(
        self, feature: int, width: int, *, alternate_sign: bool, binary: bool, analyze: Analyzer
    ) -> None:
        self.feature = feature
        self.width = width
        self._alternate_sign = alternate_sign
        self._binary = binary
        self._analyze = analyze

    def encode(
        self, texts: Sequence[str | None], matrix: array[float], start: int, stride: int
    ) -> None:
        """Write the counts of each text's terms; see `TextEncoder.encode`."""
        for row, text in enumerate(texts):
            first = start + row * stride
            for column, count in self.count(text).items():
                matrix[first + column] = count

    def count(self, text: str | None) -> dict[int, float]:
        """Return the columns that a text's terms select, and their counts."""
        counts: dict[int, float] = {}
        for term in self._analyze(text or ""):
            value = murmurhash3(term.encode())
            column = abs(value) % self.width
            sign = -1.0 if self._alternate_sign and value < 0 else 1.0
            counts[column] = 1.0 if self._binary else counts.get(column, 0.0) + sign
        return counts

    def cost(self, texts: Sequence[str | None]) -> float:
        """Return the number of terms, as if they were looked up; see `TextEncoder.cost`."""
        return self._analyze.count_terms(texts) * _TERMS_PER_HASHED_TERM


class HashSelector:
    """Counts terms in some columns of a `HashEncoder`, and sums over all columns.

    A linear model of a million columns has weights for few of them. The last three columns are the
    sum of all counts, of their absolute values and of their squares.
    """

    def __init__(self, encoder: HashEncoder, columns: Sequence[int]) -> None:
        self.feature = encoder.feature
        self.width = len(columns) + 3
        self._encoder = encoder
        self._positions = {int(column): position for position, column in enumerate(columns)}

    def encode(
        self, texts: Sequence[str | None], matrix: array[float], start: int, stride: int
    ) -> None:
        """Write the counts and the sums of each text; see `TextEncoder.encode`."""
        for row, text in enumerate(texts):
            first = start + row * stride
            counts = self._encoder.count(text)
            for column in counts.keys() & self._positions.keys():
                matrix[first + self._positions[column]] = counts[column]
            values = counts.values()
            sums = sum(values), sum(map(abs, values)), sum(value * value for value in values)
            for position, total in enumerate(sums, self.width - 3):
                matrix[first + position] = total

    def cost(self, texts: Sequence[str | None]) -> float:
        """Return the cost of counting all columns; see `TextEncoder.cost`."""
        return self._encoder.cost(texts)


def murmurhash3(data: bytes) -> int:
    """Return the hash MurmurHash3_x86_32 with seed 0, as a signed integer.

    Source: Austin Appleby, https://github.com/aappleby/smhasher
    """
    size = len(data)
    state = 0
    for start in range(0, size - 3, 4):
        state ^= _scramble(int.from_bytes(data[start : start + 4], "little"))
        state = (state << 13 | state >> 19) & _32_BITS
        state = (state * 5 + 0xE6546B64) & _32_BITS
    state ^= _scramble(int.from_bytes(data[size & ~3 :], "little"))
    state ^= size
    state = ((state ^ state >> 16) * 0x85EBCA6B) & _32_BITS
    state = ((state ^ state >> 13) * 0xC2B2AE35) & _32_BITS
    state ^= state >> 16
    return state - (1 << 32) if state >> 31 else state


def _scramble(block: int) -> int:
    block = (block * 0xCC9E2D51) & _32_BITS
    block = (block << 15 | block >> 17) & _32_BITS
    return (block * 0x1B873593) & _32_BITS
