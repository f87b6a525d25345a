"""The bill of materials of a package, as CycloneDX 1.6 JSON: the same for the same package.

https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from deployment.pins import canonical_name

Component = dict[str, Any]
_COPIED = ("type", "name", "version", "purl", "licenses")  # of the components in a wheel's own SBOM
_CLASSIFIER = "License :: OSI Approved :: "


def read_components(folder: Path, wheels: Iterable[Path]) -> dict[str, Component]:
    """Describe the wheels that were unpacked to a folder, by the names of their dist-infos.

    Call it before pruning, which removes the SBOMs that some wheels contain.
    """
    digests = {_wheel_name(wheel): _sha256(wheel) for wheel in wheels}
    components = {}
    for record in sorted(folder.glob("*.dist-info")):
        metadata = Parser().parsestr((record / "METADATA").read_text(encoding="utf-8"))
        component = _describe(metadata)
        component["hashes"] = [{"alg": "SHA-256", "content": digests[component["name"]]}]
        contained = _contained(record)
        if contained:
            component["components"] = contained
        components[record.name] = component
    return components


def write_sbom(
    package: Path, folder: Path, components: dict[str, Component], name: str, destination: Path
) -> None:
    """Write the bill of materials of a package, built from a pruned folder."""
    shipped = [component for record, component in components.items() if (folder / record).is_dir()]
    shipped.append(_describe(distribution("chalice").metadata))
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": name,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "hashes": [{"alg": "SHA-256", "content": _sha256(package)}],
            }
        },
        "components": sorted(shipped, key=lambda component: str(component["name"])),
    }
    destination.write_text(json.dumps(bom, indent=2) + "\n")


def _describe(metadata: Message | Any) -> Component:
    name, version = canonical_name(metadata["Name"]), metadata["Version"]
    component: Component = {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
    }
    expression = metadata["License-Expression"]
    names = [
        classifier.removeprefix(_CLASSIFIER)
        for classifier in metadata.get_all("Classifier") or []
        if classifier.startswith(_CLASSIFIER)
    ]
    if expression:
        component["licenses"] = [{"expression": expression}]
    elif names or metadata["License"]:
        lines = names or metadata["License"].splitlines()[:1]
        component["licenses"] = [{"license": {"name": line}} for line in lines]
    return component


def _contained(record: Path) -> list[Component]:
    """Return what a wheel's own SBOMs list (PEP 770), such as the crates of a Rust extension."""
    contained = {}
    for path in sorted((record / "sboms").glob("*.json")):
        for component in json.loads(path.read_text(encoding="utf-8")).get("components", []):
            copied = {key: component[key] for key in _COPIED if key in component}
            contained[json.dumps(copied, sort_keys=True)] = copied
    return [contained[key] for key in sorted(contained)]


def _wheel_name(wheel: Path) -> str:
    return canonical_name(wheel.name.partition("-")[0])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
