"""Settings are parsed from environment variables; an invalid one is named."""

from __future__ import annotations

import pytest

from chalicelib.errors import InvalidSetting
from chalicelib.settings import LogSettings, Settings, derive_key, parse_reference

SECRET = "correct-horse-battery"
URL = {"MODEL_URL": "s3://bucket/prefix"}


def test_only_the_store_has_no_default() -> None:
    """`MODEL_URL` is the only required variable."""
    assert Settings.from_environ(URL) == Settings(
        "s3://bucket/prefix", 60.0, 5.0, 10_000, 104_857_600
    )


def test_every_variable_is_parsed() -> None:
    """Each to its own type."""
    environ = {
        "MODEL_URL": "file:///models",
        "MODEL_REFRESH_SECONDS": "0.5",
        "MODEL_TIMEOUT_SECONDS": "2",
        "MODEL_MAX_ROWS": "7",
        "MODEL_MAX_BYTES": "8",
        "MODEL_SIGNING_KEY": SECRET,
        "MODEL_STAGE": "prod",
        "MODEL_MAX_SECONDS": "2.5",
    }
    secrets = (("MODEL_SIGNING_KEY", SECRET),)
    assert Settings.from_environ(environ) == Settings(
        "file:///models", 0.5, 2.0, 7, 8, secrets, stage="prod", max_seconds=2.5
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MODEL_URL", "", "s3://bucket/prefix or file:///folder"),
        ("MODEL_URL", "http://somewhere", "s3://bucket/prefix or file:///folder"),
        ("MODEL_URL", "file://host/folder", "s3://bucket/prefix or file:///folder"),
        ("MODEL_REFRESH_SECONDS", "soon", "a number of seconds, 0 or more"),
        ("MODEL_REFRESH_SECONDS", "-1", "a number of seconds, 0 or more"),
        ("MODEL_REFRESH_SECONDS", "nan", "a number of seconds, 0 or more"),
        ("MODEL_REFRESH_SECONDS", "inf", "a number of seconds, 0 or more"),
        ("MODEL_REFRESH_SECONDS", "1e10", "a number of seconds, 0 or more, at most 1,000,000,000"),
        ("MODEL_TIMEOUT_SECONDS", "-1", "a number of seconds, 0 or more"),
        ("MODEL_TIMEOUT_SECONDS", "0", "more than 0 seconds"),
        ("MODEL_MAX_SECONDS", "0", "more than 0 seconds"),
        ("MODEL_MAX_SECONDS", "a few", "a number of seconds, 0 or more"),
        ("MODEL_MAX_CELLS", "0", "a whole number, 1 or more"),
        ("MODEL_MAX_CELLS", "9" * 16, "a whole number, 1 or more, of at most 15 digits"),
        ("MODEL_MAX_BYTES", "-1", "a whole number, 1 or more"),
        ("MODEL_MAX_ROWS", "0", "a whole number, 1 or more"),
        ("MODEL_MAX_ROWS", "1.5", "a whole number, 1 or more"),
        ("MODEL_MAX_ROWS", "²", "a whole number, 1 or more"),
        ("LOG_LEVEL", "INFO", "one of info, warning, error"),
        ("LOG_SAMPLE", "10%", "a share from 0 to 1"),
        ("LOG_SAMPLE", "1.5", "a share from 0 to 1"),
        ("LOG_SAMPLE", "nan", "a share from 0 to 1"),
        ("METRICS", "yes", "on or off"),
    ],
)
def test_the_error_names_the_invalid_variable(name: str, value: str, expected: str) -> None:
    """And its value and what it may be."""
    with pytest.raises(InvalidSetting, match=f"{name} is {value!r}; it must be {expected}"):
        Settings.from_environ(URL | {name: value})


def test_requests_are_logged_with_metrics_on_lambda_only() -> None:
    """Unless the variables say otherwise."""
    on_lambda = {"AWS_LAMBDA_FUNCTION_NAME": "function"}
    assert LogSettings.from_environ(on_lambda) == LogSettings("info", 1.0, metrics=True)
    elsewhere = LogSettings("error", 1.0, metrics=False, drift=False)
    assert LogSettings.from_environ({}) == elsewhere
    environ = {"LOG_LEVEL": "warning", "LOG_SAMPLE": "0.1", "METRICS": "on"}
    assert LogSettings.from_environ(environ) == LogSettings(
        "warning", 0.1, metrics=True, drift=False
    )
    environ = {"DRIFT": "on", "DRIFT_SECONDS": "9", "DRIFT_ROWS": "100"}
    assert LogSettings.from_environ(environ) == elsewhere._replace(
        drift=True, drift_seconds=9.0, drift_rows=100
    )


def test_a_drift_index_of_few_rows_is_no_setting() -> None:
    """Its rate of false alarms is not known."""
    with pytest.raises(InvalidSetting, match="a whole number, 100 or more"):
        LogSettings.from_environ({"DRIFT_ROWS": "99"})


@pytest.mark.parametrize(
    "name", ["MODEL_URL", "MODEL_MAX_ROWS", "MODEL_TIMEOUT_SECONDS", "CORS_ORIGINS"]
)
def test_a_setting_of_absurd_length_is_named_and_shortened(name: str) -> None:
    """As the log has it."""
    with pytest.raises(InvalidSetting, match=f"{name} is '9{{80}}…'; it must be a text of at most"):
        Settings.from_environ(URL | {name: "9" * 10_000})


@pytest.mark.parametrize(
    ("width", "samples"), [(16, 10_000), (100, 10_000), (101, 9_900), (1_000_000, 1), (10**7, 1)]
)
def test_samples_are_bounded_by_rows_and_by_cells(width: int, samples: int) -> None:
    """One sample is always accepted."""
    assert Settings.from_environ(URL).max_samples(width) == samples


@pytest.mark.parametrize(
    ("seconds", "samples"),
    [
        (0.0, 9_900),
        (1e-6, 9_900),
        (0.75 / 9_899, 9_899),
        (0.25, 3),
        (0.75, 1),
        (99.0, 1),
        (5e-324, 9_900),
    ],
)
def test_samples_are_bounded_by_the_time_of_the_model(seconds: float, samples: int) -> None:
    """If it was measured; three quarters of a second by default."""
    assert Settings.from_environ(URL).max_samples(101, seconds) == samples


def test_the_error_tells_unset_from_empty() -> None:
    """A missing variable is reported as not set."""
    with pytest.raises(InvalidSetting, match="MODEL_URL is not set"):
        Settings.from_environ({})


@pytest.mark.parametrize("secret", ["", "k", "correct-horse-b"])
def test_a_short_signing_key_is_rejected_and_not_printed(secret: str) -> None:
    """An empty one would silently turn signatures off."""
    with pytest.raises(InvalidSetting) as caught:
        Settings.from_environ(URL | {"MODEL_SIGNING_KEY": secret})
    assert str(caught.value) == (
        f"MODEL_SIGNING_KEY has {len(secret)} characters; it must be a secret of at least 16 "
        "characters."
    )


def test_a_key_is_valid_for_one_model_and_one_stage() -> None:
    """The last part of the store's URL is the model's name."""
    scopes = [("s3://b/wine", "prod"), ("s3://b/wine", "dev"), ("s3://b/iris", "prod")]
    assert len({derive_key(SECRET, url, stage) for url, stage in scopes}) == 3
    assert derive_key(SECRET, "s3://b/wine/", "") == derive_key(SECRET, "s3://c/x/wine", "")


def test_stage_prod_needs_a_key_unless_it_says_otherwise() -> None:
    """A key that is removed by mistake does not let unsigned models in."""
    with pytest.raises(InvalidSetting, match="MODEL_UNSIGNED=yes"):
        Settings.from_environ(URL | {"MODEL_STAGE": "prod"})
    unsigned = Settings.from_environ(URL | {"MODEL_STAGE": "prod", "MODEL_UNSIGNED": "yes"})
    assert unsigned.signing_secrets == ()


def test_the_signing_key_is_not_printed() -> None:
    """The settings' representation leaves it out."""
    settings = Settings.from_environ(URL | {"MODEL_SIGNING_KEY": SECRET})
    assert SECRET not in f"{settings!r} {settings}"


PARAMETER_ARN = "arn:aws:ssm:eu-central-1:123456789012:parameter/wine/key"
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:wine-a1b2c3"


@pytest.mark.parametrize(
    ("reference", "parsed"),
    [
        ("ssm:/wine/key", ("ssm", "", "/wine/key")),
        ("ssm:k", ("ssm", "", "k")),
        (PARAMETER_ARN, ("ssm", "eu-central-1", PARAMETER_ARN)),
        (SECRET_ARN, ("secretsmanager", "eu-central-1", SECRET_ARN)),
    ],
)
def test_a_signing_key_may_be_a_reference(reference: str, parsed: tuple[str, str, str]) -> None:
    """However short it is: what it refers to is the key."""
    Settings.from_environ(URL | {"MODEL_SIGNING_KEY": reference})
    assert parse_reference(reference) == parsed


@pytest.mark.parametrize(
    "reference",
    ["ssm:", "arn:", "arn:aws:s3:::bucket/key", PARAMETER_ARN.replace("123456789012", ""),
     SECRET_ARN.replace("secret:", "other:"), "arn:aws:ssm:eu-central-1:1"],
)  # fmt: skip
def test_what_refers_to_no_secret_is_rejected(reference: str) -> None:
    """And not printed: it may be a secret that looks like one."""
    with pytest.raises(InvalidSetting) as caught:
        Settings.from_environ(URL | {"MODEL_SIGNING_KEY": reference})
    assert "ssm:NAME, or the ARN of a parameter or secret" in str(caught.value)
    assert reference[4:] not in str(caught.value) or not reference[4:]


def test_a_previous_key_needs_a_new_one() -> None:
    """An empty one is none: the template of a stack has it."""
    names = ("MODEL_SIGNING_KEY", "MODEL_SIGNING_KEY_PREVIOUS")
    both = dict.fromkeys(names, SECRET)
    assert Settings.from_environ(URL | both).signing_secrets == tuple(both.items())
    one = Settings.from_environ(URL | {names[0]: SECRET, names[1]: ""})
    assert one.signing_secrets == ((names[0], SECRET),)
    with pytest.raises(InvalidSetting, match="MODEL_SIGNING_KEY is not set; it must be the new"):
        Settings.from_environ(URL | {names[1]: SECRET})
    with pytest.raises(InvalidSetting, match="MODEL_SIGNING_KEY_PREVIOUS has 5 characters"):
        Settings.from_environ(URL | {names[0]: SECRET, names[1]: "short"})
