"""The named tuples of the serving code, beside those of `typing`."""

from __future__ import annotations

import pickle
import typing

import pytest

from chalicelib import named_tuple


class Ours(named_tuple.NamedTuple):
    """A point."""

    x: int
    y: float = 0.5

    @property
    def total(self) -> float:
        """The sum."""
        return self.x + self.y

    @classmethod
    def from_text(cls, text: str) -> Ours:
        """Parse a point."""
        return cls(int(text))

    def __repr__(self) -> str:
        return f"<{self.x}>"


class Theirs(typing.NamedTuple):
    """A point."""

    x: int
    y: float = 0.5


def test_is_made_as_typing_makes_it() -> None:
    """Fields, defaults, types and bases are those of `typing.NamedTuple`."""
    for name in ("_fields", "_field_defaults", "__doc__", "__module__"):
        assert getattr(Ours, name) == getattr(Theirs, name)
    assert Ours.__bases__ == Theirs.__bases__ == (tuple,)
    assert typing.get_type_hints(Ours) == typing.get_type_hints(Theirs)


def test_has_the_methods_of_its_class() -> None:
    """Properties, class methods and special methods are kept."""
    ours = Ours.from_text("2")
    assert ours == (2, 0.5)
    assert ours.total == 2.5
    assert repr(ours) == "<2>"
    assert ours._replace(y=1.0) == Ours(x=2, y=1.0)


def test_can_be_sent_to_another_process() -> None:
    """Pickle finds the class."""
    assert pickle.loads(pickle.dumps(Ours(1))) == Ours(1)


def test_requires_every_field_without_a_default() -> None:
    """A field without a value is an error."""
    with pytest.raises(TypeError, match="x"):
        Ours()  # type: ignore[call-arg]
