"""Data as people have it is published, and answered as scikit-learn answers it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from chalicelib.errors import InvalidRequest
from chalicelib.inputs.problems import locate_in_rows
from chalicelib.models.artifact import read_manifest
from chalicelib.models.model import load_model
from chalicelib.models.predict import predict
from training.artifact import BuiltModel, build_artifact
from training.data.fitted_columns import make_table
from training.data.signature import infer_signature

ROWS = 120
random = np.random.default_rng(0)
NUMBERS = random.normal(size=(ROWS, 3))
FRAME = pd.DataFrame(NUMBERS, columns=["a", "b", "c"])
WHOLE = random.integers(0, 5, size=(ROWS, 2))
LABELS = (NUMBERS[:, 0] > 0).astype(np.int64)
WHOLE_LABELS = (WHOLE[:, 0] > 2).astype(np.int64)
TEXTS = [f"good wine {i}" if i % 2 else f"bad beer {i} that tastes like water" for i in range(ROWS)]
TEXT_LABELS = np.arange(ROWS) % 2


class Served(NamedTuple):
    """A published model, and how to ask it."""

    built: BuiltModel
    features: dict[str, dict[str, Any]]

    def labels(self, rows: Sequence[Sequence[Any]]) -> list[str]:
        """Classify rows as a request holds them."""
        model = load_model(self.built.artifact)
        locate = locate_in_rows("data")
        prediction, _ = predict(list(rows), model, locate, max_rows=len(rows))
        return prediction.labels


def served(estimator: Any, X: Any, y: Any = LABELS, **options: Any) -> Served:
    """Publish a fitted estimator."""
    built = build_artifact(estimator, X, y, name="inputs", **options)
    features = read_manifest(built.artifact)["signature"]["features"]
    return Served(built, {feature["name"]: feature for feature in features})


def as_requests(X: Any) -> list[list[Any]]:
    """Return rows with the types of JSON."""
    values = np.asarray(X, dtype=np.object_)
    rows = values.reshape(len(values), -1).tolist()
    return [[None if pd.isna(value) else value for value in row] for row in rows]


def expected(estimator: Any, X: Any) -> list[str]:
    """Return the labels that the estimator predicts."""
    return [str(label) for label in np.asarray(estimator.predict(X)).tolist()]


def one_hot(column: str, **options: Any) -> Any:
    """Encode a column in front of a logistic regression that takes the others as they are."""
    encoder = OneHotEncoder(**{"handle_unknown": "ignore", **options})
    transformer = make_column_transformer((encoder, [column]), remainder="passthrough")
    return make_pipeline(transformer, LogisticRegression())


def with_column(values: Sequence[Any], dtype: Any) -> pd.DataFrame:
    """Make a frame with a column of a type that repeats some values, and a number."""
    repeated = [values[index % len(values)] for index in range(ROWS)]
    return pd.DataFrame({"column": pd.Series(repeated, dtype=dtype), "number": NUMBERS[:, 0]})


@pytest.mark.parametrize(
    "names",
    [["p", "q", "r"], ("p", "q", "r"), np.array(["p", "q", "r"]), pd.Index(["p", "q", "r"])],
    ids=lambda names: type(names).__name__,
)
def test_feature_names_may_be_any_sequence(names: Any) -> None:
    """Not only a list."""
    estimator = LogisticRegression().fit(NUMBERS, LABELS)
    assert list(served(estimator, NUMBERS, feature_names=names).features) == ["p", "q", "r"]


@pytest.mark.parametrize(
    "y",
    [LABELS.reshape(-1, 1), LABELS.tolist(), pd.Series(LABELS), pd.Index(LABELS)],
    ids=["column", "list", "series", "index"],
)
def test_labels_may_be_a_column_a_list_or_a_series(y: Any) -> None:
    """They are compared with what the estimator predicts."""
    estimator = LogisticRegression().fit(NUMBERS, LABELS)
    accuracy = accuracy_of(served(estimator, NUMBERS, y))
    assert accuracy == pytest.approx(estimator.score(NUMBERS, LABELS))


@pytest.mark.parametrize("dtype", [int, float, bool, str])
def test_accuracy_is_the_estimators_own_score(dtype: type) -> None:
    """Also of labels that are floats or booleans."""
    y: Any = LABELS.astype(dtype)
    estimator = LogisticRegression().fit(NUMBERS, y)
    assert accuracy_of(served(estimator, NUMBERS, y)) == pytest.approx(estimator.score(NUMBERS, y))


def test_accuracy_does_not_depend_on_the_type_that_a_file_has_for_labels() -> None:
    """Classes may be text that a table has as numbers."""
    estimator = LogisticRegression().fit(NUMBERS, LABELS.astype(str))
    assert accuracy_of(served(estimator, NUMBERS, LABELS)) > 0.9


def accuracy_of(model: Served) -> float:
    """Return the accuracy in the manifest."""
    estimate: float = read_manifest(model.built.artifact)["metrics"]["accuracy"]["estimate"]
    return estimate


@pytest.mark.parametrize(
    "X",
    [FRAME[["c", "a", "b"]], FRAME.assign(other="text", date=pd.Timestamp(0)), NUMBERS],
    ids=["another order", "more columns", "a matrix"],
)
def test_columns_are_those_that_the_estimator_was_fitted_on(X: Any) -> None:
    """In its order, by name."""
    estimator = LogisticRegression().fit(FRAME, LABELS)
    model = served(estimator, X)
    assert list(model.features) == ["a", "b", "c"]
    assert model.labels(NUMBERS.tolist()) == expected(estimator, FRAME)


def test_feature_names_follow_their_columns() -> None:
    """They name the columns of `X` as it is passed."""
    estimator = LogisticRegression().fit(FRAME, LABELS)
    model = served(estimator, FRAME[["c", "a", "b"]], feature_names=["third", "first", "second"])
    assert list(model.features) == ["first", "second", "third"]


DATED = FRAME.assign(date=pd.Timestamp(0), kind=["x", "y"] * (ROWS // 2))[
    ["a", "date", "b", "kind", "c"]
]


def without_date() -> Any:
    """Make a pipeline that drops the date."""
    transformer = make_column_transformer(
        (StandardScaler(), ["a", "b", "c"]), (OneHotEncoder(handle_unknown="ignore"), ["kind"])
    )
    return make_pipeline(transformer, LogisticRegression())


@pytest.mark.parametrize("runtime", ["onnx", "sklearn"])
@pytest.mark.parametrize("is_in_data", [True, False])
def test_a_column_that_is_dropped_is_no_feature(runtime: str, is_in_data: bool) -> None:
    """Whether it is in the data or not, and whatever its type is."""
    estimator = without_date().fit(DATED, LABELS)
    X = DATED if is_in_data else DATED.drop(columns="date")
    model = served(estimator, X, runtime=runtime)
    assert list(model.features) == ["a", "b", "kind", "c"]
    rows = as_requests(DATED.drop(columns="date"))
    assert model.labels(rows) == expected(estimator, DATED)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda estimator: GridSearchCV(estimator, {"logisticregression__C": [1.0]}, cv=2),
        lambda estimator: VotingClassifier([("one", estimator)], voting="soft"),
        lambda estimator: CalibratedClassifierCV(estimator, cv=2),
    ],
)
def test_a_column_may_be_dropped_at_any_depth(wrap: Callable[[Any], Any]) -> None:
    """Within a search or an ensemble."""
    estimator = wrap(without_date()).fit(DATED, LABELS)
    assert "date" not in served(estimator, DATED).features


def test_dropped_numbers_are_no_features_either() -> None:
    """Served by scikit-learn, which counts the columns of a matrix."""
    transformer = make_column_transformer((StandardScaler(), ["a", "c"]))
    estimator = make_pipeline(transformer, LogisticRegression()).fit(FRAME, LABELS)
    model = served(estimator, FRAME, runtime="sklearn")
    assert list(model.features) == ["a", "c"]
    assert model.labels(FRAME[["a", "c"]].to_numpy().tolist()) == expected(estimator, FRAME)


def test_what_is_not_used_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """By its name."""
    with caplog.at_level(logging.INFO):
        served(without_date().fit(DATED, LABELS), DATED.assign(other=1))
    assert "not used by the estimator: date, other" in caplog.messages


@pytest.mark.parametrize("runtime", ["onnx", "sklearn"])
@pytest.mark.parametrize(
    "X",
    [TEXTS, np.array(TEXTS), np.array(TEXTS, dtype=np.object_), pd.Series(TEXTS, name="review")],
    ids=["list", "array", "objects", "series"],
)
def test_a_text_classifier_has_one_feature(X: Any, runtime: str) -> None:
    """Named text."""
    estimator = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(X, TEXT_LABELS)
    model = served(estimator, X, TEXT_LABELS, runtime=runtime)
    assert model.features["text"]["kind"] == "categorical"
    texts = [*TEXTS[:9], "", "Wine, WINE! beer?", "ünï\N{COMBINING ACUTE ACCENT} wine"]
    assert model.labels([[text] for text in texts]) == expected(estimator, texts)


def test_a_text_classifier_takes_the_one_column_of_a_frame() -> None:
    """As a table from a file has it; the feature has the column's name."""
    estimator = make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXTS, TEXT_LABELS)
    model = served(estimator, pd.DataFrame({"review": TEXTS}), TEXT_LABELS)
    assert list(model.features) == ["review"]
    assert model.labels([[text] for text in TEXTS]) == expected(estimator, TEXTS)


def test_no_training_text_is_published() -> None:
    """Neither a list of them nor an example; a few words are in golden samples."""
    texts = [f"dear customer {i} we regret your order is late" for i in range(ROWS)]
    frame = pd.DataFrame({"letter": texts, "number": NUMBERS[:, 0]})
    transformer = make_column_transformer((TfidfVectorizer(), "letter"), remainder="passthrough")
    estimator = make_pipeline(transformer, LogisticRegression()).fit(frame, LABELS)
    published = read_manifest(served(estimator, frame).built.artifact)
    assert "categories" not in published["signature"]["features"][0]
    assert published["signature"]["features"][0]["unknown_categories"] == "accepted"
    assert not any(text in str(published) for text in texts)


def test_open_categories_are_not_listed() -> None:
    """The encoder takes others too."""
    X = pd.DataFrame({"id": [f"id {i % 3}" for i in range(ROWS)], "number": NUMBERS[:, 0]})
    model = served(one_hot("id").fit(X, LABELS), X)
    assert "categories" not in model.features["id"]


@pytest.mark.parametrize(("distinct", "listed"), [(24, 24), (25, 20), (ROWS, 0)])
def test_closed_categories_are_listed_if_five_samples_have_them(distinct: int, listed: int) -> None:
    """The others are accepted too, and unknown ones are rejected."""
    ids = [f"id {i % distinct}" for i in range(ROWS)]
    X = pd.DataFrame({"id": ids, "number": NUMBERS[:, 0]})
    estimator = one_hot("id", handle_unknown="error").fit(X, LABELS)
    model = served(estimator, X)
    assert len(model.features["id"]["categories"]) == listed
    assert model.labels(as_requests(X)) == expected(estimator, X)
    with pytest.raises(InvalidRequest, match="not a known category"):
        model.labels([["id", 0.5]])


@pytest.mark.parametrize("runtime", ["onnx", "sklearn"])
def test_pipelines_that_pass_frames_on_are_served_without_pandas(runtime: str) -> None:
    """With ``set_output``, a second transformer selects by name."""
    estimator = make_pipeline(
        make_column_transformer(
            (StandardScaler(), ["a", "b"]),
            ("passthrough", ["c"]),
            verbose_feature_names_out=False,
        ),
        ColumnTransformer([("scale", MinMaxScaler(), ["c"])], remainder="passthrough"),
        LogisticRegression(),
    ).set_output(transform="pandas")
    estimator.fit(FRAME, LABELS)
    model = served(estimator, FRAME, runtime=runtime)
    assert model.labels(NUMBERS.tolist()) == expected(estimator, FRAME)
    assert b"_sklearn_output_config" not in model.built.artifact


@pytest.mark.parametrize("runtime", ["onnx", "sklearn"])
@pytest.mark.parametrize("classifier", [BernoulliNB(), LogisticRegression()])
def test_a_matrix_of_booleans_takes_true_and_false(classifier: Any, runtime: str) -> None:
    """As JSON has them."""
    X = NUMBERS > 0
    estimator = classifier.fit(X, LABELS)
    assert served(estimator, X, runtime=runtime).labels(X.tolist()) == expected(estimator, X)


def test_booleans_and_numbers_may_be_columns_of_one_matrix() -> None:
    """As a table from a file has them."""
    X = np.array([[bool(i % 2), i % 3, i / 7] for i in range(ROWS)], dtype=np.object_)
    estimator = LogisticRegression().fit(X, LABELS)
    model = served(estimator, X)
    assert [feature["kind"] for feature in model.features.values()] == [
        "boolean",
        "numeric",
        "numeric",
    ]
    assert model.labels(X.tolist()) == expected(estimator, X)


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.float32])
@pytest.mark.parametrize("as_frame", [False, True])
@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(OneHotEncoder(), LogisticRegression()),
        make_pipeline(OrdinalEncoder(), DecisionTreeClassifier(random_state=0)),
        CategoricalNB(),
    ],
    ids=["one-hot", "ordinal", "naive bayes"],
)
def test_numbers_may_be_categories(estimator: Any, dtype: type, as_frame: bool) -> None:
    """Those that the estimator does not know are rejected; naive Bayes knows a range of them."""
    X: Any = WHOLE.astype(dtype)
    X = pd.DataFrame(X, columns=["a", "b"]) if as_frame else X
    estimator.fit(X, WHOLE_LABELS)
    model = served(estimator, X, WHOLE_LABELS)
    assert model.labels(WHOLE.tolist()) == expected(estimator, X)
    with pytest.raises(InvalidRequest, match=r"not a known category|too large for the model"):
        model.labels([[7, 1]])


def test_fractions_may_be_categories() -> None:
    """If the encoder takes no value between two of them."""
    X = with_column([0.25, 0.5, 1.75], np.float64)
    model = served(one_hot("column", handle_unknown="error").fit(X, LABELS), X)
    assert model.features["column"]["categories"] == [0.25, 0.5, 1.75]
    assert "categories" not in model.features["number"]


NAN = float("nan")
COLUMNS: dict[str, tuple[list[Any], Any]] = {
    "None": (["x", "y", None], object),
    "NaN": (["x", "y", NAN], object),
    "the text nan": (["x", "nan", NAN], object),
    "the text None": (["x", "None", None], object),
    "str": (["x", "y", None], "str"),
    "category": (["x", "y", None], "category"),
    "category of integers": ([1, 2, None], "category"),
    "category of booleans": ([True, False], "category"),
    "category not in the data": (["x", "y"], pd.CategoricalDtype(["w", "x", "y"])),
    "booleans and None": ([True, False, None], object),
    "booleans and NaN": ([True, False, NAN], object),
    "boolean": ([True, False], "boolean"),
    "boolean with NA": ([True, False, None], "boolean"),
    "one boolean": ([True], bool),
    "integers as objects": ([1, 2, 5], object),
    "Int64": ([1, 2, 5], "Int64"),
    "int8": ([1, 2, 127], np.int8),
    "uint8": ([1, 2, 255], np.uint8),
    "float32": ([0.5, 0.25, 0.125], np.float32),
}


@pytest.mark.parametrize(
    ("runtime", "unknown"), [(None, "ignore"), (None, "error"), ("sklearn", "ignore")]
)
@pytest.mark.parametrize("name", COLUMNS)
def test_an_encoder_sees_what_it_was_fitted_on(name: str, unknown: str, runtime: str) -> None:
    """Every sample is answered as scikit-learn does, with null for each missing value."""
    X = with_column(*COLUMNS[name])
    estimator = one_hot("column", handle_unknown=unknown).fit(X, LABELS)
    model = served(estimator, X, runtime=runtime)
    assert model.labels(as_requests(X)) == expected(estimator, X)


NUMBER_COLUMNS: dict[str, tuple[list[Any], Any]] = {
    "Int64": ([1, 2, 5, None], "Int64"),
    "Float64": ([0.1, 2.5, None], "Float64"),
    "boolean": ([True, False, None], "boolean"),
    "float32": ([0.1, 2.5, NAN], np.float32),
    "objects": ([1.5, 2, None], object),
    "nothing": ([NAN], np.float64),
}


@pytest.mark.filterwarnings("ignore:Skipping features without any observed values")
@pytest.mark.parametrize("name", NUMBER_COLUMNS)
def test_numbers_may_be_missing_in_columns_of_any_type(name: str) -> None:
    """Also in pandas' nullable types, and in a column without values."""
    X = with_column(*NUMBER_COLUMNS[name])
    estimator = make_pipeline(SimpleImputer(), LogisticRegression()).fit(X, LABELS)
    model = served(estimator, X)
    assert not model.features["column"]["required"]
    assert model.labels(as_requests(X)) == expected(estimator, X)


def test_none_and_nan_may_be_mixed_if_the_estimator_takes_them_for_the_same() -> None:
    """As this encoder knows neither."""
    X = with_column(["x", "y", None, NAN], object)
    estimator = one_hot("column", categories=[["x", "y"]]).fit(X, LABELS)
    assert served(estimator, X).labels(as_requests(X)) == expected(estimator, X)


def test_samples_that_no_request_can_hold_are_left_out() -> None:
    """Infinite numbers, and halves of characters."""
    X = FRAME.assign(a=np.where(np.arange(ROWS) == 3, np.inf, FRAME["a"]))
    estimator = HistGradientBoostingClassifier(max_iter=3).fit(X, LABELS)
    model = served(estimator, X)
    assert model.features["a"]["max"] < np.inf
    texts = with_column(["x", "y"], object).assign(number=NUMBERS[:, 0])
    texts.loc[3, "column"] = "\ud800"
    encoder = one_hot("column", handle_unknown="error").fit(texts, LABELS)
    assert served(encoder, texts).features["column"]["categories"] == ["x", "y"]


@pytest.mark.parametrize(
    "estimator",
    [
        DummyClassifier(),
        DecisionTreeClassifier(),
        HistGradientBoostingClassifier(max_iter=2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_a_model_may_have_one_class(estimator: Any) -> None:
    """It is what every sample is."""
    estimator.fit(NUMBERS, np.zeros(ROWS))
    assert set(served(estimator, NUMBERS, np.zeros(ROWS)).labels(NUMBERS.tolist())) == {"0.0"}


@pytest.mark.parametrize("impute", [False, True])
def test_a_frame_may_have_a_thousand_columns(impute: bool) -> None:
    """They are probed together; whether each is required is known."""
    X = pd.DataFrame(random.normal(size=(50, 1000))).rename(columns=str)
    X["7"] = random.integers(0, 9, size=50)
    imputer = make_column_transformer(
        (SimpleImputer(), make_column_selector(dtype_include=float)), remainder="passthrough"
    )
    steps = [imputer] if impute else [StandardScaler()]
    estimator = make_pipeline(*steps, LogisticRegression()).fit(X, LABELS[:50])
    features = infer_signature(estimator, make_table(estimator, X)).features
    assert [feature.name for feature in features if feature.required] == (
        ["7"] if impute else list(X.columns)
    )


def served_whole_number(value: npt.ArrayLike) -> list[str]:
    """Ask a model whose feature is a whole number."""
    X = pd.DataFrame({"count": np.arange(ROWS)})
    y = np.arange(ROWS) > 50
    return served(DecisionTreeClassifier().fit(X, y), X, y).labels([[value]])


@pytest.mark.parametrize("value", [2**53, -(2**53), 9007199254740992.0])
def test_whole_numbers_up_to_2_to_the_53_are_accepted(value: float) -> None:
    """Float64 holds each of them."""
    assert served_whole_number(value) == [str(value > 0)]


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**60, 1e17])
def test_larger_whole_numbers_are_rejected(value: float) -> None:
    """Two of them may be the same number to the model."""
    with pytest.raises(InvalidRequest, match=r"up to 2\*\*53"):
        served_whole_number(value)
