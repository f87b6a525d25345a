"""Encode texts as numbers, exactly as scikit-learn's encoders and vectorizers do.

Text does not enter the graph. The manifest's ``text_encoders`` define how each text becomes
numbers, with Python's own ``dict``, ``str`` and ``re``, as in scikit-learn: the result depends on
no locale, and every text is encoded, with accents, NUL characters or lone words of any script.

``{"feature": 3, "categories": ["a", "b"]}``
    One column: the index of the category, ``len(categories)`` for another text, and one more than
    that for a missing text.
``{"feature": 5, "terms": ["good", ...], "analyzer": "word", ...}``
    One column per term: how often the text contains it. The other fields are parameters of
    scikit-learn's ``CountVectorizer``.
``{"feature": 5, "hashed_terms": 1024, "alternate_sign": true, ...}``
    So many columns: each term is counted in the column that its hash selects, as by scikit-learn's
    ``HashingVectorizer``, whose parameters the other fields are. With ``"columns"``, these alone,
    and the sum of all counts, of their absolute values and of their squares.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from chalicelib.errors import BodyTooLarge, TooManySamples
from chalicelib.inputs.samples import Samples

# What the texts of one request may cost, in about half a second: terms of 0.1 microseconds, and
# values of the encoded matrix of 10 nanoseconds. Hashing a term takes as long as looking up eight.
MAX_TERMS = 4_000_000
MAX_ENCODED_VALUES = 50_000_000
_TERMS_PER_HASHED_TERM = 8
_CHARACTERS_PER_WORD = 2  # at least, with what separates it

_32_BITS = 0xFFFFFFFF
_REPEATED_SPACES = re.compile(r"\s\s+")


class Analyzer(NamedTuple):
    """Splits a text into terms.

    Parameters
    ----------
    normalize : callable
        Returns the text in lower case or without accents, as the vectorizer does.
    split : callable
        Yields the terms of a normalized text.
    terms_per_character : float
        An upper bound for normalized texts.
    """

    normalize: Callable[[str], str]
    split: Callable[[str], Iterator[str]]
    terms_per_character: float

    def __call__(self, text: str) -> Iterator[str]:
        """Yield the terms of a text."""
        return self.split(self.normalize(text))

    def count_terms(self, texts: Sequence[str | None]) -> float:
        """Return an upper bound of the number of terms."""
        characters = sum(len(self.normalize(text)) for text in texts if text)
        return characters * self.terms_per_character


class TextEncoder(Protocol):
    """Encodes the texts of one feature as `width` columns of a matrix."""

    feature: int
    width: int

    def encode(
        self, texts: Sequence[str | None], matrix: array[float], start: int, stride: int
    ) -> None:
        """Write the columns of each text into a matrix of zeros.

        Parameters
        ----------
        texts : sequence of str or None
            One text per row.
        matrix : array of float64
            Row by row.
        start : int
            Index of the first column in the first row.
        stride : int
            Number of columns of the matrix.
        """

    def cost(self, texts: Sequence[str | None]) -> float:
        """Return what it costs to encode texts, as a number of terms."""


class CategoryEncoder:
    """Encodes a text as the index of its category.

    Parameters
    ----------
    feature : int
        Index of the feature in the signature.
    categories : sequence of str
    """

    width = 1

    def __init__(self, feature: int, categories: Sequence[str]) -> None:
        self.feature = feature
        self.categories = categories
        self._unknown = float(len(categories))
        self._codes: dict[str | None, float] = {
            category: float(index) for index, category in enumerate(categories)
        }
        self._codes[None] = self._unknown + 1

    def encode(
        self, texts: Sequence[str | None], matrix: array[float], start: int, stride: int
    ) -> None:
        """Write each text's code; see `TextEncoder.encode`."""
        codes, unknown = self._codes, self._unknown
        matrix[start::stride] = array("d", [codes.get(text, unknown) for text in texts])

    def cost(self, texts: Sequence[str | None]) -> float:
        """Return the cost of one look-up per text."""
        return len(texts)


class TermEncoder:
    """Counts terms, as ``CountVectorizer`` does.

    Parameters
    ----------
    feature : int
        Index of the feature in the signature.
    terms : sequence of str
        The term of each column.
    binary : bool
        Whether to write 1 for any count above 0.
    analyze : callable
        Splits a text into terms.
    """

    def __init__(
        self, feature: int, terms: Sequence[str], *, binary: bool, analyze: Analyzer
    ) -> None:
        self.feature = feature
        self.width = len(terms)
        self._columns = {term: column for column, term in enumerate(terms)}
        self._binary = binary
        self._analyze = analyze

    def encode(
        self, texts: Sequence[str | None], matrix: array[float], start: int, stride: int
    ) -> None:
        """Write the counts of each text's terms; see `TextEncoder.encode`."""
        columns, binary = self._columns, self._binary
        for row, text in enumerate(texts):
            first = start + row * stride
            for term in self._analyze(text or ""):
                column = columns.get(term)
                if column is not None:
                    matrix[first + column] = 1.0 if binary else matrix[first + column] + 1.0

    def cost(self, texts: Sequence[str | None]) -> float:
        """Return the number of terms; see `TextEncoder.cost`."""
        return self._analyze.count_terms(texts)


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


def make_encoders(documents: Sequence[Mapping[str, Any]]) -> list[TextEncoder]:
    """Return the encoders of a manifest's ``text_encoders``.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a field is missing or invalid.
    """
    return [_make_encoder(**document) for document in documents]


def check_cost(
    samples: Samples, text_columns: Mapping[int, int], encoders: Sequence[TextEncoder]
) -> None:
    """Raise `BodyTooLarge` if the texts of a request take too long; parameters of `encode_texts`.

    The limits differ between models, as the terms and the columns of their encoders do.
    """
    width = sum(encoder.width for encoder in encoders)
    if samples.rows * width > MAX_ENCODED_VALUES and samples.rows > 1:
        raise TooManySamples(max(1, MAX_ENCODED_VALUES // width))
    terms = sum(
        encoder.cost(samples.texts[text_columns[encoder.feature] :: len(text_columns)])
        for encoder in encoders
    )
    if terms > MAX_TERMS:
        characters = sum(len(text) for text in samples.texts if text)
        limit = int(characters * MAX_TERMS / terms)
        raise BodyTooLarge("The texts of this request", limit, "characters: send fewer at a time")


def encode_texts(
    samples: Samples,
    text_columns: Mapping[int, int],
    encoders: Sequence[TextEncoder],
) -> array[float]:
    """Return the numbers of samples with the encoded texts behind them.

    Parameters
    ----------
    samples : Samples
    text_columns : mapping of int to int
        The column in ``samples.texts`` of each text feature, by the feature's index.
    encoders : sequence of TextEncoder

    Returns
    -------
    array of float64
        Shape (samples, number features + columns of all encoders), row by row.
    """
    number_width = len(samples.numbers) // samples.rows
    stride = number_width + sum(encoder.width for encoder in encoders)
    matrix = array("d", [0.0]) * (samples.rows * stride)
    for column in range(number_width):
        matrix[column::stride] = samples.numbers[column::number_width]
    start = number_width
    for encoder in encoders:
        texts = samples.texts[text_columns[encoder.feature] :: len(text_columns)]
        encoder.encode(texts, matrix, start, stride)
        start += encoder.width
    return matrix


def _make_encoder(
    *, feature: int, categories: Sequence[str] | None = None, **options: Any
) -> TextEncoder:
    if categories is not None:
        return CategoryEncoder(feature, categories)
    binary = bool(options.pop("binary"))
    if "hashed_terms" in options:
        width, alternate_sign = (
            int(options.pop("hashed_terms")),
            bool(options.pop("alternate_sign")),
        )
        columns = options.pop("columns", None)
        encoder = HashEncoder(
            feature,
            width,
            alternate_sign=alternate_sign,
            binary=binary,
            analyze=make_analyzer(**options),
        )
        return encoder if columns is None else HashSelector(encoder, columns)
    terms = options.pop("terms")
    return TermEncoder(feature, terms, binary=binary, analyze=make_analyzer(**options))


def make_analyzer(
    *,
    analyzer: str,
    lowercase: bool,
    strip_accents: str | None,
    token_pattern: str,
    ngram_range: Sequence[int],
    stop_words: Sequence[str],
) -> Analyzer:
    """Return the function that splits a text into terms; parameters as of ``CountVectorizer``."""
    smallest, largest = ngram_range
    terms_per_character = float(largest - smallest + 1)
    if analyzer == "word":
        terms_per_character /= _CHARACTERS_PER_WORD
        find_words = re.compile(token_pattern).findall
        ignored = frozenset(stop_words)

        def split(text: str) -> Iterator[str]:
            words = [word for word in find_words(text) if word not in ignored]
            for size in range(smallest, largest + 1):
                for first in range(len(words) - size + 1):
                    yield " ".join(words[first : first + size])

    elif analyzer == "char":
        split = partial(_character_ngrams, smallest=smallest, largest=largest)
    elif analyzer == "char_wb":
        split = partial(_padded_word_ngrams, smallest=smallest, largest=largest)
    else:
        raise ValueError(f"unknown analyzer {analyzer!r}")
    strip = _ACCENTS[strip_accents]

    def normalize(text: str) -> str:
        return strip(text.lower() if lowercase else text)

    return Analyzer(normalize, split, terms_per_character)


def _character_ngrams(text: str, smallest: int, largest: int) -> Iterator[str]:
    text = _REPEATED_SPACES.sub(" ", text)
    for size in range(smallest, largest + 1):
        for first in range(len(text) - size + 1):
            yield text[first : first + size]


def _padded_word_ngrams(text: str, smallest: int, largest: int) -> Iterator[str]:
    """Split each word, with a space on both sides; a word that is too short is one term."""
    for word in text.split():
        padded = f" {word} "
        for size in range(smallest, largest + 1):
            for first in range(max(1, len(padded) - size + 1)):
                yield padded[first : first + size]
            if size >= len(padded):
                break


def _keep_accents(text: str) -> str:
    return text


class _Decompositions(dict[int, str]):
    """The decomposition of each character, without what combines with it, for `str.translate`."""

    def __missing__(self, codepoint: int) -> str:
        import unicodedata

        decomposed = unicodedata.normalize("NFKD", chr(codepoint))
        stripped = "".join(c for c in decomposed if not unicodedata.combining(c))
        if codepoint <= _LAST_CACHED:
            self[codepoint] = stripped
        return stripped


# The characters that people write with; a cache of all others would take a hundred megabytes.
_LAST_CACHED = 0xFFFF
_DECOMPOSITIONS = _Decompositions()


def _strip_unicode_accents(text: str) -> str:
    return text if text.isascii() else text.translate(_DECOMPOSITIONS)


def _strip_to_ascii(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


_ACCENTS: dict[str | None, Callable[[str], str]] = {
    None: _keep_accents,
    "unicode": _strip_unicode_accents,
    "ascii": _strip_to_ascii,
}
