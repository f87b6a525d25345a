"""The signature of a model: its features and classes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Literal, cast, get_args

from chalicelib.named_tuple import NamedTuple

# Below float64's 1.8e308, to leave room for the model's arithmetic.
LARGEST_NUMBER = 1e300

Kind = Literal["numeric", "integer", "boolean", "categorical"]


class Feature(NamedTuple):
    """One feature of a sample.

    Parameters
    ----------
    name : str
    kind : {"numeric", "integer", "boolean", "categorical"}
        Type of the value: number, whole number, boolean or text.
    required : bool
        False if the estimator accepts a missing value.
    categories : frozenset of str or float, optional
        The only values that the estimator accepts; None if it accepts others.
    missing_is_none : bool
        True if a missing value is None, not NaN, in the data that the estimator was fitted on.
    listed_categories : tuple of str or float
        The categories that clients are told; the others are rare or private.
    minimum, maximum : float, optional
        The range in the training data; None if it is not told.
    is_private : bool
        True if nothing is told of the values in the training data.
    """

    name: str
    kind: Kind
    required: bool
    categories: frozenset[str | float] | None = None
    missing_is_none: bool = False
    listed_categories: tuple[str | float, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    is_private: bool = False

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Feature:
        """Parse an item of the manifest's ``signature.features``.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a field is missing or invalid.
        """
        if document["kind"] not in get_args(Kind):
            raise ValueError(f"unknown feature kind {document['kind']!r}")
        is_closed = document.get("unknown_categories") == "rejected"
        listed = tuple(document["categories"]) if is_closed else ()
        unlisted = document.get("unlisted_categories", ())
        return cls(
            name=str(document["name"]),
            kind=cast(Kind, document["kind"]),
            required=bool(document["required"]),
            categories=frozenset((*listed, *unlisted)) if is_closed else None,
            missing_is_none=document.get("missing") == "none",
            listed_categories=listed,
            minimum=document.get("min"),
            maximum=document.get("max"),
            is_private=bool(document.get("private")),
        )


class Signature:
    """The inputs and outputs of a model.

    Parameters
    ----------
    features : tuple of Feature
        In the order of the model's inputs.
    classes : tuple of str
        In the order of the model's probabilities.
    has_probabilities : bool, default=True
    allows_nan : bool, default=False
        True if scikit-learn itself returns NaN probabilities for some samples.
    largest_number : float, optional
        The largest absolute value that the model accepts.
    unused_columns : tuple of int, default=()
        Indices, among the columns that the estimator was fitted on, of those that it drops. They
        are not features.
    is_text_sequence : bool, default=False
        True if the estimator takes a sequence of texts, shape (samples,), not a matrix.
    """

    def __init__(
        self,
        features: tuple[Feature, ...],
        classes: tuple[str, ...],
        has_probabilities: bool = True,
        allows_nan: bool = False,
        largest_number: float = LARGEST_NUMBER,
        unused_columns: tuple[int, ...] = (),
        is_text_sequence: bool = False,
    ) -> None:
        self.features = features
        self.classes = classes
        self.has_probabilities = has_probabilities
        self.allows_nan = allows_nan
        self.largest_number = largest_number
        self.unused_columns = unused_columns
        self.is_text_sequence = is_text_sequence

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Signature:
        """Parse the manifest's ``signature``.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a field is missing or invalid.
        """
        return cls(
            features=tuple(Feature.from_document(feature) for feature in document["features"]),
            classes=tuple(str(label) for label in document["classes"]),
            has_probabilities=bool(document["probabilities"]),
            allows_nan=bool(document["nan_probabilities"]),
            largest_number=float(document["largest_number"]),
            unused_columns=tuple(document.get("unused_columns", ())),
            is_text_sequence=bool(document.get("text_sequence", False)),
        )

    @functools.cached_property
    def width(self) -> int:
        """Cells of a sample, to bound a request: its features, and its probabilities."""
        return len(self.features) + len(self.classes)

    @functools.cached_property
    def longest_class(self) -> int:
        """Characters of the longest class."""
        return max(map(len, self.classes), default=0)

    @functools.cached_property
    def names(self) -> list[str]:
        """Feature names, in order."""
        return [feature.name for feature in self.features]

    @functools.cached_property
    def get_values(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
        """A function that returns the values of a sample in the order of the features."""
        if len(self.names) > 1:
            return itemgetter(*self.names)
        (name,) = self.names
        return lambda sample: (sample[name],)

    @functools.cached_property
    def known_names(self) -> frozenset[str]:
        """Feature names, for lookup."""
        return frozenset(self.names)

    @functools.cached_property
    def ranges(self) -> list[tuple[int, float, float, str]]:
        """Of each feature with a range: its column among the numbers, the range and its name."""
        features = [self.features[index] for index in self.number_indices]
        return [
            (column, feature.minimum, feature.maximum, feature.name)
            for column, feature in enumerate(features)
            if feature.minimum is not None and feature.maximum is not None
        ]

    @functools.cached_property
    def has_required(self) -> bool:
        """True if a sample must have a value for some feature."""
        return any(feature.required for feature in self.features)

    @functools.cached_property
    def number_indices(self) -> list[int]:
        """Indices of the features that are not text."""
        return [i for i, feature in enumerate(self.features) if feature.kind != "categorical"]

    @functools.cached_property
    def text_indices(self) -> list[int]:
        """Indices of the features that are text."""
        return [i for i, feature in enumerate(self.features) if feature.kind == "categorical"]

    @functools.cached_property
    def takes_only_numeric(self) -> bool:
        """True if every feature is numeric."""
        return all(feature.kind == "numeric" for feature in self.features)

    @functools.cached_property
    def is_unconstrained(self) -> bool:
        """True if every feature is numeric and none has categories."""
        return self.takes_only_numeric and all(f.categories is None for f in self.features)
