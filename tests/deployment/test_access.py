"""Who may send requests: the variables of make, and the methods that are closed."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from deployment import access
from deployment.errors import PackagingError
from tests.support.paths import ROOT


def run_make(*variables: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Return what `make --dry-run package` prints."""
    outside = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["make", "--dry-run", "package", *variables],
        cwd=ROOT,
        env=outside | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("variables", "auth"),
    [
        ([], None),  # the command's own default
        (["API_KEY=yes"], "key"),
        (["AUTH=key"], "key"),
        (["AUTH=iam"], "iam"),
        (["PUBLIC=yes"], "none"),
        (["PUBLIC=no"], None),
        (["PUBLIC=1"], None),
        (["PUBLIC=no", "AUTH=iam"], "iam"),
    ],
)
def test_only_public_yes_opens_a_package(variables: list[str], auth: str | None) -> None:
    """Any other value leaves it closed."""
    match = re.search(r"--auth (\w+)", run_make(*variables).stdout)
    assert (match and match[1]) == auth


@pytest.mark.parametrize("variable", ["AUTH=iam", "API_KEY=yes"])
def test_a_package_cannot_be_open_and_closed(variable: str) -> None:
    """Neither wins."""
    process = run_make("PUBLIC=yes", variable)
    assert process.returncode != 0
    assert f"PUBLIC=yes contradicts {variable}" in process.stderr


def test_the_environment_does_not_open_a_package() -> None:
    """A variable of this name may be there for another reason."""
    assert "--auth" not in run_make(PUBLIC="yes", AUTH="none").stdout


def test_an_unknown_access_is_rejected() -> None:
    """With what is possible."""
    assert access.get(None, access.KEY) == access.KEY
    with pytest.raises(PackagingError, match="AUTH is key or iam, PUBLIC=yes is none"):
        access.get("open", access.KEY)


def test_a_method_that_chalice_adds_later_is_closed() -> None:
    """Also one that stands for every method, and one under a path that is open."""
    method: dict[str, object] = {"x-amazon-apigateway-integration": {}}
    paths = {
        "/": {"get": dict(method), "options": dict(method)},
        "/new": {"x-amazon-apigateway-any-method": dict(method), "parameters": []},
        "/health/details": {"get": dict(method)},
    }
    template = {"Resources": {"RestAPI": {"Properties": {"DefinitionBody": {"paths": paths}}}}}
    access.require(template, access.KEY)
    closed = {
        (path, name)
        for path, name, operation in access.methods({"paths": paths})
        if operation.get("security") == [{"api_key": []}]
    }
    assert closed == {("/new", "x-amazon-apigateway-any-method"), ("/health/details", "get")}
