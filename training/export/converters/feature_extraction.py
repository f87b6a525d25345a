"""Texts as term counts: sklearn.feature_extraction.text."""

from __future__ import annotations

from typing import Any

from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)

from training.export.converters.features import Features, from_tensor
from training.export.converters.hashed_columns import MAX_HASHED_FEATURES, HashedColumns
from training.export.converters.preprocessing.scaling import row_of
from training.export.converters.registry import transforms
from training.export.converters.tensor import Tensor


@transforms(CountVectorizer)
def _count_vectorizer(vectorizer: CountVectorizer, X: Features) -> Features:
    return _count(vectorizer, X)


@transforms(TfidfVectorizer)
def _tfidf_vectorizer(vectorizer: TfidfVectorizer, X: Features) -> Features:
    return _tfidf(vectorizer._tfidf, _count(vectorizer, X))


@transforms(TfidfTransformer)
def _tfidf(transformer: TfidfTransformer, X: Features) -> Features:
    counts = X.numbers()
    if transformer.sublinear_tf:
        counts = (counts > 0.0).where(counts.log() + 1.0, 0.0)
    if transformer.use_idf:
        counts = counts * row_of(transformer.idf_)
    return from_tensor(_normalize(counts, transformer.norm), len(X))


@transforms(HashingVectorizer)
def _hashing_vectorizer(vectorizer: HashingVectorizer, X: Features) -> Features:
    width = int(vectorizer.n_features)
    encoder = _analyzer(vectorizer, X) | {
        "hashed_terms": width,
        "alternate_sign": bool(vectorizer.alternate_sign),
        "binary": bool(vectorizer.binary),
    }
    if width > MAX_HASHED_FEATURES:
        return from_tensor(HashedColumns(X.graph, encoder, vectorizer.norm), width)
    counts = X.graph.encode_text(encoder, width=width)
    return from_tensor(_normalize(counts, vectorizer.norm), width)


def _count(vectorizer: Any, X: Features) -> Features:
    encoder, vocabulary = _analyzer(vectorizer, X), vectorizer.vocabulary_
    terms = sorted(vocabulary, key=vocabulary.__getitem__)
    encoder |= {"terms": terms, "binary": bool(vectorizer.binary)}
    return from_tensor(X.graph.encode_text(encoder, width=len(terms)), len(terms))


def _analyzer(vectorizer: Any, X: Features) -> dict[str, Any]:
    """Return the fields of a text encoder that define how a text is split into terms."""
    text = X.text(0) if len(X) == 1 else None
    if text is None:
        raise NotImplementedError(f"{type(vectorizer).__name__} of anything but one text column")
    custom = (vectorizer.preprocessor, vectorizer.tokenizer)
    if (
        callable(vectorizer.analyzer)
        or custom != (None, None)
        or callable(vectorizer.strip_accents)
    ):
        raise NotImplementedError(
            f"{type(vectorizer).__name__} with a function of your own is not supported"
        )
    return {
        "feature": text.feature,
        "analyzer": vectorizer.analyzer,
        "lowercase": bool(vectorizer.lowercase),
        "strip_accents": vectorizer.strip_accents,
        "token_pattern": vectorizer.token_pattern,
        "ngram_range": [int(size) for size in vectorizer.ngram_range],
        "stop_words": sorted(vectorizer.get_stop_words() or ()),
    }


def _normalize(rows: Tensor, norm: str | None) -> Tensor:
    if norm is None:
        return rows
    length = (rows * rows).sum().sqrt() if norm == "l2" else rows.abs().sum()
    return rows / length.equal(0.0).where(1.0, length)
