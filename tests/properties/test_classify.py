"""Whatever a client sends: hypothesis looks for a body that the app has no good answer to."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import ServingError
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


def samples_of(data: object) -> Samples:
    """Read samples that the signature takes."""
    body = json.dumps({"data": data}).encode()
    return read_samples(read_classify_request(body, {}).data, SIGNATURE, max_rows=100)


@many
@given(st.binary())
def test_no_bytes_give_a_500(app: App, body: bytes) -> None:
    """Bytes that are hardly ever JSON."""
    answer = app.request("POST", "/classify", body)
    assert answer.status in (200, 400, 422)
    assert answer.status == 200 or is_error(answer.body)


@many
@given(anything | requests)
def test_no_json_gives_a_500(app: App, document: object) -> None:
    """JSON of any form, and requests with any data."""
    answer = app.request("POST", "/classify", json.dumps(document).encode())
    assert answer.status in (200, 400, 422)
    assert answer.status == 200 or is_error(answer.body)


@many
@given(samples)
def test_one_sample_round_trips_in_every_form(sample: list[float | None]) -> None:
    """By position, by name, by name in another order, without what is missing."""
    by_name = dict(zip(NAMES, sample, strict=True))
    present = {name: value for name, value in by_name.items() if value is not None}
    for data in (sample, by_name, dict(reversed(by_name.items())), present):
        read = samples_of(data)
        np.testing.assert_array_equal(read.numbers, np.array(sample, dtype=np.float64))
        assert (read.rows, read.is_batch) == (1, False)


@many
@given(st.lists(samples, min_size=1))
def test_a_batch_round_trips_in_every_form(batch: list[list[float | None]]) -> None:
    """As lists and as objects."""
    expected = np.array(batch, dtype=np.float64).ravel()
    for data in (batch, [dict(zip(NAMES, sample, strict=True)) for sample in batch]):
        read = samples_of(data)
        np.testing.assert_array_equal(read.numbers, expected)
        assert (read.rows, read.is_batch) == (len(batch), True)


@many
@given(finite)
def test_a_number_alone_round_trips_as_number_and_as_text(value: float) -> None:
    """The tutorial's form."""
    expected = np.array([value, np.nan, np.nan])
    for data in (value, str(value), f" {value} "):
        np.testing.assert_array_equal(samples_of(data).numbers, expected)


@many
@given(st.integers(min_value=-(10**400), max_value=10**400))
def test_an_integer_of_any_size_is_read_or_refused(value: int) -> None:
    """Python's integers have no end, float64 has."""
    try:
        assert samples_of([value, None, None]).numbers[0] == float(value)
    except ServingError:
        assert abs(value) > 10**300
