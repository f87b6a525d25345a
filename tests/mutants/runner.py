"""Try mutants in copies of the repository, each in a forked process."""

from __future__ import annotations

import compileall
import importlib
import os
import py_compile
import re
import selectors
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.mutants.sample import Mutant
from tests.mutants.targets import find_tests
from tests.support.paths import ROOT

TIMEOUT = 400  # seconds; until then no test noticed the mutant
TEST_TIMEOUT = 60  # seconds of one test, which then fails

# What the tests import, but the project's own packages.
_LIBRARIES = (
    *("boto3", "chalice.test", "moto.server", "numpy", "obstore", "onnx.parser", "onnxruntime"),
    *("pandas", "scipy.stats", "skl2onnx", "skops.io"),
    *("sklearn.ensemble", "sklearn.neural_network", "sklearn.svm", "sklearn.pipeline"),
)
_OWN = {"benchmarks", "chalicelib", "deployment", "tests", "training"}
_LEFT_OUT = (".git", ".tools", ".venv", ".model-store", "dist", "*cache*", ".hypothesis")
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class Result(NamedTuple):
    """Whether the tests noticed a mutant, and which one did; "" if it was none alone."""

    mutant: Mutant
    is_noticed: bool
    test: str = ""


class _Process(NamedTuple):
    pid: int
    copy: Path
    mutant: Mutant
    original: bytes  # the module without the mutant
    deadline: float


def make_copies(folder: Path, count: int) -> list[Path]:
    """Copy the repository, and compile it so that only changed modules are compiled again."""
    copies = [folder / str(number) for number in range(count)]
    for copy in copies:
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        for package in ("wine-classifier", "training", "tests/support"):
            mode = py_compile.PycInvalidationMode.CHECKED_HASH
            compileall.compile_dir(copy / package, quiet=2, invalidation_mode=mode)
    return copies


def import_libraries() -> None:
    """Import what the tests need, once, before this process is forked."""
    os.environ.update(_ENVIRONMENT)
    for name in _LIBRARIES:
        importlib.import_module(name)


def try_mutants(mutants: Sequence[Mutant], copies: list[Path], deadline: float) -> Iterator[Result]:
    """Yield the result of each mutant until a time of the monotonic clock, one per copy at once."""
    waiting = [*mutants][::-1]
    free, selector = [*copies], selectors.DefaultSelector()
    while waiting or selector.get_map():
        while free and waiting and time.monotonic() < deadline:
            process = _start(free.pop(), waiting.pop(), deadline)
            selector.register(os.pidfd_open(process.pid), selectors.EVENT_READ, process)
        running: list[_Process] = [key.data for key in selector.get_map().values()]
        if not running:
            return
        first = min(process.deadline for process in running)
        for key, _ in selector.select(max(0.0, first - time.monotonic())):
            selector.unregister(key.fd)
            os.close(key.fd)
            code = _end(key.data)
            free.append(key.data.copy)
            if key.data.deadline < deadline or code != -signal.SIGKILL:  # else it was stopped
                is_noticed = code not in (0, -signal.SIGKILL)
                yield Result(key.data.mutant, is_noticed, _find_failed(key.data.copy))
        for key in selector.get_map().values():
            if key.data.deadline <= time.monotonic():
                with suppress(ProcessLookupError):  # it has no group yet
                    os.killpg(key.data.pid, signal.SIGKILL)


def check_tests(tests: Iterable[str], copies: list[Path]) -> None:
    """Run tests without a mutant; raise `RuntimeError` if one fails."""
    ordered = sorted(set(tests))  # those of a file follow each other, and share its fixtures
    size = -(-len(ordered) // len(copies))
    parts = {copy: ordered[i * size : (i + 1) * size] for i, copy in enumerate(copies)}
    processes = {copy: _fork(copy, part) for copy, part in parts.items() if part}
    statuses = {copy: os.waitpid(pid, 0)[1] for copy, pid in processes.items()}
    for copy, status in statuses.items():
        if status:
            output = (copy / "output").read_text(errors="replace")
            raise RuntimeError(f"tests fail without a mutant:\n{output}")


def _find_failed(copy: Path) -> str:
    """Return the test that pytest says failed in a copy; "" if there is none."""
    output = (copy / "output").read_text(errors="replace")
    match = re.search(r"^(?:FAILED|ERROR) (tests/[\w/]+\.py(?:::\w+)*)", output, re.MULTILINE)
    return match[1] if match else ""


def _start(copy: Path, mutant: Mutant, deadline: float) -> _Process:
    original = (copy / mutant.path).read_bytes()
    (copy / mutant.path).write_text(mutant.source)
    pid = _fork(copy, find_tests(mutant.path))
    return _Process(pid, copy, mutant, original, min(deadline, time.monotonic() + TIMEOUT))


def _end(process: _Process) -> int:
    """Return the exit code of a process that ended, and undo its mutant."""
    _, status = os.waitpid(process.pid, 0)
    (process.copy / process.mutant.path).write_bytes(process.original)
    return os.waitstatus_to_exitcode(status)


def _fork(copy: Path, files: list[str]) -> int:
    """Run tests in a new process, a group of its own, and return its id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        output = os.open(copy / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(output, stream)
        code = _run_tests(copy, files)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run_tests(copy: Path, files: list[str]) -> int:
    """Run tests of a copy until one fails; return pytest's exit code."""
    os.chdir(copy)
    sys.dont_write_bytecode = True
    for name in list(sys.modules):
        if name.partition(".")[0] in _OWN:
            del sys.modules[name]
    sys.path[:] = [
        *(str(copy), str(copy / "wine-classifier")),
        *(
            path
            for path in sys.path
            if not path or not Path(path).is_relative_to(ROOT) or ".venv" in path
        ),
    ]
    options = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--hypothesis-seed", "0"]
    options += ["--tb", "line"]
    code = int(pytest.main([*options, "--timeout", str(TEST_TIMEOUT), *files]))
    import chalicelib

    if not Path(chalicelib.__file__ or "").is_relative_to(copy):
        raise RuntimeError("the tests did not import the copy")
    return code
