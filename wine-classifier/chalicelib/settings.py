"""The settings: read from environment variables, typed and validated."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.digests import hmac_sha256
from chalicelib.errors import InvalidSetting
from chalicelib.named_tuple import NamedTuple

REFRESH_SECONDS = 60.0
TIMEOUT_SECONDS = 5.0
MAX_ROWS = 10_000
MAX_CELLS = 1_000_000
MODEL_SECONDS = 0.75
MAX_BYTES = 100 * 1024 * 1024

# The variables of the keys that models are signed with: new models with the first one.
SIGNING_KEYS = ("MODEL_SIGNING_KEY", "MODEL_SIGNING_KEY_PREVIOUS")
MIN_KEY_CHARACTERS = 16
_KEY = f"a secret of at least {MIN_KEY_CHARACTERS} characters"
_REFERENCE = "a secret, ssm:NAME, or the ARN of a parameter or secret"

DRIFT_SECONDS = 300.0
DRIFT_ROWS = 1_000
MIN_DRIFT_ROWS = 100  # of fewer rows the false-alarm rate of a drift index is not known

PROD = "prod"  # the stage that serves signed models only, unless MODEL_UNSIGNED says otherwise

# Lambda's limit on all variables of a function:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_CHARACTERS = 4_096
MAX_SECONDS = 1_000_000_000
MAX_DIGITS = 15


LOG_LEVELS = ("info", "warning", "error")


class LogSettings(NamedTuple):
    """How much is logged of requests; the defaults are those on Lambda."""

    level: str = "info"  # LOG_LEVEL: all requests, rejected and failed ones, or failed ones
    sample: float = 1.0  # LOG_SAMPLE: the share of the successful requests that are logged
    metrics: bool = True  # METRICS
    drift: bool = True  # DRIFT: whether rows are counted to compare with the training data
    drift_seconds: float = DRIFT_SECONDS  # DRIFT_SECONDS, between summaries
    drift_rows: int = DRIFT_ROWS  # DRIFT_ROWS, that a drift index is of

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> LogSettings:
        """Parse environment variables; raise `InvalidSetting` if one is invalid."""
        is_on_lambda = "AWS_LAMBDA_FUNCTION_NAME" in environ
        level = environ.get("LOG_LEVEL", "info" if is_on_lambda else "error")
        if level not in LOG_LEVELS:
            raise InvalidSetting("LOG_LEVEL", level, f"one of {', '.join(LOG_LEVELS)}")
        return cls(
            level=level,
            sample=_parse_share(environ, "LOG_SAMPLE"),
            metrics=parse_switch(environ, "METRICS", default=is_on_lambda),
            drift=parse_switch(environ, "DRIFT", default=is_on_lambda),
            drift_seconds=_parse_timeout(environ, "DRIFT_SECONDS", DRIFT_SECONDS),
            drift_rows=parse_count(environ, "DRIFT_ROWS", DRIFT_ROWS, minimum=MIN_DRIFT_ROWS),
        )


class Settings(NamedTuple):
    """The settings of a serving process, each with its environment variable."""

    model_url: str  # MODEL_URL: s3://bucket/prefix or file:///folder
    refresh_seconds: float = REFRESH_SECONDS  # MODEL_REFRESH_SECONDS, between checks of the store
    timeout_seconds: float = TIMEOUT_SECONDS  # MODEL_TIMEOUT_SECONDS, of one call to the store
    max_rows: int = MAX_ROWS  # MODEL_MAX_ROWS, in one request
    max_bytes: int = MAX_BYTES  # MODEL_MAX_BYTES, of an artifact
    signing_secrets: tuple[tuple[str, str], ...] = ()  # of SIGNING_KEYS; none: not checked
    memory_mb: int | None = None  # AWS_LAMBDA_FUNCTION_MEMORY_SIZE; None: not limited
    cors_origins: tuple[str, ...] = ()  # CORS_ORIGINS; ("*",) for all
    page: bool = True  # PAGE: whether GET / is a page
    max_cells: int = MAX_CELLS  # MODEL_MAX_CELLS, in one request
    stage: str = ""  # MODEL_STAGE, for which a signature has to be
    max_seconds: float = MODEL_SECONDS  # MODEL_MAX_SECONDS, of CPU time that a model takes

    def __repr__(self) -> str:
        """Leave out the signing keys."""
        return f"Settings({self.model_url!r}, ...)"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Parse environment variables; raise `InvalidSetting` if one is missing or invalid."""
        LogSettings.from_environ(environ)  # an invalid one is reported as any other is
        model_url, stage = _parse_store_url(environ, "MODEL_URL"), environ.get("MODEL_STAGE", "")
        secrets = signing_secrets(environ)
        if not secrets and stage == PROD and environ.get("MODEL_UNSIGNED") != "yes":
            expected = f"the key of signed models, or MODEL_UNSIGNED=yes in stage {PROD}"
            raise InvalidSetting("MODEL_SIGNING_KEY", None, expected)
        return cls(
            model_url=model_url,
            refresh_seconds=_parse_seconds(environ, "MODEL_REFRESH_SECONDS", REFRESH_SECONDS),
            timeout_seconds=_parse_timeout(environ, "MODEL_TIMEOUT_SECONDS", TIMEOUT_SECONDS),
            max_rows=parse_count(environ, "MODEL_MAX_ROWS", MAX_ROWS),
            max_bytes=maximum_bytes(environ),
            signing_secrets=tuple(secrets.items()),
            memory_mb=_parse_memory(environ),
            cors_origins=_parse_origins(environ, "CORS_ORIGINS"),
            page=parse_switch(environ, "PAGE"),
            max_cells=parse_count(environ, "MODEL_MAX_CELLS", MAX_CELLS),
            stage=stage,
            max_seconds=_parse_timeout(environ, "MODEL_MAX_SECONDS", MODEL_SECONDS),
        )

    def max_samples(self, width: int, seconds: float = 0.0) -> int:
        """Return how many samples a request may hold; at least one.

        Each has so many cells, and takes the model so many seconds; 0 if that is not known.
        """
        rows = min(self.max_rows, self.max_cells // width)
        if seconds:
            rows = int(min(rows, self.max_seconds / seconds))
        return max(1, rows)


def maximum_bytes(environ: Mapping[str, str]) -> int:
    """Read the largest size of an artifact; raise `InvalidSetting` if it is not a number."""
    return parse_count(environ, "MODEL_MAX_BYTES", MAX_BYTES)


def signing_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of signing keys that are set, each with a secret or a reference.

    The first one signs. Raises `InvalidSetting` if a secret is too short or empty, which would
    silently turn signatures off.
    """
    secrets = {name: _read(environ, name) for name in SIGNING_KEYS}
    first, previous = SIGNING_KEYS
    if not secrets[previous]:  # a stack whose key does not change has an empty one
        del secrets[previous]
    elif secrets[first] is None:
        raise InvalidSetting(first, None, f"the new key, where {previous} is set")
    found = {name: secret for name, secret in secrets.items() if secret is not None}
    for name, secret in found.items():
        if is_reference(secret):
            parse_reference(secret, name)
        elif len(secret) < MIN_KEY_CHARACTERS:
            raise InvalidSetting(name, secret, _KEY, is_secret=True)
    return found


def is_reference(secret: str) -> bool:
    """Return whether the value of a signing key is a reference to it."""
    return secret.startswith(("ssm:", "arn:"))


def parse_reference(reference: str, variable: str = SIGNING_KEYS[0]) -> tuple[str, str, str]:
    """Return service, region (empty for the function's) and name of a reference to a secret."""
    name = reference.removeprefix("ssm:")
    if name != reference and name:
        return "ssm", "", name
    _, partition, service, region, account, *rest = (*reference.split(":", 5), *("",) * 6)[:6]
    prefix = {"ssm": "parameter/", "secretsmanager": "secret:"}.get(service)
    is_whole = bool(partition and region and account)
    if not is_whole or prefix is None or not rest[0].startswith(prefix):
        raise InvalidSetting(variable, reference, _REFERENCE, is_secret=True)
    return service, region, reference


def derive_key(secret: str, store_url: str, stage: str) -> str:
    """Derive the key that signs the models of a store and a stage from a secret.

    It depends on the last part of the store's URL, which is the model's name, and on the stage: a
    signature of another model or stage, with the same secret, does not fit.
    """
    name = store_url.rstrip("/").rpartition("/")[2]
    scope = "\0".join(("wine-classifier-signature/2", name, stage))
    return hmac_sha256(secret, scope.encode())


def _parse_memory(environ: Mapping[str, str]) -> int | None:
    """Read the memory of the function, in MB, which Lambda sets."""
    name = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
    return parse_count(environ, name, 0) if name in environ else None


def _read(environ: Mapping[str, str], name: str) -> str | None:
    value = environ.get(name)
    if value is not None and len(value) > MAX_CHARACTERS:
        raise InvalidSetting(name, value, f"a text of at most {MAX_CHARACTERS:,} characters")
    return value


def _parse_store_url(environ: Mapping[str, str], name: str) -> str:
    value = _read(environ, name)
    if not value or not value.startswith(("s3://", "file:///")):
        raise InvalidSetting(name, value, "s3://bucket/prefix or file:///folder")
    return value


def _parse_origins(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    value = _read(environ, name) or ""
    origins = tuple(origin.strip() for origin in value.split(",")) if value.strip() else ()
    if origins != ("*",) and not all(_is_origin(origin) for origin in origins):
        expected = "origins such as https://example.org, separated by commas, or *"
        raise InvalidSetting(name, value, expected)
    return origins


def _is_origin(text: str) -> bool:
    """Return whether a text is an origin as browsers send it: scheme and host, without a path."""
    scheme, separator, host = text.partition("://")
    return (
        scheme in ("http", "https")
        and bool(separator and host)
        and text.isascii()
        and text.isprintable()
        and not set(host) & set("/ *?#@\\")
    )


def parse_switch(environ: Mapping[str, str], name: str, *, default: bool = True) -> bool:
    """Read ``on`` or ``off``; raise `InvalidSetting` for anything else."""
    value = environ.get(name, "on" if default else "off")
    if value not in ("on", "off"):
        raise InvalidSetting(name, value, "on or off")
    return value == "on"


def _parse_share(environ: Mapping[str, str], name: str) -> float:
    """Read a share, which is 1 by default."""
    value = _read(environ, name)
    try:
        share = 1.0 if value is None else float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InvalidSetting(name, value, "a share from 0 to 1, such as 0.1")
    return share


def _parse_seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    value = _read(environ, name)
    if value is None:
        return default
    expected = f"a number of seconds, 0 or more, at most {MAX_SECONDS:,}"
    try:
        seconds = float(value)
    except ValueError:
        raise InvalidSetting(name, value, expected) from None
    if not 0 <= seconds <= MAX_SECONDS:
        raise InvalidSetting(name, value, expected)
    return seconds


def _parse_timeout(environ: Mapping[str, str], name: str, default: float) -> float:
    """Parse seconds that something must have to succeed."""
    seconds = _parse_seconds(environ, name, default)
    if seconds == 0:
        raise InvalidSetting(name, environ[name], "more than 0 seconds")
    return seconds


def parse_count(environ: Mapping[str, str], name: str, default: int, *, minimum: int = 1) -> int:
    """Read a whole number of at least `minimum`; raise `InvalidSetting` for anything else."""
    value = _read(environ, name)
    if value is None:
        return default
    is_count = value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS
    if not is_count or int(value) < minimum:
        expected = f"a whole number, {minimum} or more, of at most {MAX_DIGITS} digits"
        raise InvalidSetting(name, value, expected)
    return int(value)
