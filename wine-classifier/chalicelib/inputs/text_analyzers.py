"""Split texts into terms, exactly as scikit-learn's vectorizers do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from chalicelib.named_tuple import NamedTuple

_CHARACTERS_PER_WORD = 2  # at least, with what separates it
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
