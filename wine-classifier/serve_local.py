"""Serve a model store with ``chalice local``, after a check of the settings, model and port.

Not part of the package: Chalice packages ``app.py`` and ``chalicelib`` only.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from chalicelib.errors import InvalidRequest, ServingError
from chalicelib.inputs.samples import read_samples
from chalicelib.local.trial import try_model
from chalicelib.models.manifest import Manifest
from chalicelib.models.model import verify
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, ObjectStore, store_url
from chalicelib.store.signing_keys import SigningKeys

HOST = "127.0.0.1"
USAGE_ERROR = 2  # exit code, as argparse's
EXAMPLE_MODEL = "wine"
PLACEHOLDER = "..."
TUTORIAL_REQUEST = '{"data":".10"}'


def main() -> NoReturn:
    """Check the settings, model and port, then replace this process by ``chalice local``."""
    parser = argparse.ArgumentParser(description="Serve a model store with chalice local.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", required=True, metavar="URL")
    options = parser.parse_args()
    os.environ["MODEL_URL"] = store_url(options.store)
    try:
        settings = Settings.from_environ(os.environ)
        store = ObjectStore(settings.model_url, timeout_seconds=settings.timeout_seconds)
        fetched = store.fetch(CURRENT, max_bytes=settings.max_bytes)
        assert fetched is not None  # None is returned for if_none_match only
        manifest = verify(fetched.data, *SigningKeys(settings).get())
        try_model(fetched.data)
        _check_port(options.port)
    except (ServingError, OSError, OverflowError) as error:
        print(f"serve: {error}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    if manifest.name != EXAMPLE_MODEL:
        os.environ["MODEL_NAME"] = manifest.name
    address = f"http://{HOST}:{options.port}"
    print(
        f"Serving {manifest.name} {manifest.version} from {settings.model_url} at {address}\n"
        "In another terminal, try:\n\n"
        f"  {example_command(address, manifest)}\n",
        flush=True,
    )
    chalice = str(Path(sys.executable).with_name("chalice"))
    listen = ["--host", HOST, "--port", str(options.port)]
    os.chdir(Path(__file__).parent)
    os.execv(chalice, [chalice, "local", "--stage", "local", "--no-autoreload", *listen])  # noqa: S606


def example_command(address: str, manifest: Manifest) -> str:
    """Return a curl command for a POSIX shell that classifies one sample."""
    body = shlex.quote(example_request(manifest))
    return f"curl -XPOST {address}/classify -H 'Content-Type: application/json' -d {body}"


def example_request(manifest: Manifest) -> str:
    """Return a body of ``POST /classify``: the tutorial's for its model, else the model's own.

    A required feature without an example, whose categories are rare or private, has a placeholder.
    """
    if manifest.name == EXAMPLE_MODEL and _accepts(manifest, ".10"):
        return TUTORIAL_REQUEST
    features = manifest.document["signature"]["features"]
    sample = {
        feature["name"]: feature.get("example", PLACEHOLDER)
        for feature in features
        if feature["required"] or "example" in feature
    }
    return json.dumps({"data": sample}, separators=(",", ":"))


def _accepts(manifest: Manifest, data: Any) -> bool:
    try:
        read_samples(data, manifest.signature, lambda _row, _feature: "data", max_rows=1)
    except InvalidRequest:
        return False
    return True


def _check_port(port: int) -> None:
    """Raise `OSError`, with a hint, if a port is in use."""
    with socket.socket() as listener:
        # As http.server: a port that was closed a moment ago is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise OSError(
                f"Port {port} cannot be used: {error.strerror}. Try PORT=8001."
            ) from error


if __name__ == "__main__":
    main()
