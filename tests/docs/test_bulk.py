"""The guide to files in a bucket names the parameters and outputs that the stack adds."""

from __future__ import annotations

import json

from chalicelib.bulk.settings import BulkSettings
from tests.support.pages import DOCS, rows, section, spans
from tests.support.paths import APP

BULK = json.loads((APP / ".chalice/sam-bulk.json").read_text())
BATCH = DOCS / "how-to/batch.md"
CONFIGURATION = DOCS / "configuration.md"


def test_every_parameter_and_output_is_on_the_page() -> None:
    """With the parameters' defaults."""
    cells_of = {spans(c[0])[0]: c for c in rows(section(BATCH, "Files in a bucket"))}
    assert set(cells_of) == {*BULK["Parameters"], *BULK["Outputs"]}
    for name, parameter in BULK["Parameters"].items():
        assert cells_of[name][1] == str(parameter["Default"])


def test_the_defaults_of_the_variables_are_those_of_the_settings() -> None:
    """Those that the stack does not set."""
    settings = BulkSettings.from_environ({"BULK_QUEUE_URL": "https://sqs"})
    cells_of = {spans(c[0])[0]: c for c in rows(section(CONFIGURATION, "Variables"))}
    assert cells_of["BULK_RANGE_BYTES"][1] == str(settings.range_bytes)
    assert cells_of["BULK_PROBABILITIES"][1] == "on"
    assert settings.probabilities is True


def test_the_memory_and_the_time_of_the_function_are_on_the_page() -> None:
    """As in config.json."""
    config = json.loads((APP / ".chalice/config.json").read_text())
    score = config["lambda_functions"]["score"]
    text = section(CONFIGURATION, "Stages")
    assert f"`lambda_memory_size` of {score['lambda_memory_size']} MB" in text
    assert f"`lambda_timeout` of {score['lambda_timeout']} seconds" in text
