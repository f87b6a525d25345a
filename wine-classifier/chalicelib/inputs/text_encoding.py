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

from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.errors import BodyTooLarge, TooManySamples
from chalicelib.inputs.samples import Samples

if TYPE_CHECKING:
    from chalicelib.inputs.text_analyzers import Analyzer

# What the texts of one request may cost, in about half a second: terms of 0.1 microseconds, and
# values of the encoded matrix of 10 nanoseconds.
MAX_TERMS = 4_000_000
MAX_ENCODED_VALUES = 50_000_000


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
    from chalicelib.inputs.text_analyzers import make_analyzer  # models of categories need none

    binary = bool(options.pop("binary"))
    if "hashed_terms" not in options:
        terms = options.pop("terms")
        return TermEncoder(feature, terms, binary=binary, analyze=make_analyzer(**options))
    from chalicelib.inputs.text_hashing import HashEncoder, HashSelector

    width, columns = int(options.pop("hashed_terms")), options.pop("columns", None)
    encoder = HashEncoder(
        feature,
        width,
        alternate_sign=bool(options.pop("alternate_sign")),
        binary=binary,
        analyze=make_analyzer(**options),
    )
    return encoder if columns is None else HashSelector(encoder, columns)
