"""The README's commands are run, and give what it says they give."""

from __future__ import annotations

import doctest
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.processes import Server, StartServer

CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)

README = (ROOT / "README.md").read_text()
EXAMPLES = [
    (match[1], match[2]) for block in CONSOLE.findall(README) for match in COMMAND.finditer(block)
]
RUN_BY_OTHERS = {"make serve": "the fixture `server`", "make test": "whoever runs this test"}


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Server:
    """What the README's first command starts."""
    return start_server()


@pytest.mark.parametrize(
    ("command", "expected"), [e for e in EXAMPLES if e[0] not in RUN_BY_OTHERS]
)
def test_an_example_gives_what_the_readme_says(server: Server, command: str, expected: str) -> None:
    """Word for word, but for what an ellipsis stands for."""
    command = command.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    command = re.sub(r"^curl ", "curl --silent --show-error ", command)
    got = subprocess.run(
        command, shell=True, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    if command.startswith("curl"):
        got += "\n"
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.OutputChecker().check_output(expected, got, flags), got


def test_the_readme_begins_with_the_two_commands_and_two_requests() -> None:
    """The first screen shows how it is started, an answer and an error."""
    commands = [command for command, _ in EXAMPLES]
    assert commands[:2] == list(RUN_BY_OTHERS)
    assert [command.split()[0] for command in commands[2:4]] == ["curl", "curl"]
    assert "error" in EXAMPLES[3][1]


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    """Files of this repository that are linked to exist."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_setting_is_documented() -> None:
    """Each variable that the app reads has a row."""
    settings = (ROOT / "wine-classifier/chalicelib/settings.py").read_text()
    for name in set(re.findall(r'"((?:MODEL|CORS)_[A-Z_]+)"', settings)):
        assert f"| `{name}` |" in README


def test_every_command_of_the_training_package_is_documented() -> None:
    """Those that `python -m training` lists."""
    cli = Path(ROOT / "training/__main__.py").read_text()
    for name in re.findall(r'add_parser\(\s*"([a-z]+)"', cli):
        assert re.search(rf"training {name}|`{name}`", README), name
