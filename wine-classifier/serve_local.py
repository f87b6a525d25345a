"""Serve a model store with ``chalice local``, after a check of the settings, model and port.

Not part of the package: Chalice packages ``app.py`` and ``chalicelib`` only.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from chalicelib.errors import ServingError
from chalicelib.models.model import load_model
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, ObjectStore, store_url

HOST = "127.0.0.1"
USAGE_ERROR = 2  # exit code, as argparse's


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
        manifest = load_model(fetched.data, settings.signing_key).manifest
        _check_port(options.port)
    except (ServingError, OSError, OverflowError) as error:
        print(f"serve: {error}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    address = f"http://{HOST}:{options.port}"
    print(
        f"Serving {manifest.name} {manifest.version} from {settings.model_url} at {address}\n"
        "In another terminal, try:\n\n"
        f"  curl -XPOST {address}/classify -H 'Content-Type: application/json' "
        """-d '{"data":".10"}'\n""",
        flush=True,
    )
    chalice = str(Path(sys.executable).with_name("chalice"))
    listen = ["--host", HOST, "--port", str(options.port)]
    os.chdir(Path(__file__).parent)
    os.execv(chalice, [chalice, "local", "--stage", "local", "--no-autoreload", *listen])  # noqa: S606


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
