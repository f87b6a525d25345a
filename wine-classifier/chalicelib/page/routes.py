"""The route of the page: one static file, read by the first request for it."""

from __future__ import annotations

import functools
from contextlib import suppress

from chalice.app import Blueprint, Response

from chalicelib.errors import ModelUnavailable, UnknownPath
from chalicelib.named_tuple import NamedTuple
from chalicelib.rest.middleware import handle_errors
from chalicelib.rest.responses import text_response
from chalicelib.service import Service

# What the page may do: run the one script and the one style in it, and call its own origin.
_POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; "
    "frame-ancestors 'none'; img-src data:; script-src {script}; style-src {style}"
)


class Page(NamedTuple):
    """The page and the headers it is sent with."""

    html: str
    headers: dict[str, str]


def create_blueprint(service: Service) -> Blueprint:
    """Create the blueprint of ``/``."""
    routes = Blueprint(__name__)

    @routes.route("/", methods=["GET"], content_types=[])
    @handle_errors
    def page() -> Response:
        """Return the page; 404 if the setting ``PAGE`` is off."""
        with suppress(ModelUnavailable):  # a variable is invalid: the page shows what /model says
            if not service.settings.page:
                raise UnknownPath
        html, headers = read_page()
        return text_response(html, headers)

    return routes


@functools.cache
def read_page() -> Page:
    """Read the page, and hash its script and its style for the Content-Security-Policy."""
    from pathlib import Path  # imported here: no other request needs it

    html = Path(__file__).with_name("index.html").read_text("utf-8")
    policy = _POLICY.format(script=_source(html, "script"), style=_source(html, "style"))
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
    }
    return Page(html, headers)


def _source(html: str, tag: str) -> str:
    """Return the hash of a tag's text, as a source expression of a Content-Security-Policy."""
    import base64
    import hashlib

    _, _, rest = html.partition(f"<{tag}>")
    text, _, _ = rest.partition(f"</{tag}>")
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
