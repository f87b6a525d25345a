"""Files that are scored: every row has its line, in order."""

from __future__ import annotations

import csv
import gzip
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from chalicelib.bulk.scoring import Scorer
from chalicelib.models.model import load_model
from tests.support.artifacts import with_row_seconds
from tests.support.bulk import EventSource, Stack, make_function
from tests.support.models import WineModel
from training.artifact import BuiltModel

ROWS = 400


@pytest.fixture(scope="module")
def table(trained: WineModel) -> pd.DataFrame:
    """Wines, their columns in another order."""
    names = trained.dataset.feature_names
    indices = np.random.default_rng(0).integers(len(trained.dataset.X), size=ROWS)
    return pd.DataFrame(trained.dataset.X, columns=names).iloc[indices, ::-1]


def expected(trained: WineModel, table: pd.DataFrame) -> tuple[list[str], Any]:
    """Return scikit-learn's labels and probabilities."""
    rows = table[trained.dataset.feature_names].to_numpy()
    labels = [str(label) for label in trained.estimator.predict(rows)]
    return labels, trained.estimator.predict_proba(rows)


@pytest.mark.parametrize(
    ("name", "prefix", "line_end", "compress"),
    [
        ("wines.csv", "", "\n", False),
        ("of 2026/wines, old.csv", "\ufeff", "\r\n", False),
        ("wines.csv.gz", "\ufeff", "\n", True),
    ],
)
def test_csv_comes_back_with_the_predictions_of_scikit_learn(
    source: EventSource,
    stack: Stack,
    trained: WineModel,
    table: pd.DataFrame,
    name: str,
    prefix: str,
    line_end: str,
    compress: bool,
) -> None:
    """With a header in any order, a byte order mark, other line ends, or compressed."""
    data = (prefix + table.to_csv(index=False, lineterminator=line_end)).encode()
    stack.put(name, gzip.compress(data) if compress else data)
    source.run()
    lines = list(csv.reader(stack.lines(name)))
    labels, probabilities = expected(trained, table)
    assert [line[0] for line in lines] == labels
    assert np.allclose(np.array([line[1:4] for line in lines], float), probabilities, atol=1e-5)
    assert {line[4] for line in lines} == {""}
    success = stack.read_json(name, "_SUCCESS")
    assert (success["rows"], success["rejected"]) == (ROWS, 0)
    assert success["version"] == trained.built.version
    assert success["columns"] == [
        "prediction",
        *(f"probability_{label}" for label in "012"),
        "problem",
    ]
    parts = [part for part in stack.names(name) if part.startswith("part-")]
    assert len(parts) == success["parts"]
    assert (len(parts) >= 5) is not compress  # gzip is not split
    assert source.failures == 0


@pytest.mark.parametrize("orient", ["records", "values"])
def test_json_lines_come_back_too(
    source: EventSource, stack: Stack, trained: WineModel, table: pd.DataFrame, orient: str
) -> None:
    """Objects by name, or lists by position."""
    ordered = table[trained.dataset.feature_names]
    rows = ordered.values.tolist() if orient == "values" else table.to_dict("records")
    stack.put("wines.jsonl", "\n".join(map(json.dumps, rows)).encode())
    source.run()
    labels, _ = expected(trained, table)
    assert [line.partition(",")[0] for line in stack.lines("wines.jsonl")] == labels
    assert stack.read_json("wines.jsonl", "_SUCCESS")["parts"] >= 5


def test_csv_without_a_header_is_read_by_position(
    source: EventSource, stack: Stack, trained: WineModel, table: pd.DataFrame
) -> None:
    """As in a request."""
    ordered = table[trained.dataset.feature_names]
    stack.put("wines.csv", ordered.to_csv(index=False, header=False).encode())
    source.run()
    labels, _ = expected(trained, table)
    assert [line.partition(",")[0] for line in stack.lines("wines.csv")] == labels


def test_probabilities_are_left_out_if_the_stack_says_so(
    stack: Stack, trained: WineModel, table: pd.DataFrame
) -> None:
    """By its parameter."""
    stack.put("wines.csv", table.to_csv(index=False).encode())
    EventSource(stack, make_function(stack, BULK_PROBABILITIES="off")).run()
    labels, _ = expected(trained, table)
    assert stack.lines("wines.csv") == [f"{label}," for label in labels]
    assert stack.read_json("wines.csv", "_SUCCESS")["columns"] == ["prediction", "problem"]


def test_a_bad_row_has_a_problem_and_the_others_a_prediction(
    source: EventSource, stack: Stack, trained: WineModel, table: pd.DataFrame
) -> None:
    """Whatever is wrong with it; nothing that it holds is repeated."""
    lines = table.to_csv(index=False).encode().splitlines()
    bad = {
        7: b"secret," + b"1," * 11 + b"1",
        8: b"1,2",
        9: b'"secret"x' + b",1" * 12,
        101: b"," * 12,
        300: b"9e999" + b",1" * 12,
    }
    for row, line in bad.items():
        lines[1 + row] = line
    lines.insert(51, b"")  # no row
    stack.put("wines.csv", b"\n".join(lines))
    source.run()
    scored = list(csv.reader(stack.lines("wines.csv")))
    labels, _ = expected(trained, table)
    assert len(scored) == ROWS
    problems = {row: line[4] for row, line in enumerate(scored) if line[4]}
    assert problems == {
        7: "proline must be a number, not text",
        8: "has 2 values, not 13: one for each column",
        9: "is not CSV",
        101: "has no value: a sample needs at least one",
        300: "proline is too large: a number may be up to 1e300",
    }
    assert [line[0] for row, line in enumerate(scored) if row not in bad] == [
        label for row, label in enumerate(labels) if row not in bad
    ]
    success = stack.read_json("wines.csv", "_SUCCESS")
    assert (success["rows"], success["rejected"]) == (ROWS, len(bad))


def test_a_row_that_is_not_utf_8_is_rejected_alone(
    source: EventSource, stack: Stack, trained: WineModel, table: pd.DataFrame
) -> None:
    """Far from the begin, whose bytes tell whether the file is text at all."""
    lines = table.to_csv(index=False).encode().splitlines()
    lines = [lines[0], *lines[1:] * 15]
    lines[1 + 5_000] = b"\xff" + b",1" * 12
    stack.put("wines.csv", b"\n".join(lines))
    EventSource(stack, make_function(stack, BULK_RANGE_BYTES="100000")).run()
    scored = list(csv.reader(stack.lines("wines.csv")))
    labels, _ = expected(trained, table)
    assert scored[5_000] == ["", "", "", "", "is not UTF-8"]
    assert [line[0] for line in scored[5_001:]] == (labels * 15)[5_001:]


def test_text_features_may_hold_quoted_line_ends(
    source: EventSource, stack: Stack, mixed: BuiltModel
) -> None:
    """A range never ends within one."""
    stack.registry.publish(mixed.artifact)
    rows = ["size,count,old,colour"]
    for index in range(500):
        colour = '"r\n""e""d,\r\n"' if index % 3 == 0 else "red"
        rows.append(f"0.5,{index % 5},true,{colour}")
    stack.put("mixed.csv", "\n".join(rows).encode())
    source.run()
    lines = list(csv.reader(stack.lines("mixed.csv")))
    assert len(lines) == 500
    for index, line in enumerate(lines):
        problem = "colour is not a known category" if index % 3 == 0 else ""
        assert line[-1] == problem
        assert bool(line[0]) is not bool(problem)


def test_json_lines_with_bad_rows(
    source: EventSource, stack: Stack, trained: WineModel, table: pd.DataFrame
) -> None:
    """Lists and objects may be mixed: a line is a row of its own."""
    good = json.dumps(table[trained.dataset.feature_names].iloc[0].tolist())
    rows = [good, '{"alcohol": 1', '{"alcohl": 1}', '{"alcohol": 13.2}', "", "5", good]
    stack.put("wines.jsonl", "\n".join(rows).encode())
    source.run()
    lines = list(csv.reader(stack.lines("wines.jsonl")))
    assert [line[-1] for line in lines] == [
        "",
        "is not JSON",
        "alcohl is not a feature of this model; did you mean 'alcohol'?",
        "",
        "must be a list or an object",
        "",
    ]


def test_a_file_is_scored_in_small_ranges_by_a_slow_model(
    source: EventSource, stack: Stack, trained: WineModel, table: pd.DataFrame
) -> None:
    """Each takes the model about a minute, and there is no limit of the rows."""
    stack.registry.publish(with_row_seconds(trained.built.artifact, 12))  # 5 rows a minute
    rows = table.iloc[:40]
    stack.put("wines.csv", rows.to_csv(index=False).encode())
    source.run()
    lines = list(csv.reader(stack.lines("wines.csv")))
    assert [line[0] for line in lines] == expected(trained, rows)[0]
    success = stack.read_json("wines.csv", "_SUCCESS")
    assert (success["rows"], success["rejected"]) == (40, 0)
    assert success["parts"] == 3  # of at least a kilobyte


@pytest.mark.parametrize(("seconds", "batches"), [(0, 1), (0.0001, 1), (0.3, 4), (7, 10)])
def test_the_time_left_is_checked_before_each_batch_of_a_slow_model(
    trained: WineModel, seconds: float, batches: int
) -> None:
    """A batch takes a second, or is one row; and it is checked before each chunk."""
    model = load_model(with_row_seconds(trained.built.artifact, seconds))
    header = ",".join(trained.dataset.feature_names) + "\n"
    row = (",".join(map(str, trained.dataset.X[0])) + "\n").encode()
    calls: list[None] = []
    scorer = Scorer(model, "csv", header, lambda: calls.append(None), probabilities=False)
    [lines] = scorer.score([row * 10])
    label = trained.estimator.predict(trained.dataset.X[:1])[0]
    assert lines.decode() == f"{label},\n" * 10
    assert (scorer.rows, len(calls)) == (10, batches + 1)


@pytest.mark.parametrize("name", ["wines.csv", "wines.jsonl"])
def test_columns_that_are_no_features_are_ignored(
    source: EventSource, stack: Stack, trained: WineModel, table: pd.DataFrame, name: str
) -> None:
    """Numbers and texts, wherever they are, as when a file is scored on one machine."""
    wider = table.assign(note='a "b", c', id=range(len(table)))
    wider = wider[["id", *table.columns, "note"]]
    data = (
        wider.to_csv(index=False)
        if name.endswith("csv")
        else wider.to_json(orient="records", lines=True, double_precision=15)
    )
    stack.put(name, data.encode())
    source.run()
    assert stack.read_json(name, "_SUCCESS")["rejected"] == 0
    labels = [line.split(",")[0] for line in stack.lines(name)]
    assert labels == expected(trained, table)[0]


def test_a_misspelt_feature_of_a_row_is_a_problem(
    source: EventSource, stack: Stack, table: pd.DataFrame
) -> None:
    """Also where the rows before it are right."""
    rows = table.head(2).to_dict(orient="records")
    rows[1]["alcohl"] = rows[1].pop("alcohol")
    stack.put("wines.jsonl", "\n".join(map(json.dumps, rows)).encode())
    source.run()
    assert stack.read_json("wines.jsonl", "_SUCCESS")["rejected"] == 1
    assert "did you mean 'alcohol'?" in stack.lines("wines.jsonl")[1]
