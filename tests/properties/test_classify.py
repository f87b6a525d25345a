"""`POST /classify` with bodies that hypothesis makes up."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import ServingError
from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import Samples, read_samples
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.protocols.classify import read_classify_request
from tests.support.app import App
from tests.support.errors import is_error

NAMES = ("alcohol", "ash", "hue")
SIGNATURE = Signature(
    features=tuple(Feature(name, "numeric", required=name == "alcohol") for name in NAMES),
    classes=("0", "1"),
)

many = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
finite = st.floats(min_value=-1e300, max_value=1e300)
optional = st.none() | finite
samples = st.tuples(finite, optional, optional).map(list)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from([*NAMES, "data", "probabilities"]), inner)
    ),
)
requests = st.fixed_dictionaries({"data": anything}, optional={"probabilities": anything})


def parse(data: object) -> Samples:
    """Parse samples with the signature."""
    body = json.dumps({"data": data}).encode()
    data = read_classify_request(body, {}).data
    return read_samples(data, SIGNATURE, locate_in_rows("data"), max_rows=100)


@many
@given(st.binary())
def test_random_bytes_never_cause_a_500(app: App, body: bytes) -> None:
    """Hardly any of them are JSON."""
    response = app.request("POST", "/classify", body)
    assert response.status in (200, 400, 422)
    assert response.status == 200 or is_error(response.body)


@many
@given(anything | requests)
def test_random_json_never_causes_a_500(app: App, document: object) -> None:
    """Any JSON, and requests with any data."""
    response = app.request("POST", "/classify", json.dumps(document).encode())
    assert response.status in (200, 400, 422)
    assert response.status == 200 or is_error(response.body)


@many
@given(samples)
def test_one_sample_is_parsed_from_every_form(sample: list[float | None]) -> None:
    """By position, by name in two orders, and without missing values."""
    by_name = dict(zip(NAMES, sample, strict=True))
    present = {name: value for name, value in by_name.items() if value is not None}
    for data in (sample, by_name, dict(reversed(by_name.items())), present):
        read = parse(data)
        np.testing.assert_array_equal(read.numbers, np.array(sample, dtype=np.float64))
        assert (read.rows, read.is_batch) == (1, False)


@many
@given(st.lists(samples, min_size=1))
def test_a_batch_is_parsed_from_every_form(batch: list[list[float | None]]) -> None:
    """Lists and objects."""
    expected = np.array(batch, dtype=np.float64).ravel()
    for data in (batch, [dict(zip(NAMES, sample, strict=True)) for sample in batch]):
        read = parse(data)
        np.testing.assert_array_equal(read.numbers, expected)
        assert (read.rows, read.is_batch) == (len(batch), True)


@many
@given(finite)
def test_one_number_is_parsed_from_number_and_text(value: float) -> None:
    """The form of the tutorial's request."""
    expected = np.array([value, np.nan, np.nan])
    for data in (value, str(value), f" {value} "):
        np.testing.assert_array_equal(parse(data).numbers, expected)


@many
@given(st.integers(min_value=-(10**400), max_value=10**400))
def test_an_integer_of_any_size_is_parsed_or_rejected(value: int) -> None:
    """Python's integers are unbounded, float64 is not."""
    try:
        assert parse([value, None, None]).numbers[0] == float(value)
    except ServingError:
        assert abs(value) > 10**300
