"""The SAM template: what Chalice writes, and what `.chalice/` has to be merged into it."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from chalice.package import TemplateDeepMerger

from deployment.chalice_project import Project

EVERY_STAGE = "sam.json"
WITH_API_KEY = "sam-api-key.json"

# What Chalice calls a statement of the policy that it writes: another name each time.
_RANDOM_NAME = re.compile(r',\s*"Sid": "[0-9a-f]{32}"')


def write_template(project: Project, stage: str, api_key: bool, destination: Path) -> None:
    """Let Chalice write the SAM template, with what belongs to every stage and to this one.

    Parameters
    ----------
    project : Project
        What is packaged.
    stage : str
        The Chalice stage.
    api_key : bool
        Whether every request has to bring an API key.
    destination : Path
        The file to make. The package has to lie next to it.

    Raises
    ------
    PackagingError
        If Chalice fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        merged = Path(scratch, "merged.json")
        parts = what_is_merged(project.folder / ".chalice", stage, api_key)
        merged.write_text(json.dumps(parts))
        project.run_chalice("package", "--merge-template", str(merged), scratch)
        template = Path(scratch, "sam.json").read_text()
        destination.write_text(_RANDOM_NAME.sub("", template))


def what_is_merged(folder: Path, stage: str, api_key: bool = False) -> dict[str, Any]:
    """Read what is merged into the template: `sam.json`, and the other files that apply over it.

    Parameters
    ----------
    folder : Path
        The project's ``.chalice``. Each file may be missing.
    stage : str
        The Chalice stage.
    api_key : bool, default=False
        Whether every request has to bring an API key.

    Returns
    -------
    dict
    """
    merged: dict[str, Any] = {}
    names = [EVERY_STAGE, f"sam-{stage}.json", *([WITH_API_KEY] if api_key else [])]
    for name in names:
        if (folder / name).exists():
            part = json.loads((folder / name).read_text())
            merged = TemplateDeepMerger().merge(part, merged)
    return merged
