"""A row of a file gets the label, or the problems, that it gets alone in a request."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from chalicelib.errors import InvalidRequest, MalformedBody
from chalicelib.inputs.problems import locate_in_rows
from chalicelib.models.model import Model, load_model
from chalicelib.models.predict import predict
from chalicelib.protocols.invocations.csv_format import read_csv
from chalicelib.rest.body import parse_json
from tests.support.models import WineModel
from training.artifact import BuiltModel, build_artifact
from training.scoring.files import Format
from training.scoring.splitting import Position
from training.scoring.table import Table
from training.scoring.worker import Plan, Worker

many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CSV = Format("csv", is_compressed=False)
# Most rows are good, so that labels are compared as well as problems.
GOOD_NUMBERS = ["1", "4", "+1", " 3 ", "2."]
READABLE = ["0.5", "-2", ".5", "1e3", "1e400", "1e-400", "nan", "inf", "1e301", "2.5", "\t4", ""]
READABLE += ["9007199254740993", "9007199254740992", "-9007199254740993"]
BAD_NUMBERS = [*READABLE, "abc", "0x1", "1_0", "true", "1,5", "  "]
BOOLEANS = st.sampled_from(["true", "FALSE", "True"] * 5 + [" true", "tRue", "1", "", "yes"])
TEXTS = st.sampled_from(
    ["red", "white"] * 10 + ["", "Red", "rosé", 'a "b"', "x\ny", "null"]
) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)
JSON_VALUES: dict[str, list[Any]] = {
    "numeric": [None, 1, 0.5, -2, 1e300, 1e301, 10**400, True, "1", []],
    "integer": [1, 2, 3, None, 2**53, 2**53 + 1, 10**400, 2.5, "1", {}],
    "boolean": [True, False, True, False, None, 1, "true"],
    "categorical": ["red", "white", "red", None, "rosé", 1, {"a": 1}, "\ud800"],
}


class Scorer:
    """Scores files with a model, and rows one by one as requests are."""

    def __init__(self, built: BuiltModel) -> None:
        self._artifact = built.artifact
        self.model: Model = load_model(built.artifact)
        self.signature = self.model.manifest.signature
        self.names = self.signature.names

    def score(self, file: Path) -> tuple[dict[int, str], dict[int, list[tuple[str, str]]]]:
        """Return the label, or the problems, of each row of a file by its number."""
        table = Table(str(file))
        columns = table.find_columns(self.signature, [])
        worker = Worker(Plan(self._artifact, (), table.kind, CSV, columns, probabilities=False))
        labels: dict[int, str] = {}
        problems: dict[int, list[tuple[str, str]]] = {}
        for block in table.blocks(columns, Position(), has_blank_lines=True):
            result = worker.score(block)
            for row, label in csv.reader(io.StringIO(result.output.decode())):
                labels[int(row)] = label
            for row, _, at, problem in csv.reader(io.StringIO(result.rejects.decode())):
                problems.setdefault(int(row), []).append((at, problem))
        table.close()
        return labels, problems

    def request(self, sample: Any) -> str | list[tuple[str, str]]:
        """Return the label, or the problems, of a row in a request of its own."""
        try:
            prediction, _ = predict([sample], self.model, locate_in_rows(""), max_rows=1)
        except InvalidRequest as error:
            # In a file, the feature alone says where in the row.
            return [
                (each.at.removeprefix("[0]").removeprefix("."), each.problem)
                for each in error.problems
            ]
        return prediction.labels[0]

    def assert_agrees(self, file: Path, expected: list[Any]) -> None:
        """Check each row of a file."""
        labels, problems = self.score(file)
        assert len(labels) + len(problems) == len(expected)
        for row, outcome in enumerate(expected):
            assert outcome == (labels[row] if row in labels else problems[row])

    def assert_csv_agrees(self, file: Path, rows: list[list[str]]) -> None:
        """Write rows to a file and check each."""
        file.write_text(to_csv([self.names, *rows]), encoding="utf-8", newline="")
        expected = []
        for row in rows:
            [sample] = read_csv(to_csv([self.names, row]), self.signature, max_rows=1)
            expected.append(self.request(sample))
        self.assert_agrees(file, expected)


@pytest.fixture(scope="module")
def scorers(
    mixed: BuiltModel, trained: WineModel, reviews: BuiltModel, codes: BuiltModel
) -> dict[str, Scorer]:
    """Models of four kinds of features, of missing values, of texts, and of closed numbers."""
    built = {"mixed": mixed, "wine": trained.built, "reviews": reviews, "codes": codes}
    return {name: Scorer(each) for name, each in built.items()}


@pytest.fixture(scope="module")
def codes() -> BuiltModel:
    """A model of whole numbers of which only some are known, and of booleans with gaps."""
    frame = pd.DataFrame({"code": [1, 2, 4, 9] * 10, "new": [True, None, False, None] * 10})
    frame["new"] = frame["new"].astype("boolean")
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="error"), ["code"]), (SimpleImputer(), ["new"])
    )
    labels = np.where(frame["code"] > 3, "much", "little")
    estimator = make_pipeline(encoder, LogisticRegression()).fit(frame, labels)
    return build_artifact(estimator, frame, labels, name="codes")


@pytest.fixture(scope="module")
def reviews() -> BuiltModel:
    """A model of a text and a number that may be missing."""
    frame = pd.DataFrame({"text": ["good red", "bad white", "good", "bad"] * 10, "stars": 1.5})
    frame["stars"] += np.arange(40) % 3
    vectorizer = make_column_transformer((TfidfVectorizer(), "text"), remainder="passthrough")
    estimator = make_pipeline(vectorizer, LogisticRegression())
    labels = np.where(frame["text"].str.contains("good"), "yes", "no")
    return build_artifact(estimator.fit(frame, labels), frame, labels, name="reviews")


def cells_for(scorer: Scorer) -> st.SearchStrategy[list[str]]:
    """Return rows of cells, hostile ones among them."""
    features = scorer.signature.features
    numbers = st.sampled_from(GOOD_NUMBERS * 4 * len(features) + BAD_NUMBERS)
    kinds = {"categorical": TEXTS, "boolean": BOOLEANS}
    return st.tuples(*(kinds.get(feature.kind, numbers) for feature in features)).map(list)


def to_csv(rows: list[list[str]]) -> str:
    """Write rows as CSV."""
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows)
    return lines.getvalue()


GOOD_CELLS = {"numeric": "1", "integer": "2", "boolean": "true", "categorical": "red"}


@pytest.mark.parametrize("values", [READABLE, BAD_NUMBERS], ids=["readable", "bad"])
@pytest.mark.parametrize("name", ["mixed", "wine", "reviews", "codes"])
def test_each_bad_value_agrees_in_a_row_that_is_good_else(
    scorers: dict[str, Scorer], tmp_path: Path, name: str, values: list[str]
) -> None:
    """Those that PyArrow reads as numbers, so that only a check finds them; and all others."""
    scorer = scorers[name]
    good = [GOOD_CELLS[feature.kind] for feature in scorer.signature.features]
    rows = [
        [*good[:column], value, *good[column + 1 :]]
        for column, feature in enumerate(scorer.signature.features)
        for value in values
        if feature.kind in ("numeric", "integer")
    ]
    scorer.assert_csv_agrees(tmp_path / "rows.csv", [good, *rows])


@pytest.mark.parametrize("name", ["mixed", "wine", "reviews", "codes"])
@many
@given(data=st.data())
def test_rows_of_csv_agree(
    scorers: dict[str, Scorer], tmp_path: Path, name: str, data: st.DataObject
) -> None:
    """Also where one row makes the whole block hard to read."""
    scorer = scorers[name]
    rows = data.draw(st.lists(cells_for(scorer), min_size=1, max_size=6))
    scorer.assert_csv_agrees(tmp_path / "rows.csv", rows)


@pytest.mark.parametrize("name", ["mixed", "wine", "reviews", "codes"])
@many
@given(data=st.data())
def test_rows_of_json_lines_agree(
    scorers: dict[str, Scorer], tmp_path: Path, name: str, data: st.DataObject
) -> None:
    """Objects with any values of any features."""
    scorer = scorers[name]
    members = {f.name: st.sampled_from(JSON_VALUES[f.kind]) for f in scorer.signature.features}
    rows = st.fixed_dictionaries({}, optional=members) | st.fixed_dictionaries(members)
    objects = data.draw(st.lists(rows, min_size=1, max_size=6))
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in objects))
    scorer.assert_agrees(file, [scorer.request(parse_json(json.dumps(each))) for each in objects])


@many
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "size": st.none() | st.sampled_from([0.5, 1e300, 1e301, float("inf")]),
                "count": st.none() | st.integers(-(2**53) - 2, 2**53 + 2) | st.integers(0, 4),
                "old": st.none() | st.booleans(),
                "colour": st.none() | st.sampled_from(["red", "white", "rosé"]),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_rows_of_parquet_agree(
    scorers: dict[str, Scorer], tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    """Columns have types; null is a missing value."""
    schema = pa.schema(
        [
            ("size", pa.float64()),
            ("count", pa.int64()),
            ("old", pa.bool_()),
            ("colour", pa.string()),
        ]
    )
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "rows.parquet")
    scorer = scorers["mixed"]
    scorer.assert_agrees(tmp_path / "rows.parquet", [scorer.request(row) for row in rows])


FULL = '{"size":1,"count":2,"old":true,"colour":"red"'
STRANGE_LINES = st.sampled_from(
    [FULL + "}"] * 8
    + [FULL + more for more in (',"zz":NaN}', ',"size":2}', ',"x":[{}', "}{}", "}{}{}", "")]
    + [FULL.replace("1", number) + "}" for number in ("NaN", "01", "Infinity", "1e400", "+1")]
    + ["[1]", "1", "{", "{}]}", "null", '{"siez":1}', "{}", '"count":1}']
)


@many
@given(st.lists(STRANGE_LINES, min_size=1, max_size=6))
def test_lines_that_no_request_could_hold_are_rejected(
    scorers: dict[str, Scorer], tmp_path: Path, lines: list[str]
) -> None:
    """Each by itself, as PyArrow reads objects in parts of lines and several in one."""
    scorer = scorers["mixed"]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(lines))
    labels, problems = scorer.score(file)
    assert labels.keys() | problems.keys() == set(range(len(lines)))
    for row, line in enumerate(lines):
        try:
            sample = parse_json(line)
            is_scored = isinstance(sample, dict) and isinstance(scorer.request(sample), str)
        except MalformedBody:
            is_scored = False
        assert (row in labels) == is_scored, line


STRANGE_ROWS = st.sampled_from(
    [
        "1,2,true,red",
        '1,2,true,"red"',
        "1,2,true",
        "1,2,true,red,x",
        '1,2,true,"red"x',
        '1,2,true,r"d',
        '1,2,true,"re\nd"',
        '1,2,true,"r""d"',
        "",
        ' ,,,"',
        "1,2,true,�",
        "1,2,true,white",
    ]
)


@many
@given(st.lists(STRANGE_ROWS, max_size=6), st.sampled_from(["\n", "\r\n", "\r"]))
def test_rows_of_strange_csv_are_those_of_pythons_reader(
    scorers: dict[str, Scorer], tmp_path: Path, rows: list[str], end: str
) -> None:
    """Quotes within cells, other lengths, bytes that are not UTF-8."""
    scorer = scorers["mixed"]
    text = end.join(["size,count,old,colour", *rows])
    file = tmp_path / "rows.csv"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    labels, problems = scorer.score(file)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    next(reader)
    count = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            assert problems[count] == [("", "is not CSV: see its quotes")]
        else:
            if not cells:
                continue
            is_utf_8 = "\udcff" not in "".join(cells)
            is_known = len(cells) == 4 and cells[3] in ("red", "white")
            assert (count in labels) == (is_utf_8 and is_known and bool(cells[0].strip()))
        count += 1
    assert labels.keys() | problems.keys() == set(range(count))
