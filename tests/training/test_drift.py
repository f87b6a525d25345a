"""Drift: served rows in the log are compared with the training data, at a known error rate."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import boto3
import numpy as np
import pytest
from scipy.stats import chi2, entropy

from benchmarks.drifting import compare_rows, draw_rows, draw_shifted, fit_and_build, found
from chalicelib.models.model import Model, load_model
from chalicelib.monitoring.drift_index import drift_index, rank_statistic, stability_index
from tests.support.app import App
from tests.support.artifacts import rewrite_manifest
from tests.support.aws_server import moto_server
from tests.support.models import publish_to_folder
from training.__main__ import EXIT_ERROR, main
from training.artifact import BuiltModel
from training.drift import logs
from training.drift.comparison import js_distance
from training.drift.logs import add_up
from training.errors import UnreadableLog
from training.registry import ModelRegistry

GROUP = "/aws/lambda/drifting"


@pytest.fixture(scope="module", params=[178, 2_000])
def fitted(request: pytest.FixtureRequest) -> Model:
    """A model of a table as small as wine's, and of a larger one."""
    return load_model(fit_and_build(request.param).artifact)


@pytest.fixture(scope="module")
def built() -> BuiltModel:
    """A model of 500 rows."""
    return fit_and_build(500)


@pytest.fixture
def registry(built: BuiltModel, tmp_path: Path) -> ModelRegistry:
    """A store in which that model is live."""
    return publish_to_folder(built, tmp_path / "store")


@pytest.fixture
def serve_rows(
    start_app: Callable[..., App], registry: ModelRegistry, capfd: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return a function that serves rows, each in a request of its own, and returns the log."""

    def serve(rows: int, *, shifted: bool = False, seed: int = 1) -> str:
        random = np.random.default_rng(seed)
        frame, _ = draw_rows(rows, random)
        if shifted:
            frame = draw_shifted(rows, random)["a scale by two"][1]
        app = start_app(MODEL_URL=registry.url, DRIFT="on", DRIFT_ROWS=str(rows))
        capfd.readouterr()
        for sample in frame.to_dict("records"):
            assert app.classify(sample).status == 200
        return capfd.readouterr().out

    return serve


def test_data_from_the_training_distribution_raises_no_alarm_in_100_draws(fitted: Model) -> None:
    """Each of 2,000 rows, while a comparison raises one with a probability of 1 in 10,000."""
    random = np.random.default_rng(1)
    alarms = [found(compare_rows(fitted, draw_rows(2_000, random)[0])) for _ in range(100)]
    assert alarms == [[]] * 100


def test_each_of_five_shifts_is_found_within_1000_rows(fitted: Model) -> None:
    """In what was shifted."""
    shifts = draw_shifted(1_000, np.random.default_rng(2))
    assert len(shifts) == 5
    for name, (shifted, frame) in shifts.items():
        assert shifted in found(compare_rows(fitted, frame)), name


@pytest.mark.parametrize("training_rows", [178, 2_000])
def test_the_index_exceeds_its_critical_value_as_often_as_it_should(training_rows: int) -> None:
    """At a rate of 1 %, which can be measured: of shares that training rows estimate."""
    bins, rate = 12, 0.01
    random = np.random.default_rng(0)
    training = np.full(bins, training_rows // bins)
    critical = {str(freedom): float(chi2.isf(rate / 2, freedom)) for freedom in (1, bins)}
    served = random.multinomial(2_000, random.dirichlet(training, 5_000)).tolist()
    indices = [
        drift_index([*counts, 0], [*training, 0], critical, rows=2_000, has_order=True)
        for counts in served
    ]
    assert 0.3 * rate < np.mean(np.array(indices) > 1) <= rate


def test_indices_are_those_of_the_literature() -> None:
    """PSI by its definition, with half a row added; JS distance by SciPy's entropy."""
    served, training = np.array([10.0, 30.0, 60.0]), np.array([40.0, 40.0, 20.0])
    p, q = (served + 0.5) / 101.5, (training + 0.5) / 101.5
    expected = np.sum((p - q) * np.log(p / q))
    assert stability_index([10, 30, 60], [40, 40, 20]) == pytest.approx(expected)
    p, q = served / 100, training / 100
    middle = (p + q) / 2
    divergence = (entropy(p, middle, base=2) + entropy(q, middle, base=2)) / 2
    assert js_distance([10, 30, 60], [40, 40, 20]) == pytest.approx(np.sqrt(divergence))
    assert js_distance([1, 0], [0, 1]) == 1.0
    assert rank_statistic([5, 5], [50, 50]) == 0.0
    assert rank_statistic([0, 5], [0, 50]) == 0.0
    assert drift_index([200], [50], {"1": 20.0}, rows=200, has_order=False) == 0.0


def test_a_log_file_of_any_form_is_compared(
    serve_rows: Callable[..., str],
    registry: ModelRegistry,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As printed, after a time and a stream, compressed, and as `aws logs` prints JSON."""
    log = serve_rows(400)
    tail = "".join(
        f"2026-11-26T10:00:00+00:00 2026/11/26/[1]ab {line}\n" for line in log.split("\n")
    )
    exported = json.dumps({"events": [{"message": line} for line in log.splitlines()]}, indent=2)
    (tmp_path / "log").write_text(log)
    (tmp_path / "tail").write_text(tail)
    (tmp_path / "json").write_text(exported)
    (tmp_path / "log.gz").write_bytes(gzip.compress(log.encode()))
    printed = set()
    for name in ("log", "tail", "json", "log.gz"):
        assert main(["drift", "--store", registry.url, "--logs", str(tmp_path / name)]) == 0
        printed.add(capfd.readouterr().out)
    [table] = printed
    assert "400 rows of 400 requests; 400 of them were counted, in 1 summary." in table
    assert len(re.findall(r"^\S+ +0\.\d+ +0\.\d+ +\d+ +400 +0\.\d+ +no drift$", table, re.M)) == 7


def test_drift_is_found_in_cloudwatch_and_drawn(
    serve_rows: Callable[..., str],
    registry: ModelRegistry,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Page after page of the log group; the report holds all that it needs."""
    lines = serve_rows(400, shifted=True).splitlines()
    report = tmp_path / "reports" / "drift.html"
    monkeypatch.setattr(logs, "PAGE_EVENTS", 3)
    with moto_server() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        write_log_group(lines)
        command = ["drift", "--store", registry.url, "--log-group", GROUP, "--since", "2d"]
        assert main([*command, "--out", str(report)]) == 0
        printed = capfd.readouterr().out
        assert main([*command, "--fail-on-drift"]) == EXIT_ERROR
        assert "There is drift" in capfd.readouterr().err
        assert main(["drift", "--store", registry.url, "--log-group", "none"]) == EXIT_ERROR
        assert "The log group none cannot be read" in capfd.readouterr().err
    first = printed.splitlines()[5]
    assert first.startswith("normal ")
    assert first.endswith(" drift")
    html = report.read_text()
    assert html.count("data:image/png;base64,") == 7
    assert "normal: drift" in html
    assert "town: no drift" in html
    assert not re.search(r'(src|href)="(?!data:)', html)


def write_log_group(lines: list[str]) -> None:
    """Write lines to a new log group."""
    client = boto3.client("logs")
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName="s")
    now = int(np.datetime64("now", "ms").astype(int))
    events = [{"timestamp": now - 1000 + i, "message": line} for i, line in enumerate(lines)]
    client.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)


def test_summaries_of_processes_are_added_up_by_version() -> None:
    """The last one of each window counts; what counts are worth adds up as variances do."""

    def line(version: str, window: str, counted: int, worth: int, counts: str) -> str:
        return json.dumps(
            {"event": "drift", "version": version, "window": window, "requests": 2,
             "rows": counted, "counted": counted, "worth": [worth], "counts": counts}
        )  # fmt: skip

    sums = add_up(
        [
            line("v1", "a-0", 4, 4, "1,,3;4"),
            line("v1", "a-0", 8, 8, "2,1,5;8"),
            "START RequestId: 1",
            line("v1", "a-0", 6, 6, "1,1,4;6"),
            line("v1", "b-0", 8, 2, "8,,;8"),
            line("v2", "a-1", 1, 1, "1,,;1"),
        ]
    )
    assert set(sums) == {"v1", "v2"}
    total = sums["v1"]
    assert total.counts == [[10, 1, 5], [16]]
    assert (total.windows, total.requests, total.rows, total.counted) == (2, 4, 16, 16)
    assert total.worth == [round(16**2 / (8**2 / 8 + 8**2 / 2))] * 2


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"drift","version":"v"',
        '{"event":"drift","version":"v","window":"w"}',
        '{"event":"drift","version":"v","window":"w","requests":1,"rows":1,"counted":1,'
        '"worth":[1],"counts":"x"}',
    ],
)
def test_a_summary_that_is_cut_off_is_an_error(line: str) -> None:
    """Rather than counted in part."""
    with pytest.raises(UnreadableLog):
        add_up([line])


def test_a_log_without_summaries_says_what_is_missing(
    registry: ModelRegistry, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also one of another version, a file that is none, and one that is not compressed."""
    (tmp_path / "log").write_text('{"event": "model loaded"}\n')
    (tmp_path / "log.gz").write_text("no gzip")
    for arguments, message in (
        (["--logs", str(tmp_path / "log")], "The log has no summary: the server logs one"),
        (["--logs", str(tmp_path / "log"), "--version", "0"], "no summary of version 0"),
        (["--logs", str(tmp_path / "none")], "cannot be read"),
        (["--logs", str(tmp_path / "log.gz")], "cannot be read"),
    ):
        assert main(["drift", "--store", registry.url, *arguments]) == EXIT_ERROR
        assert message in capfd.readouterr().err


def test_a_version_without_a_distribution_is_to_be_published_again(
    built: BuiltModel, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Manifests had none before."""
    older = rewrite_manifest(built.artifact, lambda manifest: manifest.pop("distribution"))
    registry = ModelRegistry(str(tmp_path / "older"))
    registry.publish(older)
    version = registry.live_version()
    (tmp_path / "log").write_text(
        f'{{"event":"drift","version":"{version}","window":"w","requests":1,"rows":1,"counted":1,'
        '"worth":[1],"counts":"1"}\n'
    )
    assert main(["drift", "--store", registry.url, "--logs", str(tmp_path / "log")]) == EXIT_ERROR
    assert "publish it again" in capfd.readouterr().err


@pytest.mark.parametrize("age", ["7", "d", "1y", "999999d"])
def test_an_age_that_is_none_is_wrong_usage(age: str, capfd: pytest.CaptureFixture[str]) -> None:
    """With what it may be."""
    with pytest.raises(SystemExit):
        main(["drift", "--store", "x", "--log-group", "g", "--since", age])
    assert "is not an age such as 90m, 12h, 7d or 2w" in capfd.readouterr().err
