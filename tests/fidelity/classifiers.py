"""Classifiers: all of scikit-learn's, and the important ones with other parameters."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

BINARY = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")  # of two classes only
SEVERAL_OUTPUTS = ("ClassifierChain", "MultiOutputClassifier")
_META = (
    "BaggingClassifier",
    "CalibratedClassifierCV",
    "FixedThresholdClassifier",
    "OneVsOneClassifier",
    "OneVsRestClassifier",
    "OutputCodeClassifier",
    "SelfTrainingClassifier",
    "TunedThresholdClassifierCV",
)
_OF_SEVERAL = ("StackingClassifier", "VotingClassifier")
_PARAMETERS: dict[str, dict[str, Any]] = {
    "AdaBoostClassifier": {"n_estimators": 10},
    "ExtraTreesClassifier": {"n_estimators": 20},
    "GradientBoostingClassifier": {"n_estimators": 10},
    "HistGradientBoostingClassifier": {"max_iter": 10},
    "LinearSVC": {"max_iter": 5000},
    "LogisticRegression": {"max_iter": 1000},
    "LogisticRegressionCV": {"max_iter": 500, "cv": 2, "Cs": 3},
    "MLPClassifier": {"max_iter": 50, "hidden_layer_sizes": (10,)},
    "RadiusNeighborsClassifier": {"radius": 1000, "outlier_label": "most_frequent"},
    "RandomForestClassifier": {"n_estimators": 20},
}


@functools.cache
def _every() -> dict[str, Any]:
    return dict(all_estimators("classifier"))


def unfitted(name: str) -> Any:
    """Return a classifier by name, small, or raise if it cannot be made without arguments."""
    classifier = _every()[name]
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    logistic = LogisticRegression(max_iter=1000)
    parameters = dict(_PARAMETERS.get(name, {}))
    if name in _META:
        estimator = classifier(logistic)
    elif name in _OF_SEVERAL:
        estimator = classifier([("logistic", logistic), ("tree", tree)])
    else:
        estimator = classifier()
    if "random_state" in estimator.get_params(deep=False):
        parameters["random_state"] = 0
    return estimator.set_params(**parameters)


def names() -> list[str]:
    """Return the names of scikit-learn's classifiers with one output."""
    return [name for name in _every() if name not in SEVERAL_OUTPUTS]


def variants() -> Iterator[Any]:
    """Yield the important classifiers with other parameters than by default."""
    logistic, tree = LogisticRegression(max_iter=1000), DecisionTreeClassifier(random_state=0)
    bayes = GaussianNB()
    yield LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
    yield LogisticRegression(fit_intercept=False, max_iter=1000)
    yield LogisticRegression(solver="saga", l1_ratio=0.5, max_iter=500, random_state=0)
    yield RidgeClassifier(class_weight="balanced")
    for loss in ("log_loss", "modified_huber", "perceptron"):
        yield SGDClassifier(loss=loss, random_state=0)
    yield LinearSVC(C=0.01, random_state=0)
    for kernel in ("linear", "poly", "sigmoid"):
        yield SVC(kernel=kernel, gamma="scale")
    yield SVC(decision_function_shape="ovo", random_state=0)
    yield SVC(break_ties=True, C=10)
    yield SVC(probability=True, random_state=0)
    yield NuSVC(nu=0.2, probability=True, random_state=0)
    yield NuSVC(nu=0.2, kernel="linear")
    yield MLPClassifier((8, 5), activation="tanh", max_iter=50, random_state=0)
    yield MLPClassifier((8,), activation="logistic", max_iter=50, random_state=0)
    yield DecisionTreeClassifier(max_depth=3, class_weight="balanced", random_state=0)
    yield DecisionTreeClassifier(criterion="entropy", min_samples_leaf=5, random_state=0)
    yield RandomForestClassifier(15, max_features=None, bootstrap=False, random_state=0)
    yield RandomForestClassifier(15, class_weight="balanced_subsample", random_state=0)
    yield ExtraTreesClassifier(15, bootstrap=True, random_state=0)
    yield GradientBoostingClassifier(n_estimators=8, init="zero", subsample=0.7, random_state=0)
    yield GradientBoostingClassifier(n_estimators=8, init=bayes, random_state=0)
    yield HistGradientBoostingClassifier(max_iter=8, max_depth=2, random_state=0)
    yield AdaBoostClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=8, random_state=0)
    yield AdaBoostClassifier(logistic, n_estimators=5, random_state=0)
    yield BaggingClassifier(tree, 5, max_features=0.5, random_state=0)
    yield BaggingClassifier(LinearSVC(), 5, random_state=0)
    yield KNeighborsClassifier(1)
    yield KNeighborsClassifier(4, weights="distance")
    yield KNeighborsClassifier(6, p=1, algorithm="brute")
    yield KNeighborsClassifier(6, metric="cosine")
    yield KNeighborsClassifier(3, p=3, algorithm="ball_tree", leaf_size=10)
    yield KNeighborsClassifier(metric="chebyshev", weights="distance")
    yield RadiusNeighborsClassifier(30.0, p=1, outlier_label="most_frequent")
    yield NearestCentroid(metric="manhattan")
    yield NearestCentroid(shrink_threshold=0.2)
    yield BernoulliNB(binarize=2.0)
    yield GaussianNB(var_smoothing=1e-3)
    yield ComplementNB(norm=True)
    yield MultinomialNB(alpha=0.1, fit_prior=False)
    yield LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    yield LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.3)
    yield QuadraticDiscriminantAnalysis(reg_param=0.5)
    yield CalibratedClassifierCV(LinearSVC(), cv=3)
    yield CalibratedClassifierCV(tree, method="isotonic", cv=3)
    yield CalibratedClassifierCV(KNeighborsClassifier(), method="isotonic", ensemble=False, cv=3)
    yield VotingClassifier([("l", logistic), ("b", bayes)], voting="soft", weights=[1, 2])
    yield StackingClassifier([("t", tree), ("b", bayes)], logistic, passthrough=True, cv=3)
    yield StackingClassifier([("s", LinearSVC()), ("b", bayes)], tree, cv=3)
    yield GridSearchCV(tree, {"max_depth": [2, 3]}, cv=3)
    yield RandomizedSearchCV(logistic, {"C": [0.1, 1.0]}, n_iter=2, cv=3, random_state=0)
    yield OneVsRestClassifier(SVC())
    yield OneVsRestClassifier(tree)
    yield OneVsOneClassifier(LinearSVC())
    yield OutputCodeClassifier(tree, random_state=0)
