"""The SAM template: Chalice's, merged with the parts in `.chalice/`."""

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

# The statements of the policy that Chalice writes have a random name; it is optional.
_RANDOM_NAME = re.compile(r',\s*"Sid": "[0-9a-f]{32}"')


def write_template(
    project: Project, stage: str, api_key: bool, destination: Path, *, unsigned: bool = False
) -> None:
    """Write the SAM template of a stage; the package has to be in the same folder."""
    with tempfile.TemporaryDirectory() as scratch:
        overlay = Path(scratch, "overlay.json")
        parts = read_overlay(project.folder / ".chalice", stage, api_key, unsigned=unsigned)
        overlay.write_text(json.dumps(parts))
        project.run_chalice("package", "--merge-template", str(overlay), scratch)
        template = Path(scratch, "sam.json").read_text()
        destination.write_text(_RANDOM_NAME.sub("", template))


def read_overlay(
    folder: Path, stage: str, api_key: bool = False, *, unsigned: bool = False
) -> dict[str, Any]:
    """Return the parts of `.chalice/` that apply to a stage, merged; each file is optional."""
    overlay: dict[str, Any] = {}
    signed = "unsigned" if unsigned else "signed"
    names = [EVERY_STAGE, f"sam-{stage}.json", f"sam-{stage}-{signed}.json"]
    names += [WITH_API_KEY] if api_key else []
    for name in names:
        if (folder / name).exists():
            part = json.loads((folder / name).read_text())
            overlay = TemplateDeepMerger().merge(part, overlay)
    return overlay
