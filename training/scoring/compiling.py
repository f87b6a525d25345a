"""Compile the trees of a model while ONNX Runtime scores the first rows.

numba takes about as long to import as to load what it has compiled, a third of a second each, and
one or two seconds to compile the first time on a machine.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.scoring.tree_session import TreeSession

LOG = logging.getLogger(__name__)

# Below, ONNX Runtime is done before numba is imported: the bytes of a table, and these times the
# bytes of the model, which has as many as its trees have nodes.
_MIN_TABLE_BYTES = 4_000_000
_MIN_WORK = 1e12


def compile_trees(artifact: bytes, table_bytes: int) -> Future[TreeSession | None] | None:
    """Begin to compile the trees of a model, if it has some and a large table is scored."""
    is_large = table_bytes >= _MIN_TABLE_BYTES and table_bytes * len(artifact) >= _MIN_WORK
    if not is_large or b"TreeEnsemble" not in artifact:
        return None
    pool = ThreadPoolExecutor(max_workers=1)
    compiling = pool.submit(_open, artifact)
    pool.shutdown(wait=False)
    return compiling


def _open(artifact: bytes) -> TreeSession | None:
    try:
        from training.scoring.tree_session import TreeSession, UnknownForm
    except ModuleNotFoundError as error:
        LOG.info("Trees are not compiled: there is no %s.", error.name)
        return None
    try:
        return TreeSession(artifact)
    except UnknownForm:
        return None
    except Exception as error:  # of LLVM, on some machine
        LOG.warning("Trees could not be compiled: %r.", error)
        return None
