"""Texts as term counts: sklearn.feature_extraction.text."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer

from training.export.converters.features import Features, from_tensor
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
        counts = counts * np.asarray(transformer.idf_, dtype=np.float64)
    return from_tensor(_normalize(counts, transformer.norm), len(X))


def _count(vectorizer: Any, X: Features) -> Features:
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
    terms = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    encoder = {
        "feature": text.feature,
        "terms": terms,
        "binary": bool(vectorizer.binary),
        "analyzer": vectorizer.analyzer,
        "lowercase": bool(vectorizer.lowercase),
        "strip_accents": vectorizer.strip_accents,
        "token_pattern": vectorizer.token_pattern,
        "ngram_range": [int(size) for size in vectorizer.ngram_range],
        "stop_words": sorted(vectorizer.get_stop_words() or ()),
    }
    return from_tensor(X.graph.encode_text(encoder, width=len(terms)), len(terms))


def _normalize(rows: Tensor, norm: str | None) -> Tensor:
    if norm is None:
        return rows
    length = (rows * rows).sum().sqrt() if norm == "l2" else rows.abs().sum()
    return rows / length.equal(0.0).where(1.0, length)
