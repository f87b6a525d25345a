"""The region and the endpoint of the service that holds a signing key."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import StoreError
from chalicelib.store import secret_store
from chalicelib.store.secret_store import read_secret

SSM = "ssm:/wine/signing-key"
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:wine-AbCdEf"
OWN, OTHER = "http://127.0.0.1:1", "http://127.0.0.1:2"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, and no region and no endpoint."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


@pytest.mark.parametrize(
    ("reference", "variables", "region", "url"),
    [
        (
            SSM,
            {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "us-east-1"},
            *("eu-central-1", "https://ssm.eu-central-1.amazonaws.com"),
        ),
        (
            SSM,
            {"AWS_DEFAULT_REGION": "us-east-1"},
            *("us-east-1", "https://ssm.us-east-1.amazonaws.com"),
        ),
        (
            SSM,
            {"AWS_REGION": "cn-north-1"},
            *("cn-north-1", "https://ssm.cn-north-1.amazonaws.com.cn"),
        ),
        (
            SECRET,
            {"AWS_REGION": "eu-central-1"},
            *("us-west-2", "https://secretsmanager.us-west-2.amazonaws.com"),
        ),
        (SECRET, {"AWS_ENDPOINT_URL": OTHER}, "us-west-2", OTHER),
        (SSM, {"AWS_REGION": "r", "AWS_ENDPOINT_URL": OTHER}, "r", OTHER),
        (
            SSM,
            {"AWS_REGION": "r", "AWS_ENDPOINT_URL": OTHER, "AWS_ENDPOINT_URL_SSM": OWN},
            *("r", OWN),
        ),
        (
            SECRET,
            {"AWS_ENDPOINT_URL": OTHER, "AWS_ENDPOINT_URL_SECRETS_MANAGER": OWN},
            *("us-west-2", OWN),
        ),
    ],
)
def test_a_secret_is_read_in_its_region(
    monkeypatch: pytest.MonkeyPatch,
    reference: str,
    variables: dict[str, str],
    region: str,
    url: str,
) -> None:
    """That of the reference, or of the function; from an endpoint of one's own if there is one."""
    calls: list[tuple[str, str]] = []

    def post(url: str, operation: Any, region: str, *_: object) -> tuple[int, bytes]:
        calls.append((url, region))
        return 200, b'{"Parameter": {"Value": "text"}, "SecretString": "text"}'

    monkeypatch.setattr(secret_store, "post", post)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert read_secret("MODEL_SIGNING_KEY", reference, 1) == "text"
    assert calls == [(url, region)]


def test_a_parameter_without_a_region_cannot_be_read() -> None:
    """There is no such host."""
    with pytest.raises(StoreError, match="host name cannot be resolved"):
        read_secret("MODEL_SIGNING_KEY", SSM, 1)
