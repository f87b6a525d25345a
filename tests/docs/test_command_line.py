"""docs/cli.md names the commands, options, targets and variables of the code, and no others."""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.pages import DOCS, PAGES, blocks, keys, rows, section, spans
from tests.support.paths import ROOT
from training.publish import publish

CLI = DOCS / "cli.md"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
MAKE = re.compile(r"(?:^|`|\$ )make ((?:[a-z-]+ ?)+)", re.MULTILINE)
TRAINING = re.compile(r"python -m training (\w+)(.*)")


class Parsed(Exception):
    """The parser of a command, at the moment when it would parse."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


@pytest.fixture
def parser_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], argparse.ArgumentParser]:
    """Return the parser that `python -m` a package builds."""

    def stop(parser: argparse.ArgumentParser, *arguments: object) -> None:
        raise Parsed(parser)

    def find(package: str) -> argparse.ArgumentParser:
        main = importlib.import_module(f"{package}.__main__").main
        with monkeypatch.context() as patch:
            patch.delenv("MODEL_URL", raising=False)
            patch.setattr(argparse.ArgumentParser, "parse_args", stop)
            with pytest.raises(Parsed) as caught:
                main()
        return caught.value.parser

    return find


ParserOf = Callable[[str], argparse.ArgumentParser]


def options(parser: argparse.ArgumentParser) -> set[str]:
    """Return the long options of a parser, without `--help`."""
    return {
        option
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }


def subcommands(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Return the choices of a parser's positional argument."""
    [action] = [action for action in parser._actions if not action.option_strings]
    assert action.choices is not None
    choices: Any = action.choices
    return dict(choices) if isinstance(choices, dict) else dict.fromkeys(choices)


def test_every_command_of_training_is_on_the_page(parser_of: ParserOf) -> None:
    """With its options and its positional argument, and no others."""
    commands = subcommands(parser_of("training"))
    documented = re.findall(r"^### python -m training (\S+)$", CLI.read_text(), re.MULTILINE)
    assert set(documented) == set(commands)
    for command, parser in commands.items():
        text = section(CLI, f"python -m training {command}")
        tables = {span for span in keys(text) if span.startswith("--")}
        assert tables == options(parser), command
        assert set(OPTION.findall(text)) <= options(parser), command
        for action in parser._actions:
            if not action.option_strings:
                assert f"`{(action.metavar or action.dest).upper()}`" in text, command


@pytest.mark.parametrize("package", ["deployment", "benchmarks"])
def test_every_option_of_a_package_is_on_the_page(parser_of: ParserOf, package: str) -> None:
    """And no others."""
    parser = parser_of(package)
    text = section(CLI, f"python -m {package}")
    assert {span for span in keys(text) if span.startswith("--")} == options(parser)
    if any(not action.option_strings for action in parser._actions):
        for command in subcommands(parser):
            assert f"python -m {package} {command}`" in text


def test_the_defaults_of_options_on_the_page_are_those_of_the_parser(parser_of: ParserOf) -> None:
    """Where a default is a number or a word."""
    parsers = {
        f"python -m training {name}": parser
        for name, parser in subcommands(parser_of("training")).items()
    }
    parsers |= {f"python -m {name}": parser_of(name) for name in ("deployment", "benchmarks")}
    checked = 0
    for heading, parser in parsers.items():
        for cells in rows(section(CLI, heading)):
            [option, *_] = spans(cells[0])
            default = parser.get_default(option.strip("-").replace("-", "_"))
            if isinstance(default, int | str) and not isinstance(default, bool):
                assert cells[1] == str(default), f"{heading} {option}"
                checked += 1
    assert checked


def test_every_training_command_on_any_page_has_the_options_of_its_parser(
    parser_of: ParserOf,
) -> None:
    """Those that are not run as well."""
    commands = subcommands(parser_of("training"))
    checked = 0
    for page in PAGES:
        for block in blocks(page):
            for command, rest in TRAINING.findall(block.text):
                assert set(OPTION.findall(rest)) <= options(commands[command]), rest
                checked += 1
    assert checked > 5


def make_help() -> dict[str, str]:
    """Return the targets that `make help` lists, with their help."""
    makefile = (ROOT / "Makefile").read_text()
    return dict(re.findall(r"^([a-z-]+):.*## (.*)$", makefile, re.MULTILINE))


def test_every_target_of_make_is_on_the_page() -> None:
    """And no other one."""
    documented = {span.removeprefix("make ") for span in keys(section(CLI, "make")) if " " in span}
    assert documented == set(make_help())


def test_every_variable_of_make_is_on_the_page() -> None:
    """Those that `make help` mentions; each one on the page is read by the Makefile."""
    documented = {span for span in keys(section(CLI, "make")) if span.isupper()}
    mentioned = {
        name for text in make_help().values() for name in re.findall(r"\b([A-Z_]+)=", text)
    }
    read = set(re.findall(r"\$\([a-z ]*(?:\$\()?([A-Z_]+)", (ROOT / "Makefile").read_text()))
    assert mentioned <= documented <= read


def test_every_target_of_make_on_any_page_exists() -> None:
    """In code spans and in blocks."""
    targets = set(make_help())
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]:
        for words in re.findall(
            r"(?:^|`|\$ )make ((?:[a-z-]+ ?)+)", page.read_text(), re.MULTILINE
        ):
            assert set(words.split()) <= targets, f"{page.name}: make {words}"


def test_every_argument_of_publish_is_on_the_page() -> None:
    """Those after the estimator and its data."""
    text = section(DOCS / "how-to/your-own-model.md", "From Python")
    arguments = [
        name
        for name, parameter in inspect.signature(publish).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    assert keys(text) == arguments
