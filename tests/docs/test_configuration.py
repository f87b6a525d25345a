"""docs/configuration.md names the settings and stages of the code, and no others."""

from __future__ import annotations

import json
import re

from chalicelib.settings import LogSettings, Settings
from tests.support.pages import DOCS, keys, rows, section, spans
from tests.support.paths import APP
from tests.support.source import texts

CONFIG = json.loads((APP / ".chalice/config.json").read_text())
CONFIGURATION = DOCS / "configuration.md"
VARIABLE = re.compile(r"(MODEL|CORS|AWS|LOG|DRIFT)_[A-Z0-9_]+|PAGE|METRICS|DRIFT|BULK(_[A-Z_]+)?")


def test_every_variable_that_serving_reads_is_on_the_page() -> None:
    """And no other one."""
    read = {text for text in texts(APP) if VARIABLE.fullmatch(text)}
    assert set(keys(section(CONFIGURATION, "Variables"))) == read


def test_the_defaults_on_the_page_are_those_of_the_settings() -> None:
    """`none` stands for what is not set."""
    settings = Settings.from_environ({"MODEL_URL": "file:///"})._asdict()
    settings["signing_key"] = settings.pop("signing_secrets")
    log = LogSettings()._asdict()
    fields = {f"LOG_{name.upper()}": value for name, value in log.items()}
    fields |= {f"MODEL_{name.upper()}": value for name, value in settings.items()}
    settings |= {name: log[name] for name in ("metrics", "drift", "drift_seconds", "drift_rows")}
    fields |= {name.upper(): value for name, value in settings.items()}
    checked = 0
    for cells in rows(section(CONFIGURATION, "Variables")):
        [variable, *_] = spans(cells[0])
        if variable in fields and variable != "MODEL_URL":
            assert cells[1] == written(fields[variable])
            checked += 1
    # But for the URL and Lambda's own variable.
    assert checked == len(Settings._fields) - 2 + len(LogSettings._fields)


def written(default: object) -> str:
    """Return a default as the page writes it."""
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default:g}" if isinstance(default, float) else str(default or "none")


def test_every_stage_is_on_the_page_with_its_values() -> None:
    """The stages and the keys that all share, of `.chalice/config.json`."""
    text = section(CONFIGURATION, "Stages")
    shared = {
        key for key in CONFIG if key.startswith(("lambda_", "api_")) and key != "lambda_functions"
    }
    assert set(keys(text)) == set(CONFIG["stages"]) | shared
    for cells in rows(text):
        [key] = spans(cells[0])
        if key in shared:
            assert cells[1] == str(CONFIG[key])
        else:
            variables = CONFIG["stages"][key].get("environment_variables", {})
            assert cells[2] == variables.get("MODEL_REFRESH_SECONDS", "the default")
