"""`typing.NamedTuple`, for classes that every cold start makes.

Python's own compiles the annotation of each field, to check that it could be a type.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    _OF_THE_CLASS_STATEMENT = ("__annotations__", "__module__", "__qualname__")

    class _Maker(type):
        def __new__(mcs, name, _bases, namespace):
            annotations = namespace.get("__annotations__", {})
            defaults = [namespace[field] for field in annotations if field in namespace]
            made = namedtuple(name, annotations, defaults=defaults, module=namespace["__module__"])
            made.__annotations__ = annotations
            for key, value in namespace.items():
                if key not in annotations and key not in _OF_THE_CLASS_STATEMENT:
                    setattr(made, key, value)
            return made

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})
