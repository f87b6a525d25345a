"""Signing keys that variables refer to, in Parameter Store or Secrets Manager; rotation of keys."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from chalicelib.errors import InvalidArtifact, StoreError
from chalicelib.models.model import load_model
from chalicelib.settings import Settings, derive_key
from chalicelib.store.aws_api import sign
from chalicelib.store.secret_store import SERVICES, read_secret
from chalicelib.store.signing_keys import SigningKeys
from tests.support.app import App
from tests.support.aws_server import moto_server
from tests.support.fault_proxy import FaultProxy
from tests.support.models import WineModel
from tests.support.paths import APP
from training.registry import ModelRegistry, sign_artifact

SECRET, OLD = "correct-horse-battery", "the-key-of-last-year"
NAME = "/wine/signing-key"
SSM = f"ssm:{NAME}"
VARIABLE = "MODEL_SIGNING_KEY"


@pytest.fixture(scope="module")
def references() -> Iterator[dict[str, str]]:
    """References to the secret on an AWS server, whose variables are set."""
    with moto_server() as environment, pytest.MonkeyPatch.context() as patched:
        for name, value in (environment | {"AWS_REGION": "us-east-1"}).items():
            patched.setenv(name, value)
        ssm, manager = boto3.client("ssm"), boto3.client("secretsmanager")
        for kind in ("String", "SecureString"):
            ssm.put_parameter(Name=f"{NAME}-{kind}", Value=SECRET, Type=kind)
        ssm.put_parameter(Name=NAME, Value=SECRET, Type="SecureString")
        ssm.put_parameter(Name="/wine/short", Value="short", Type="String")
        arn = manager.create_secret(Name="wine", SecretString=SECRET)["ARN"]
        binary = manager.create_secret(Name="binary", SecretBinary=b"\0" * 32)["ARN"]
        yield {
            "name": SSM,
            "plain": f"{SSM}-String",
            "encrypted": f"{SSM}-SecureString",
            "parameter's ARN": f"arn:aws:ssm:us-east-1:123456789012:parameter{NAME}",
            "secret's ARN": arn,
            "binary": binary,
        }


@pytest.fixture
def proxy(references: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """A proxy in front of that server."""
    import os

    proxy = FaultProxy(os.environ["AWS_ENDPOINT_URL"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.heal()
    proxy.refuse_connections()


@pytest.mark.parametrize("kind", ["name", "plain", "encrypted", "parameter's ARN", "secret's ARN"])
def test_a_secret_is_read_by_its_reference(references: dict[str, str], kind: str) -> None:
    """By the server with the standard library, by who publishes with boto3: the same text."""
    from training.signing import signing_keys

    assert read_secret(VARIABLE, references[kind], 5) == SECRET
    environ = {VARIABLE: references[kind]}
    assert signing_keys(environ, "s3://b/wine", "prod") == (
        derive_key(SECRET, "s3://b/wine", "prod"),
    )


@pytest.mark.parametrize("token", [None, "a/session+token=="])
def test_the_signature_is_botocores(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    """AWS Signature Version 4, also with the session token that a function has."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    else:
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    body, host = b'{"Name": "/wine"}', "ssm.eu-central-1.amazonaws.com"
    headers = sign(SERVICES["ssm"].operation, "eu-central-1", host, body)
    authorization = headers.pop("authorization")
    request = AWSRequest("POST", f"https://{host}/", headers=headers, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    auth = SigV4Auth(credentials, "ssm", "eu-central-1")
    expected = auth.signature(
        auth.string_to_sign(request, auth.canonical_request(request)), request
    )
    assert authorization.endswith(f"Signature={expected}")
    assert ("x-amz-security-token" in headers) is (token is not None)


def respond(status: int, body: bytes) -> Callable[[FaultProxy], None]:
    """Return a fault: the service responds so."""

    def inject(proxy: FaultProxy) -> None:
        proxy.fault = lambda handler: handler.respond(status, body, {})

    return inject


def error(code: str, status: int = 400) -> Callable[[FaultProxy], None]:
    """Return a fault: the service responds with one of its errors, which may repeat anything."""
    body = {"__type": f"com.amazonaws#{code}", "message": f"injected {SECRET}"}
    return respond(status, json.dumps(body).encode())


FAULTS = [
    (error("AccessDeniedException"), "denies access: it needs ssm:GetParameter."),
    (respond(403, b"<html>"), "denies access: it needs ssm:GetParameter."),
    (error("ParameterNotFound"), "does not have it."),
    (error("ThrottlingException"), "was called too often."),
    (error("UnrecognizedClientException"), "rejects the credentials."),
    (error("ExpiredTokenException"), "rejects the credentials."),
    (error("InvalidSignatureException"), "rejects the signature: the clock may be wrong."),
    (error("InternalServerError", 500), "returned 500."),
    (respond(200, b"not JSON"), "sent no text."),
    (respond(200, b"[" * 100_000), "sent no text."),
    (respond(200, b'{"Parameter": []}'), "sent no text."),
    (respond(200, b'{"Parameter": {"Value": 1}}'), "sent no text."),
    (lambda proxy: proxy.send(b"\x16\x03\x01" * 100), "sent no valid response."),
    (lambda proxy: proxy.send(), "cannot be reached."),
    (lambda proxy: proxy.send(b"HTTP/1.1 200 OK\r\n", end="stall"), "did not respond in time."),
    (lambda proxy: proxy.refuse_connections(), "cannot be reached."),
]


@pytest.mark.parametrize(("inject", "detail"), FAULTS)
def test_a_fault_is_named_in_fixed_words(
    proxy: FaultProxy, inject: Callable[[FaultProxy], None], detail: str
) -> None:
    """Nothing that the service sends is repeated."""
    inject(proxy)
    with pytest.raises(StoreError) as caught:
        read_secret(VARIABLE, SSM, 0.5)
    assert caught.value.reason == "no signing key"
    assert str(caught.value) == f"{VARIABLE} cannot be read: Systems Manager {detail}"


def test_what_does_not_exist_and_what_is_no_text_is_named(references: dict[str, str]) -> None:
    """As the services themselves respond."""
    missing = references["secret's ARN"].replace("wine", "other")
    for reference, detail in (
        ("ssm:/other", "Systems Manager does not have it."),
        (missing, "Secrets Manager does not have it."),
        (references["binary"], "Secrets Manager sent no text."),
    ):
        with pytest.raises(StoreError, match=detail):
            read_secret(VARIABLE, reference, 5)


def test_an_unknown_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The region may be wrong."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://nowhere.invalid")
    with pytest.raises(StoreError, match="Systems Manager's host name cannot be resolved"):
        read_secret(VARIABLE, SSM, 5)


def test_each_service_has_its_own_endpoint(
    references: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable of the other service does not count."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://nowhere.invalid")
    with pytest.raises(StoreError, match="Secrets Manager does not have it"):
        read_secret(VARIABLE, references["secret's ARN"].replace("wine", "other"), 5)


def test_a_response_that_trickles_ends_in_time(proxy: FaultProxy) -> None:
    """Each of its parts comes in time, the whole does not."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    proxy.send(head, *[b" "] * 1000)
    keys = SigningKeys(make_settings(**{VARIABLE: SSM, "MODEL_TIMEOUT_SECONDS": "0.3"}))
    with pytest.raises(StoreError, match="could not be read in time"):
        keys.get()


def make_settings(**environ: str) -> Settings:
    """Return the settings of a store."""
    return Settings.from_environ({"MODEL_URL": "s3://b/wine"} | environ)


def test_a_secret_is_read_once_and_after_a_failure_again(proxy: FaultProxy) -> None:
    """A prefetch is the first attempt."""
    settings = make_settings(**{VARIABLE: SSM, f"{VARIABLE}_PREVIOUS": OLD})
    keys = SigningKeys(settings)
    error("ThrottlingException")(proxy)
    keys.prefetch()
    with pytest.raises(StoreError, match="too often"):
        keys.get()
    assert len(proxy.requests) == 1
    proxy.heal()
    expected = tuple(derive_key(secret, "s3://b/wine", "") for secret in (SECRET, OLD))
    assert [keys.get(), keys.get()] == [expected, expected]
    assert len(proxy.requests) == 2


def test_a_short_secret_is_rejected_where_it_is_read(references: dict[str, str]) -> None:
    """By the server and by who publishes."""
    with pytest.raises(StoreError, match="refers to a text of 5 characters") as caught:
        SigningKeys(make_settings(**{VARIABLE: "ssm:/wine/short"})).get()
    assert caught.value.reason == "no signing key"


def test_a_server_serves_again_when_its_key_can_be_read(
    proxy: FaultProxy,
    start_app: Callable[..., App],
    wine_store: ModelRegistry,
    trained: WineModel,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Clients see one word; the log says why, without the secret."""
    key = derive_key(SECRET, wine_store.url, "")
    ModelRegistry(wine_store.url, key).publish(trained.built.artifact)
    error("AccessDeniedException")(proxy)
    app = start_app(MODEL_URL=wine_store.url, MODEL_SIGNING_KEY=SSM)
    response = app.classify(".10")
    assert response.status == 503
    assert response.body == {"error": "No model could be loaded: no signing key."}
    printed = capsys.readouterr().out
    assert "denies access: it needs ssm:GetParameter" in printed
    assert SECRET not in printed
    proxy.heal()
    restarted = start_app(MODEL_URL=wine_store.url, MODEL_SIGNING_KEY=SSM)
    assert restarted.classify(".10").body == {"prediction": "1"}
    assert SECRET not in capsys.readouterr().out


def test_during_a_rotation_models_signed_with_either_key_are_served(
    start_app: Callable[..., App], wine_store: ModelRegistry, trained: WineModel
) -> None:
    """Afterwards only those signed with the new one; publishing signs with the new one."""
    url, artifact = wine_store.url, trained.built.artifact
    new, old = (derive_key(secret, url, "") for secret in (SECRET, OLD))
    rotating = {VARIABLE: SECRET, f"{VARIABLE}_PREVIOUS": OLD}

    def status(**variables: str) -> int:
        return start_app(MODEL_URL=url, **variables).classify(".10").status

    ModelRegistry(url, old).publish(artifact)
    assert status(**rotating) == 200
    assert status(**rotating | {f"{VARIABLE}_PREVIOUS": ""}) == 503
    ModelRegistry(url, new, old).publish(artifact)  # the same version: it is signed again
    assert status(**rotating) == 200
    assert status(**rotating | {f"{VARIABLE}_PREVIOUS": ""}) == 200


def test_a_third_key_fits_neither(trained: WineModel) -> None:
    """A signature has to be of one of the two."""
    signed = sign_artifact(trained.built.artifact, "third")
    with pytest.raises(InvalidArtifact, match="not signed"):
        load_model(signed, "first", "second")
    load_model(signed, "first", "third")


def test_a_key_in_a_variable_loads_no_code_to_read_references() -> None:
    """Every import costs a cold start."""
    code = (
        "import os, sys; os.environ.update(AWS_LAMBDA_FUNCTION_NAME='f', MODEL_URL='file:///none', "
        f"MODEL_SIGNING_KEY='{SECRET}'); import app; "
        "print('chalicelib.store.secret_store' in sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=APP, capture_output=True, text=True)
    assert process.stdout.splitlines()[-1] == "False"
