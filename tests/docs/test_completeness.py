"""The pages and the code name the same settings, routes, options, targets, alarms and events."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import StoreError
from chalicelib.rest.middleware import PREFLIGHT, not_found
from chalicelib.settings import Settings
from tests.support.app import App
from tests.support.pages import DOCS, PAGES, blocks, is_not_run, keys, prose, rows, section, spans
from tests.support.paths import APP, ROOT
from training.publish import publish

CONFIG = json.loads((APP / ".chalice/config.json").read_text())
PROD = json.loads((APP / ".chalice/sam-prod.json").read_text())
TEMPLATES = [json.loads(path.read_text()) for path in sorted((APP / ".chalice").glob("sam*.json"))]

CONFIGURATION = DOCS / "configuration.md"
HTTP_API = DOCS / "http-api.md"
CLI = DOCS / "cli.md"
CLIENTS = DOCS / "how-to/clients.md"
DEPLOY = DOCS / "how-to/deploy.md"
MONITOR = DOCS / "how-to/monitor.md"
TROUBLESHOOT = DOCS / "how-to/troubleshoot.md"

VARIABLE = re.compile(r"(MODEL|CORS|AWS)_[A-Z0-9_]+")
HEADER = re.compile(r"(X|Access-Control|Retry)-[A-Za-z-]+")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
MAKE = re.compile(r"(?:^|`|\$ )make ((?:[a-z-]+ ?)+)", re.MULTILINE)
TRAINING = re.compile(r"python -m training (\w+)(.*)")
ROUTE = re.compile(r"[A-Z]+ /\S*")


def trees(*folders: Path) -> Iterator[ast.Module]:
    """Parse every module in folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            yield ast.parse(path.read_text())


def texts(*folders: Path) -> set[str]:
    """Return the string constants of every module in folders."""
    return {
        node.value
        for tree in trees(*folders)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


# Configuration


def test_every_variable_that_serving_reads_is_on_the_page() -> None:
    """And no other one."""
    read = {text for text in texts(APP) if VARIABLE.fullmatch(text)}
    assert set(keys(section(CONFIGURATION, "Variables"))) == read


def test_the_defaults_on_the_page_are_those_of_the_settings() -> None:
    """`none` stands for what is not set."""
    settings = Settings.from_environ({"MODEL_URL": "file:///"})._asdict()
    fields = {f"MODEL_{name.upper()}": value for name, value in settings.items()}
    fields |= {name.upper(): value for name, value in settings.items()}
    checked = 0
    for cells in rows(section(CONFIGURATION, "Variables")):
        [variable, *_] = spans(cells[0])
        if variable in fields and variable != "MODEL_URL":
            default = fields[variable]
            assert cells[1] == (
                f"{default:g}" if isinstance(default, float) else str(default or "none")
            )
            checked += 1
    assert checked == len(Settings._fields) - 1


def test_every_stage_is_on_the_page_with_its_values() -> None:
    """The stages and the keys that all share, of `.chalice/config.json`."""
    text = section(CONFIGURATION, "Stages")
    shared = {key for key in CONFIG if key.startswith(("lambda_", "api_"))}
    assert set(keys(text)) == set(CONFIG["stages"]) | shared
    for cells in rows(text):
        [key] = spans(cells[0])
        if key in shared:
            assert cells[1] == str(CONFIG[key])
        else:
            variables = CONFIG["stages"][key].get("environment_variables", {})
            assert cells[2] == variables.get("MODEL_REFRESH_SECONDS", "the default")


# HTTP API


def test_every_route_is_on_the_page() -> None:
    """With its method; without preflights, and without the paths that get a 404."""
    served = {
        f"{method} {path}"
        for path, methods in App().module.app.routes.items()
        for method, entry in methods.items()
        if method != PREFLIGHT and entry.view_function is not not_found
    }
    page = prose(HTTP_API.read_text())
    assert {span for span in spans(page) if ROUTE.fullmatch(span)} == served


def test_every_status_is_on_the_page() -> None:
    """Those that `chalicelib/rest` and the stack name, and API Gateway's for a failed function."""
    named = {
        node.value
        for tree in trees(APP / "chalicelib/rest")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is int and 400 <= node.value < 600
    }
    gateway = {
        int(response["StatusCode"])
        for template in TEMPLATES
        for response in template["Resources"]["RestAPI"]["Properties"]
        .get("GatewayResponses", {})
        .values()
        if "StatusCode" in response
    }
    documented = {int(cells[0]) for cells in rows(section(HTTP_API, "Errors"))}
    assert documented == named | gateway | {502}


def test_every_header_of_a_response_is_on_the_page() -> None:
    """As the strings of `chalicelib` name them."""
    named = {match[0] for text in texts(APP) for match in HEADER.finditer(text)}
    assert named
    assert named <= set(spans(HTTP_API.read_text()))


# Command line


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


# Clients


def test_every_client_that_the_tests_run_is_on_the_page() -> None:
    """By the first of its requirements."""
    page = CLIENTS.read_text()
    for requirements in sorted((ROOT / "tests/clients").glob("*.txt")):
        package = requirements.read_text().partition("==")[0]
        assert f"needs the package `{package}`" in " ".join(page.lower().split()), package


def test_the_examples_for_clients_import_what_the_tests_of_the_clients_import() -> None:
    """They are not run, as each client has requirements of its own."""
    tested = {name for tree in trees(ROOT / "tests/clients") for name in imported_names(tree)}
    examples = [b.text for b in blocks(CLIENTS) if b.language == "python" and is_not_run(b)]
    assert len(examples) > 3
    for example in examples:
        assert imported_names(ast.parse(example)) <= tested


def imported_names(tree: ast.Module) -> set[str]:
    """Return the names that a module imports, with the modules that they come from."""
    imports = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    return imports | {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


# Deployment


def test_every_parameter_and_output_of_the_stack_is_on_the_page() -> None:
    """With the parameters' defaults."""
    cells_of = {spans(cells[0])[0]: cells for cells in rows(section(DEPLOY, "Parameters"))}
    defaults = {name: str(value["Default"] or "none") for name, value in PROD["Parameters"].items()}
    assert {name: cells[1] for name, cells in cells_of.items()} == defaults
    before_parameters = section(DEPLOY, "Stage prod").partition("### Parameters")[0]
    assert set(keys(before_parameters)) == set(PROD["Outputs"])


def test_every_alarm_is_on_the_page_with_what_to_do() -> None:
    """In the table of monitor.md; deploy.md names them and leads there."""
    alarms = {
        name
        for name, resource in PROD["Resources"].items()
        if resource.get("Type") == "AWS::CloudWatch::Alarm"
    }
    table = rows(section(MONITOR, "Alarms"))
    assert {spans(cells[0])[0] for cells in table} == alarms
    assert all(len(cells) == 3 and all(cells) for cells in table)
    listed = {span for span in spans(section(DEPLOY, "Alarms")) if span.endswith("Alarm")}
    assert listed == alarms


# The log


def test_every_event_is_on_the_page_with_its_fields() -> None:
    """As `log_event` is called anywhere in the function."""
    logged: dict[str, set[str]] = {}
    for tree in trees(APP):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "log_event":
                [event] = node.args
                assert isinstance(event, ast.Constant), "an event is named where it is logged"
                fields = {keyword.arg or "**" for keyword in node.keywords}
                logged.setdefault(str(event.value), set()).update(fields)
    documented = {
        spans(cells[0])[0]: set(spans(cells[1])) for cells in rows(section(MONITOR, "Log"))
    }
    assert documented == logged


def test_every_metric_of_the_log_is_on_the_page() -> None:
    """Those that filters make."""
    for resource in PROD["Resources"].values():
        for metric in resource["Properties"].get("MetricTransformations", []):
            assert f"`{metric['MetricName']}`" in section(MONITOR, "Alarms")


# Messages


def messages() -> list[str]:
    """Return the text of every string in the code; an expression in one becomes a NUL."""
    found = []
    for tree in trees(APP, ROOT / "training", ROOT / "deployment"):
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "\0" for p in node.values]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return [*found, (ROOT / "Makefile").read_text()]


MESSAGES = messages()


def is_printed(quoted: str) -> bool:
    """Check whether the parts of a quoted message stand in one string of the code, in order."""
    parts = [re.escape(part.strip()) for part in re.split(r"\.\.\.|'", quoted) if part.strip()]
    pattern = re.compile(".*".join(parts), re.DOTALL)
    return any(pattern.search(message) for message in MESSAGES)


@pytest.mark.parametrize("heading", ["make serve", "Publishing", "Deploying", "Reasons"])
def test_every_message_to_look_up_is_one_that_the_code_prints(heading: str) -> None:
    """`...` and quotes stand for what varies."""
    quoted = keys(section(TROUBLESHOOT, heading))
    assert quoted
    assert not [message for message in quoted if not is_printed(message)]


def test_a_message_that_the_code_does_not_print_is_noticed() -> None:
    """Else the test above could not fail."""
    assert not is_printed("There is no such thing as ...")


def test_every_reason_of_a_store_failure_is_on_the_page() -> None:
    """The first argument of each `StoreError`, and of its subclasses."""
    reasons = set()
    for tree in trees(APP):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == StoreError.__name__:
                reason = node.args[0]
                if isinstance(reason, ast.Constant):
                    reasons.add(str(reason.value))
    assert reasons
    assert reasons <= set(keys(section(TROUBLESHOOT, "Reasons")))
