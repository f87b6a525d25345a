"""The SAM template: Chalice's, merged with the parts in `.chalice/`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from chalice.package import TemplateDeepMerger

from deployment import access, front_doors, snapstart
from deployment.chalice_project import Project
from deployment.dashboard import fill_in

API_FUNCTION, BULK_FUNCTION = "APIHandler", "Score"

# As the app's own, in `chalicelib/rest/responses.py`.
_EVERY_RESPONSE = {"Cache-Control": "'no-store'", "X-Content-Type-Options": "'nosniff'"}
# Of the app's responses, these come from API Gateway: 429 has `Retry-After`.
_EXPOSED_HEADERS = "'Retry-After'"


def write_template(
    project: Project,
    stage: str,
    destination: Path,
    *,
    auth: str = access.KEY,
    unsigned: bool = False,
    tracing: bool = False,
    url: str = front_doors.REST,
    restores_snapshots: bool = False,
) -> None:
    """Write the SAM template of a stage; the package has to be in the same folder."""
    with tempfile.TemporaryDirectory() as scratch:
        overlay = read_overlay(
            project.folder / ".chalice",
            stage,
            auth=auth,
            unsigned=unsigned,
            bulk=project.bulk,
            tracing=tracing,
        )
        add_cors_headers(overlay, project.cors_origins)
        path = Path(scratch, "overlay.json")
        path.write_text(json.dumps(overlay))
        project.run_chalice("package", "--merge-template", str(path), scratch)
        template = json.loads(Path(scratch, "sam.json").read_text())
    if url == front_doors.REST:
        access.require(template, auth)
    else:
        folder = project.folder / ".chalice"
        template = front_doors.replace_rest_api(template, folder, url, auth)
    if restores_snapshots:
        snapstart.add(template)
    if project.bulk:
        _share_variables(template)
    destination.write_text(json.dumps(template, indent=2))


def read_overlay(
    folder: Path,
    stage: str,
    *,
    auth: str = access.KEY,
    unsigned: bool = False,
    bulk: bool = False,
    tracing: bool = False,
) -> dict[str, Any]:
    """Return the parts of `.chalice/` that apply to a stage, merged; each file is optional.

    What API Gateway responds itself has the headers of every response.
    """
    overlay: dict[str, Any] = {}
    signed = "unsigned" if unsigned else "signed"
    parts = ["", f"-{stage}", f"-{stage}-{signed}", f"-{stage}-dashboard", f"-auth-{auth}"]
    parts += ["-bulk", f"-bulk-{signed}"] if bulk else []
    parts += ["-tracing"] if tracing else []
    for name in (f"sam{part}.json" for part in parts):
        if (folder / name).exists():
            part = json.loads((folder / name).read_text())
            overlay = TemplateDeepMerger().merge(part, overlay)
    _add_headers(overlay, _EVERY_RESPONSE)
    return fill_in(overlay, folder, stage)


def add_cors_headers(overlay: dict[str, Any], origins: str) -> None:
    """Add CORS headers to the responses of API Gateway itself, for the pages in ``CORS_ORIGINS``.

    Their headers are fixed, so several origins become ``*``: these responses hold no data.
    """
    if not origins:
        return
    headers = {
        "Access-Control-Allow-Origin": "'*'" if "," in origins else f"'{origins.strip()}'",
        "Access-Control-Expose-Headers": _EXPOSED_HEADERS,
    }
    _add_headers(overlay, headers)


def _share_variables(template: dict[str, Any]) -> None:
    """Add the variables of the API's function to the function that scores files."""
    shared, own = (
        template["Resources"][name]["Properties"]["Environment"]["Variables"]
        for name in (API_FUNCTION, BULK_FUNCTION)
    )
    own.update(shared)


def _add_headers(overlay: dict[str, Any], headers: dict[str, str]) -> None:
    """Add headers to every response of API Gateway itself."""
    api = overlay.get("Resources", {}).get("RestAPI", {}).get("Properties", {})
    for response in api.get("GatewayResponses", {}).values():
        parameters = response.setdefault("ResponseParameters", {})
        parameters["Headers"] = parameters.get("Headers", {}) | headers
