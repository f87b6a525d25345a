"""The configurations: estimators x transformers x kinds of data, from scikit-learn's lists."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.fidelity import classifiers, transformers
from tests.fidelity.data import KINDS, load

IRIS, WINE, CANCER, DIGITS, GAPS, FRAME = list(KINDS)[:6]
NAN, NONE, CATEGORY, NULLABLE, REVIEWS, PENGUINS, CARS = list(KINDS)[6:]
MATRICES = (IRIS, WINE, CANCER)
MIXED = (NAN, NONE, CATEGORY, NULLABLE, PENGUINS, CARS)


class Configuration(NamedTuple):
    """An unfitted pipeline and the kind of its data.

    `classifier` and `transformer` are the names of the classes that it is there for; the page
    counts by them.
    """

    name: str
    classifier: str
    transformer: str
    data: str
    estimator: Any


class Missing(NamedTuple):
    """A class of scikit-learn that the matrix cannot make."""

    name: str
    reason: str


@functools.cache
def missing() -> list[Missing]:
    """Return the classes of scikit-learn's lists that need arguments the matrix does not know."""
    found = []
    for module in (classifiers, transformers):
        for name in module.names():
            try:
                module.unfitted(name)
            except Exception as error:  # a constructor may raise anything
                found.append(Missing(name, f"{type(error).__name__}: {error}"))
    return found


def configurations() -> list[Configuration]:
    """Return all configurations, always in the same order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some classes are deprecated
        named = {configuration.name: configuration for configuration in _all()}
    return list(named.values())


def _all() -> Iterator[Configuration]:
    unmade = {item.name for item in missing()}
    every_classifier = [
        classifiers.unfitted(name) for name in classifiers.names() if name not in unmade
    ]
    every_transformer = [
        transformers.unfitted(name) for name in transformers.names() if name not in unmade
    ]
    yield from _classifiers_of_numbers(every_classifier)
    yield from _classifiers_of_mixed_tables(every_classifier)
    yield from _transformers_of_numbers(every_transformer)
    yield from _imputers()
    yield from _encoders()
    yield from _vectorizers()
    yield from _native_categories()
    yield from _nested()


def _classifiers_of_numbers(every: list[Any]) -> Iterator[Configuration]:
    for classifier in every:
        for data in _suitable(classifier, MATRICES, CANCER):
            yield _configuration(classifier, None, data, classifier)
    for index, classifier in enumerate(classifiers.variants()):
        for data in (IRIS, (WINE, CANCER)[index % 2]):
            yield _configuration(classifier, None, data, classifier)
    for index, classifier in enumerate(every):
        for data in _suitable(classifier, ((DIGITS, FRAME)[index % 2],), FRAME):
            yield _configuration(classifier, None, data, classifier)
        if _takes_gaps(classifier):
            yield _configuration(classifier, None, GAPS, classifier)


def _classifiers_of_mixed_tables(every: list[Any]) -> Iterator[Configuration]:
    for index, classifier in enumerate(every):
        kinds = (PENGUINS, (NAN, NONE, CATEGORY, NULLABLE, CARS)[index % 5])
        for data in _suitable(classifier, kinds, NULLABLE):
            scaler = MinMaxScaler(clip=True)  # for those that take no negative numbers
            encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            table = _table(data, encoder, scaler)
            yield _configuration(classifier, None, data, make_pipeline(table, classifier))


def _transformers_of_numbers(every: list[Any]) -> Iterator[Configuration]:
    logistic = LogisticRegression(max_iter=1000)
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    for index, transformer in enumerate((*every, *transformers.variants())):
        for data in (WINE, FRAME):
            classifier = tree if data == FRAME and index % 2 else logistic
            pipeline = make_pipeline(transformer, classifier)
            yield _configuration(None, transformer, data, pipeline)


def _imputers() -> Iterator[Configuration]:
    for imputer in transformers.variants_of_gaps():
        logistic = make_pipeline(imputer, StandardScaler(), LogisticRegression())
        yield _configuration(None, imputer, GAPS, logistic)
        trees = make_pipeline(imputer, ExtraTreesClassifier(10, random_state=0))
        yield _configuration(None, imputer, GAPS, trees)
        numbers = ColumnTransformer([("numbers", imputer, load(PENGUINS).numbers)])
        yield _configuration(None, imputer, PENGUINS, make_pipeline(numbers, LogisticRegression()))


def _encoders() -> Iterator[Configuration]:
    for encoder in transformers.variants_of_categories():
        for data in MIXED:
            classifier: Any = LogisticRegression(max_iter=1000)
            if getattr(encoder, "encoded_missing_value", None) != -2:
                classifier = HistGradientBoostingClassifier(max_iter=8, random_state=0)
            if isinstance(encoder, OneHotEncoder):
                classifier = LogisticRegression(max_iter=1000)
            pipeline = make_pipeline(_table(data, encoder, StandardScaler()), classifier)
            yield _configuration(None, encoder, data, pipeline)
    for strategy in ("most_frequent", "constant"):
        for data in (NAN, NONE, CATEGORY, PENGUINS):
            gap = None if data == NONE else float("nan")
            imputer = SimpleImputer(strategy=strategy, missing_values=gap)
            encoder = make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"))
            pipeline = make_pipeline(_table(data, encoder, StandardScaler()), BernoulliNB())
            yield _configuration(None, imputer, data, pipeline)


def _vectorizers() -> Iterator[Configuration]:
    for vectorizer in transformers.variants_of_text():
        for data in (REVIEWS, CARS):
            text = load(data).text
            alone = ColumnTransformer([("text", vectorizer, text)])
            bayes = BernoulliNB() if _is_signed(vectorizer) else MultinomialNB()
            yield _configuration(None, vectorizer, data, make_pipeline(alone, bayes))
            numbers = make_pipeline(SimpleImputer(), StandardScaler())
            both = ColumnTransformer(
                [("text", vectorizer, text), ("numbers", numbers, load(data).numbers)]
            )
            classifier = make_pipeline(both, LogisticRegression(max_iter=1000))
            yield _configuration(None, vectorizer, data, classifier)


def _native_categories() -> Iterator[Configuration]:
    boosting = HistGradientBoostingClassifier(max_iter=10, random_state=0)
    yield _configuration(boosting, None, CATEGORY, boosting)
    for data in (NAN, NONE, PENGUINS):
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
        table = ColumnTransformer(
            [("categories", encoder, load(data).categories)], remainder="passthrough"
        )
        count = len(load(data).categories)
        categorical = HistGradientBoostingClassifier(
            categorical_features=list(range(count)), max_iter=10, random_state=0
        )
        yield _configuration(categorical, None, data, make_pipeline(table, categorical))


def _nested() -> Iterator[Configuration]:
    """Yield meta-classifiers of whole pipelines, and columns chosen by type."""
    for data in (NAN, NONE, CATEGORY, PENGUINS):
        encoder = OneHotEncoder(handle_unknown="ignore")
        pipeline = make_pipeline(
            _table(data, encoder, StandardScaler()), LogisticRegression(max_iter=1000)
        )
        trees = make_pipeline(
            _table(data, encoder, StandardScaler()), RandomForestClassifier(8, random_state=0)
        )
        both = [("logistic", pipeline), ("trees", trees)]
        for classifier in (
            CalibratedClassifierCV(pipeline, cv=3),
            CalibratedClassifierCV(trees, method="isotonic", cv=3),
            VotingClassifier(both, voting="soft"),
            StackingClassifier(both, LogisticRegression(), cv=3),
            BaggingClassifier(_by_position(data), 3, random_state=0),
            GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1.0]}, cv=3),
            OneVsRestClassifier(pipeline),
        ):
            yield _configuration(classifier, None, data, classifier)
        numbers = make_pipeline(SimpleImputer(), StandardScaler())
        by_type = ColumnTransformer(
            [
                ("numbers", numbers, make_column_selector(dtype_include="number")),
                ("others", encoder, make_column_selector(dtype_exclude="number")),
            ]
        )
        yield _configuration(None, by_type, data, make_pipeline(by_type, LogisticRegression()))


def _table(data: str, encoder: Any, scaler: Any) -> ColumnTransformer:
    """Return the usual transformer of a mixed table, with the imputer that its numbers need."""
    table = load(data)
    numbers = make_pipeline(SimpleImputer(strategy="median"), scaler)
    return ColumnTransformer(
        [("numbers", numbers, table.numbers), ("categories", encoder, table.categories)]
    )


def _by_position(data: str) -> Pipeline:
    """Return a pipeline that selects columns by position, for those that pass on a matrix."""
    table = load(data)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer(
        [
            ("numbers", numbers, [table.X.columns.get_loc(name) for name in table.numbers]),
            ("categories", encoder, [table.X.columns.get_loc(name) for name in table.categories]),
        ]
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def _configuration(classifier: Any, transformer: Any, data: str, estimator: Any) -> Configuration:
    shown = _show(estimator)
    return Configuration(
        f"{shown} on {data}",
        type(classifier).__name__ if classifier is not None else "",
        type(transformer).__name__ if transformer is not None else "",
        data,
        estimator,
    )


def _show(estimator: Any) -> str:
    """Return an estimator on one line, with the parameters that are not default."""
    if isinstance(estimator, Pipeline):
        return " > ".join(_show(step) for _, step in estimator.steps)
    if isinstance(estimator, ColumnTransformer):
        parts = [_show(part) for _, part, _ in estimator.transformers]
        return f"columns({' | '.join(parts)})"
    if isinstance(estimator, str):
        return estimator
    parameters = estimator.get_params(deep=False)
    if isinstance(parameters.get("estimator"), Pipeline):
        return f"{_show_alone(estimator, 'estimator')} of {_show(parameters['estimator'])}"
    members = parameters.get("estimators") or [("", None)]
    if isinstance(members[0][1], Pipeline):
        shown = " | ".join(_show(member) for _, member in members)
        return f"{_show_alone(estimator, 'estimators')} of {shown}"
    return _show_alone(estimator)


def _show_alone(estimator: Any, *without: str) -> str:
    """Return an estimator's repr on one line, without some parameters."""
    parameters = estimator.get_params(deep=False) | dict.fromkeys(without)
    with np.printoptions(threshold=4, edgeitems=1):
        shown = " ".join(repr(type(estimator)(**parameters)).split())
    for name in without:
        shown = shown.replace(f"{name}=None, ", "").replace(f"{name}=None", "").replace(", )", ")")
    return shown


def _suitable(classifier: Any, kinds: tuple[str, ...], binary: str) -> tuple[str, ...]:
    """Return kinds of data with as many classes as a classifier takes."""
    return kinds if type(classifier).__name__ not in classifiers.BINARY else (binary,)


def _takes_gaps(classifier: Any) -> bool:
    return bool(classifier.__sklearn_tags__().input_tags.allow_nan)


def _is_signed(vectorizer: Any) -> bool:
    return bool(getattr(vectorizer, "alternate_sign", False))
