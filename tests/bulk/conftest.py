"""A stack on moto, and the function that scores files, in this process."""

from __future__ import annotations

import pytest

from tests.support.bulk import EventSource, Stack, make_function
from tests.support.models import WineModel


@pytest.fixture
def stack(s3_environment: dict[str, str], trained: WineModel) -> Stack:
    """A stack whose live model is that of the wines."""
    stack = Stack()
    stack.registry.publish(trained.built.artifact)
    return stack


@pytest.fixture
def source(stack: Stack) -> EventSource:
    """The function with the stack's queue, which splits files into small ranges."""
    return EventSource(stack, make_function(stack))
