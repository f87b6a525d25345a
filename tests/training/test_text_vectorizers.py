"""Vectorizers of text become encoders that count terms exactly as scikit-learn does."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.utils import murmurhash3_32

from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.text_encoding import make_encoders
from chalicelib.inputs.text_hashing import murmurhash3
from chalicelib.models.artifact import read_manifest
from chalicelib.models.model import load_model
from chalicelib.models.predict import predict
from tests.support.transforming import run_graph
from training.artifact import build_artifact
from training.export.converters import feature_extraction, hashed_columns
from training.export.converters.features import Features, TextColumn
from training.export.converters.registry import transform
from training.export.converters.tensor import Graph

WORDS = [
    "good",
    "bad",
    "Café",
    "nice",
    "awful",
    "MOVIE",
    "naïve",
    "film",
    "12",
    "plot's",
    "don't",
    "the",
    "a",
    "İst",
    "ﬁne",
    "ß",
    "映画",
    "👍",
    "éte",
]
CHOICE = random.Random(0)
TEXTS = [" ".join(CHOICE.choices(WORDS, k=CHOICE.randrange(1, 9))) for _ in range(150)]
ODD_TEXTS = ["", "   ", "two  spaces\tand\na line", "a", "x" * 300, "never heard of", *WORDS]
Y = ["pos" if "good" in text or "nice" in text else "neg" for text in TEXTS]
FRAME = pd.DataFrame({"text": TEXTS, "stars": [len(text) % 5 for text in TEXTS]})
METRICS = {"accuracy": {"estimate": 1.0, "method": "not measured"}}
SMALL = HashingVectorizer(n_features=64)

VECTORIZERS = [
    CountVectorizer(),
    CountVectorizer(binary=True, lowercase=False),
    CountVectorizer(max_df=0.5, min_df=3, max_features=9),
    CountVectorizer(vocabulary=["film", "good film", "plot", "good"], ngram_range=(1, 2)),
    CountVectorizer(vocabulary={"nice": 1, "bad": 0}),
    CountVectorizer(stop_words=["the", "a"], ngram_range=(2, 3)),
    CountVectorizer(stop_words="english", token_pattern=r"[a-z']+"),
    CountVectorizer(token_pattern=r"(?u)\b(\w)\w*\b"),
    CountVectorizer(analyzer="char", ngram_range=(1, 3), strip_accents="ascii"),
    CountVectorizer(analyzer="char_wb", ngram_range=(2, 5), strip_accents="unicode"),
    CountVectorizer(analyzer="char_wb", ngram_range=(6, 7)),  # longer than some words
    TfidfVectorizer(),
    TfidfVectorizer(sublinear_tf=True, norm="l1", smooth_idf=False),
    TfidfVectorizer(use_idf=False, norm=None, binary=True),
    TfidfVectorizer(vocabulary=["film"], norm=None),
    make_pipeline(CountVectorizer(), TfidfTransformer(sublinear_tf=True)),
    make_pipeline(HashingVectorizer(n_features=64, norm=None), TfidfTransformer(norm="l1")),
    SMALL,
    HashingVectorizer(n_features=50, norm=None, ngram_range=(1, 2)),
    HashingVectorizer(n_features=7, norm="l1", alternate_sign=False),
    HashingVectorizer(n_features=3, norm=None, binary=True),
    HashingVectorizer(n_features=2**10, analyzer="char_wb", ngram_range=(3, 3)),
]


def name_of(vectorizer: Any) -> str:
    """Name a test after its vectorizer."""
    return " ".join(str(vectorizer).split())[:90]


@pytest.mark.parametrize("vectorizer", VECTORIZERS, ids=name_of)
def test_counts_are_equal(vectorizer: Any) -> None:
    """Texts made to differ have the same terms, counts and weights."""
    fitted, texts = vectorizer.fit(TEXTS), TEXTS + ODD_TEXTS
    np.testing.assert_allclose(
        encode(fitted, texts), fitted.transform(texts).toarray(), rtol=1e-14, atol=1e-15
    )


def encode(vectorizer: Any, texts: list[str]) -> Any:
    """Return the columns that the encoder and the graph compute for texts."""
    graph = Graph(0)
    features = transform(vectorizer, Features(graph, [TextColumn(graph, 0, None)]))
    return run_graph(graph, features, make_encoders(graph.text_encoders), texts)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(HashingVectorizer(n_features=2**12), SGDClassifier(random_state=0)),
        make_pipeline(HashingVectorizer(n_features=2**12, norm="l1"), LogisticRegression()),
        make_pipeline(
            HashingVectorizer(n_features=2**12, norm=None, alternate_sign=False), MultinomialNB()
        ),
    ],
    ids=lambda pipeline: type(pipeline[-1]).__name__,
)
def test_of_many_hashed_columns_a_linear_model_needs_few(
    estimator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that a term of its training data selects; other terms count for the norm."""
    monkeypatch.setattr(feature_extraction, "MAX_HASHED_FEATURES", 2**11)
    monkeypatch.setattr(hashed_columns, "MAX_HASHED_FEATURES", 2**11)
    built = build_artifact(estimator.fit(TEXTS, Y), TEXTS, Y, name="hashed", metrics=METRICS)
    assert built.attempts[-1].strategy == "onnx float64"
    (encoder,) = read_manifest(built.artifact)["text_encoders"]
    assert len(encoder["columns"]) < 50
    served = load_model(built.artifact)
    texts = [*TEXTS[:5], *ODD_TEXTS, "good never heard of bad"]
    prediction, _ = predict([[text] for text in texts], served, locate_in_rows("data"), max_rows=99)
    assert prediction.labels == estimator.predict(texts).tolist()


def test_hashes_are_those_of_scikit_learn() -> None:
    """Of any length, and of characters of one to four bytes."""
    characters = "az09 é\u0301ß映画👍\0"
    for length in range(40):
        text = "".join(CHOICE.choices(characters, k=length))
        assert murmurhash3(text.encode()) == murmurhash3_32(text)


@pytest.mark.parametrize(
    "vectorizer", [SMALL, TfidfVectorizer(min_df=2, sublinear_tf=True)], ids=name_of
)
def test_a_text_column_of_a_frame_goes_to_onnx(vectorizer: Any) -> None:
    """Beside a column of numbers."""
    columns = make_column_transformer((vectorizer, "text"), ("passthrough", ["stars"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = make_pipeline(columns, LogisticRegression()).fit(FRAME, Y)
        built = build_artifact(estimator, FRAME, Y, name="m")
    assert built.attempts[-1].strategy == "onnx float64"
    assert built.comparison.max_difference < 1e-6


@pytest.mark.parametrize(
    ("vectorizer", "reason"),
    [
        (HashingVectorizer(), "n_features=1048576 is supported for linear models"),
        (CountVectorizer(analyzer=str.split), "function of your own"),
        (TfidfVectorizer(tokenizer=str.split, token_pattern=None), "function of your own"),
        (HashingVectorizer(n_features=9, preprocessor=str.upper), "function of your own"),
    ],
    ids=name_of,
)
def test_what_is_not_supported_is_not_converted(vectorizer: Any, reason: str) -> None:
    """Functions, and a million columns as such, are left to scikit-learn."""
    with pytest.raises(NotImplementedError, match=reason):
        encode(vectorizer.fit(TEXTS), TEXTS)
