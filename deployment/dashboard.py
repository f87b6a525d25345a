"""The dashboard of a stack: `.chalice/dashboard.json`, as CloudWatch takes it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DASHBOARD = "dashboard.json"
DEFAULT_MODEL_NAME = "wine-classifier"  # of `app.py`, without MODEL_NAME


def fill_in(overlay: dict[str, Any], folder: Path, stage: str) -> dict[str, Any]:
    """Return the parts of a template with the dashboard, and the model's name in the metrics.

    Parameters
    ----------
    overlay : dict
        In which ``MODEL-NAME`` stands for the name, and a file's name for the dashboard's body.
    folder : Path
        The folder ``.chalice``.
    stage : str
        Its ``MODEL_NAME`` is the dimension of the metrics, its memory a part of the cost.
    """
    texts = _texts(folder, stage)
    filled: dict[str, Any] = json.loads(_replace(json.dumps(overlay), texts))
    dashboard = filled.get("Resources", {}).get("Dashboard")
    if dashboard is not None:
        body = json.loads(_replace((folder / DASHBOARD).read_text(), texts))
        compact = json.dumps(body, separators=(",", ":"))
        dashboard["Properties"]["DashboardBody"] = {"Fn::Sub": compact}
    return filled


def _texts(folder: Path, stage: str) -> dict[str, str]:
    """Return what replaces each placeholder."""
    config = json.loads((folder / "config.json").read_text())
    variables = config["stages"].get(stage, {}).get("environment_variables", {})
    return {
        "MODEL-NAME": variables.get("MODEL_NAME") or DEFAULT_MODEL_NAME,
        "MEMORY-MB": str(config["lambda_memory_size"]),
    }


def _replace(text: str, texts: dict[str, str]) -> str:
    for placeholder, value in texts.items():
        text = text.replace(placeholder, value)
    return text
