"""What a model takes and what it can answer."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast, get_args

Kind = Literal["numeric", "integer", "boolean", "categorical"]


class Feature(NamedTuple):
    """One feature of a sample.

    Parameters
    ----------
    name : str
        Its name.
    kind : {"numeric", "integer", "boolean", "categorical"}
        What its value is: a number, a whole number, true or false, or text.
    required : bool
        Whether the estimator needs a value; if not, it may be absent or null.
    categories : frozenset of str or float, optional
        The only values that the estimator takes; None if it takes others too.
    """

    name: str
    kind: Kind
    required: bool
    categories: frozenset[str | float] | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Feature:
        """Read a feature from the manifest's JSON.

        Parameters
        ----------
        document : mapping
            An item of the manifest's ``signature.features``.

        Returns
        -------
        Feature

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing or of another kind.
        """
        if document["kind"] not in get_args(Kind):
            raise ValueError(f"a feature of kind {document['kind']!r}")
        closed = document.get("unknown_categories") == "rejected"
        return cls(
            name=str(document["name"]),
            kind=cast(Kind, document["kind"]),
            required=bool(document["required"]),
            categories=frozenset(document["categories"]) if closed else None,
        )


class Signature:
    """What a model takes and what it can answer.

    Parameters
    ----------
    features : tuple of Feature
        In the order that the model takes them.
    classes : tuple of str
        In the order of the model's probabilities.
    has_probabilities : bool, default=True
        Whether the model gives probabilities.
    allows_nan : bool, default=False
        Whether scikit-learn itself gives NaN for the probabilities of some samples.
    """

    def __init__(
        self,
        features: tuple[Feature, ...],
        classes: tuple[str, ...],
        has_probabilities: bool = True,
        allows_nan: bool = False,
    ) -> None:
        self.features = features
        self.classes = classes
        self.has_probabilities = has_probabilities
        self.allows_nan = allows_nan

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Signature:
        """Read a signature from the manifest's JSON.

        Parameters
        ----------
        document : mapping
            The manifest's ``signature``.

        Returns
        -------
        Signature

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing or of another kind.
        """
        return cls(
            features=tuple(Feature.from_document(feature) for feature in document["features"]),
            classes=tuple(str(label) for label in document["classes"]),
            has_probabilities=bool(document["probabilities"]),
            allows_nan=bool(document["nan_probabilities"]),
        )

    @functools.cached_property
    def names(self) -> list[str]:
        """The features' names."""
        return [feature.name for feature in self.features]

    @functools.cached_property
    def known_names(self) -> frozenset[str]:
        """The features' names, to look one up."""
        return frozenset(self.names)

    @functools.cached_property
    def number_indices(self) -> list[int]:
        """The positions of the features whose values are numbers, in order."""
        return [i for i, feature in enumerate(self.features) if feature.kind != "categorical"]

    @functools.cached_property
    def text_indices(self) -> list[int]:
        """The positions of the features whose values are text, in order."""
        return [i for i, feature in enumerate(self.features) if feature.kind == "categorical"]

    @functools.cached_property
    def takes_only_numeric(self) -> bool:
        """Whether every feature is numeric."""
        return all(feature.kind == "numeric" for feature in self.features)

    @functools.cached_property
    def is_unconstrained(self) -> bool:
        """Whether every feature is numeric and none has categories."""
        return self.takes_only_numeric and all(f.categories is None for f in self.features)
