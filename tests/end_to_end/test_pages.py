"""The commands and the Python of every page run, and print what the page says."""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.support.pages import PAGES, Command, blocks, commands, is_not_run, name
from tests.support.paths import ROOT
from tests.support.processes import Server, StartServer, environment_outside_make
from training.__main__ import main as run_training

ADDRESS = "127.0.0.1:8000"
SERVE = "make serve"
TRAINING = re.compile(r"((?:[A-Z_]+=\S+ )*)\.venv/bin/python -m training ")
STATE = ("dist", ".model-store")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
RUN = [
    page
    for page in PAGES
    if any(b.language in ("console", "python") and not is_not_run(b) for b in blocks(page))
]


def make_checkout(folder: Path) -> None:
    """Link the repository into a folder, with a copy of the model that `make serve` published."""
    for path in ROOT.iterdir():
        if path.name not in (*STATE, ".git", "build"):
            (folder / path.name).symlink_to(path)
    shutil.copytree(ROOT / ".model-store", folder / ".model-store")
    (folder / "dist").mkdir()
    shutil.copy2(ROOT / "dist/wine.onnx", folder / "dist")
    (folder / "dist/.wheels").symlink_to(ROOT / "dist/.wheels")


class Reader:
    """Follows a page: runs one block after another, in one folder and one Python namespace."""

    def __init__(self, folder: Path, server: Server, start_server: StartServer) -> None:
        self._folder = folder
        self._server = server
        self._start_server = start_server
        self._log: Path | None = None  # which the server writes
        self._namespace: dict[str, Any] = {"__name__": "__page__"}

    def run_python(self, source: str) -> None:
        """Run a block of Python."""
        exec(compile(self._with_port(source), "page", "exec"), self._namespace)

    def run_command(self, command: Command) -> str:
        """Run a command and return its output."""
        line = command.line.replace("\\\n", " ")
        if line.startswith(SERVE):
            return self._serve(line.removeprefix(SERVE).split())
        training = TRAINING.match(line)
        if training:
            variables = dict(word.split("=", 1) for word in training[1].split())
            return self._train(shlex.split(line[training.end() :]), variables)
        line = re.sub(r"(^|\| )curl ", r"\1curl --silent --show-error ", self._with_port(line))
        result = subprocess.run(
            line,
            shell=True,
            cwd=self._folder,
            env=environment_outside_make(),
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, f"{line}\n{result.stderr}"
        return result.stdout

    def _with_port(self, text: str) -> str:
        return text.replace(ADDRESS, f"127.0.0.1:{self._server.port}")

    def _serve(self, arguments: list[str]) -> str:
        """Start a server for the rest of the page; without arguments, the one of all pages."""
        if ">" in arguments:
            *arguments, _, log = arguments
            self._log = self._folder / log
        if arguments:
            self._server = self._start_server("-C", str(self._folder), *arguments)
        return self._server.printed

    def _train(self, arguments: list[str], variables: dict[str, str]) -> str:
        """Run the command line in this process, which has imported scikit-learn already."""
        if self._log:
            self._server.wait_for('"DriftIndex"')
            self._log.write_text(self._server.printed)
        printed = io.StringIO()
        with patch.dict(os.environ, variables), contextlib.redirect_stdout(printed):
            assert run_training(arguments) == 0
        return printed.getvalue()


@pytest.mark.usefixtures("package")  # which has downloaded the wheels of all packages
@pytest.mark.parametrize("page", RUN, ids=name)
def test_the_blocks_of_a_page_run_and_print_what_it_says(
    page: Path,
    server: Server,
    start_server: StartServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From its first to its last; `...` stands for anything, and white space does not count."""
    make_checkout(tmp_path)
    reader = Reader(tmp_path, server, start_server)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        if block.language == "python" and not is_not_run(block):
            reader.run_python(block.text)
        if block.language == "console":
            for command in commands(block):
                printed = reader.run_command(command)
                # Blocks that show no output promise none.
                if command.output.strip():
                    assert doctest.OutputChecker().check_output(command.output, printed, FLAGS), (
                        f"{command.line}\n{printed}"
                    )


def test_every_page_that_shows_commands_is_run() -> None:
    """Among them the README, with each language."""
    languages = {block.language for page in RUN for block in blocks(page)}
    assert {"console", "python"} <= languages
    assert ROOT / "README.md" in RUN


def test_an_output_that_is_not_printed_is_noticed() -> None:
    """Else the comparison above could not fail."""
    check = doctest.OutputChecker().check_output
    assert check('{"prediction":...}\n', '{"prediction":"1"}', FLAGS)
    assert not check('{"prediction":"1"}\n', '{"prediction":"2"}', FLAGS)
