"""What a function on Lambda does before its first request."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.prefetch import trust_one_file
from tests.support.paths import APP

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is restored
        del os.environ[name]


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    """Return the path of a file of certificates."""
    path = tmp_path / "bundle.crt"
    path.touch()
    return str(path)


def test_certificates_are_read_from_the_first_file_that_exists(bundle: str, tmp_path: Path) -> None:
    """No folder is read beside the file."""
    trust_one_file((str(tmp_path / "missing.crt"), bundle))
    assert os.environ["SSL_CERT_FILE"] == bundle
    assert not Path(os.environ["SSL_CERT_DIR"]).exists()


def test_certificates_are_the_systems_without_such_a_file(tmp_path: Path) -> None:
    """TLS then looks for them as usual."""
    trust_one_file((str(tmp_path / "missing.crt"),))
    assert not set(VARIABLES) & set(os.environ)


@pytest.mark.parametrize("name", VARIABLES)
def test_certificates_that_a_variable_names_stay(name: str, bundle: str) -> None:
    """Users can name certificates of their own."""
    os.environ[name] = "/own"
    trust_one_file((bundle,))
    assert {name: os.environ.get(name) for name in VARIABLES if name in os.environ} == {
        name: "/own"
    }


def test_typing_is_not_imported_before_the_runtime_starts() -> None:
    """It takes a tenth of the time that ONNX Runtime needs, and that would start later."""
    code = "import sys; from chalicelib import bundle, cold_start; print('typing' in sys.modules)"
    assert run(code, "-S") == "False\n"  # without site-packages, whose .pth files import


def test_the_runtime_starts_without_a_model() -> None:
    """No request would notice a failure: it would only start later."""
    code = "from chalicelib import cold_start; print(cold_start.start_runtime().wait())"
    assert run(code) == "None\n"


def run(code: str, *options: str) -> str:
    """Run Python code in another process, in the folder of the app."""
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, cwd=APP, capture_output=True, text=True, check=True).stdout
