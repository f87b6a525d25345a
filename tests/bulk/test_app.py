"""The app declares the function that scores files only where BULK is yes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.paths import APP
from training.registry import ModelRegistry

PRINT = (
    "import sys, app; print(hasattr(app, 'score'), 'chalicelib.bulk' in sys.modules, "
    "'chalicelib.runtimes.onnx_session' in sys.modules)"
)


@pytest.mark.parametrize(
    ("bulk", "expected"),
    [("", "False False True"), ("no", "False False True"), ("yes", "True False False")],
)
def test_no_start_imports_what_scores_files(
    wine_store: ModelRegistry, bulk: str, expected: str
) -> None:
    """The API has no such view; the other function loads no model before a message names it."""
    variables = {"AWS_LAMBDA_FUNCTION_NAME": "wine", "MODEL_URL": wine_store.url, "BULK": bulk}
    process = subprocess.run(
        [sys.executable, "-c", PRINT],
        cwd=APP,
        env={**os.environ, **variables, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert process.stdout.splitlines()[-1:] == [expected], process.stderr
