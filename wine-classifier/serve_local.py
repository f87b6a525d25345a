"""Serve a model store on this machine with ``chalice local``; what would stop it is said first.

Not part of the package: Chalice ships ``app.py`` and ``chalicelib`` only.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

from chalicelib.errors import ServingError
from chalicelib.models.model import load_model
from chalicelib.settings import Settings
from chalicelib.store.object_store import CURRENT, ObjectStore, store_url

HOST = "127.0.0.1"
REFUSED = 2


def main() -> int:
    """Check that a model can be served, then become ``chalice local``.

    Returns
    -------
    int
        `REFUSED`, after one line that says why; else the process is another one by then.
    """
    parser = argparse.ArgumentParser(description="Serve a model store with chalice local.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", required=True, metavar="URL")
    options = parser.parse_args()
    os.environ["MODEL_URL"] = store_url(options.store)
    try:
        settings = Settings.from_environ(os.environ)
        store = ObjectStore(settings.model_url, timeout_seconds=settings.timeout_seconds)
        fetched = store.fetch(CURRENT, max_bytes=settings.max_bytes)
        assert fetched is not None  # only a fetch with an etag may be left out
        manifest = load_model(fetched.data, settings.signing_key).manifest
        check_port(options.port)
    except (ServingError, OSError, OverflowError) as error:
        print(f"serve: {error}", file=sys.stderr)
        sys.exit(REFUSED)
    address = f"http://{HOST}:{options.port}"
    print(
        f"{manifest.name} {manifest.version} from {settings.model_url}\n"
        f"{address} serves it; try, in another terminal:\n\n"
        f"  curl -XPOST {address}/classify -H 'Content-Type: application/json' "
        """-d '{"data":".10"}'\n""",
        flush=True,
    )
    chalice = str(Path(sys.executable).with_name("chalice"))
    listen = ["--host", HOST, "--port", str(options.port)]
    os.chdir(Path(__file__).parent)
    os.execv(chalice, [chalice, "local", "--stage", "local", "--no-autoreload", *listen])  # noqa: S606


def check_port(port: int) -> None:
    """Find out whether a port can be listened on.

    Parameters
    ----------
    port : int
        Of this machine.

    Raises
    ------
    OSError
        If it cannot, and why.
    """
    with socket.socket() as listener:
        # As http.server does: a port that was closed a moment ago is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise OSError(
                f"Port {port} cannot be used: {error.strerror}. Try PORT=8001."
            ) from error


if __name__ == "__main__":
    main()
