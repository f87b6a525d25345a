"""The keys that models are signed with, from the environment or from where it refers to."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.errors import StoreError
from chalicelib.settings import derive_key, is_reference, parse_reference, signing_secrets

TIMEOUT_SECONDS = 10.0


def signing_keys(environ: Mapping[str, str], url: str, stage: str) -> tuple[str, ...]:
    """Return the keys of a store and a stage; the first one signs, none if none are set.

    Raises `InvalidSetting` if a key is too short, `StoreError` if a reference cannot be read.
    """
    secrets = {
        name: _read_secret(name, secret) if is_reference(secret) else secret
        for name, secret in signing_secrets(environ).items()
    }
    signing_secrets(secrets)  # what is referred to is long enough too
    return tuple(derive_key(secret, url, stage) for secret in secrets.values())


def _read_secret(variable: str, reference: str) -> str:
    """Read a parameter or a secret with the credentials and the region of boto3."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    service, region, name = parse_reference(reference, variable)
    limits = {"connect_timeout": TIMEOUT_SECONDS, "read_timeout": TIMEOUT_SECONDS}
    try:
        client = boto3.client(service, region_name=region or None, config=Config(**limits))
        if service == "ssm":
            value = client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        else:
            value = client.get_secret_value(SecretId=name).get("SecretString")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise StoreError("no signing key", f"{variable} cannot be read: {code}.") from None
    except BotoCoreError as error:
        reason = type(error).__name__
        raise StoreError("no signing key", f"{variable} cannot be read: {reason}.") from None
    if not isinstance(value, str):
        raise StoreError("no signing key", f"{variable} refers to a secret without text.")
    return value
