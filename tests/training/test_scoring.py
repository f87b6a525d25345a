"""`python -m training score`: what it writes, and what it does with what it cannot score."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import RadiusNeighborsClassifier

from tests.support.models import WineModel, publish_to_folder
from training import progress
from training.__main__ import main
from training.artifact import BuiltModel, build_artifact
from training.registry import ModelRegistry

GOOD = ["1,2,true,red", "-1,0,false,white", "2.5,4,true,white"]
HEADER = "size,count,old,colour"


class Scoring:
    """The command in a folder with a store and a table."""

    def __init__(self, folder: Path, store: str, printed: Callable[[], Any]) -> None:
        self.folder, self._store, self._printed = folder, store, printed

    def __call__(self, table: str, *options: str, out: str = "out.csv") -> int:
        """Score a table; both names are those of files in the folder, or URLs."""
        table, out = (name if "://" in name else str(self.folder / name) for name in (table, out))
        return main(["score", table, "--store", self._store, "--out", out, *options])

    def write(self, name: str, *lines: str) -> Path:
        """Write a table."""
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def rows(self, name: str = "out.csv") -> list[list[str]]:
        """Return the rows of an output."""
        with open(self.folder / name, newline="") as file:
            return list(csv.reader(file))

    def rejected(self) -> list[list[str]]:
        """Return the rows of the rejected rows' file."""
        return self.rows("out.csv.rejected.csv")

    def printed(self) -> Any:
        """Return what was printed."""
        return self._printed()


@pytest.fixture
def scoring(mixed: BuiltModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scoring:
    """The command with the mixed model live."""
    return Scoring(tmp_path, publish_to_folder(mixed, tmp_path / "store").url, capsys.readouterr)


def test_each_row_gets_its_label_in_the_order_of_the_file(scoring: Scoring) -> None:
    """Columns have any order; what a run needed is gone afterwards."""
    scoring.write("in.csv", "colour,old,count,size", "red,true,5,9", "white,true,0,-9")
    assert scoring("in.csv") == 0
    assert scoring.rows() == [["row", "prediction"], ["0", "yes"], ["1", "no"]]
    assert "Scored 2 rows with mixed" in scoring.printed().out
    assert {path.name for path in scoring.folder.iterdir()} == {"in.csv", "out.csv", "store"}


def test_a_rejected_row_is_listed_and_the_rest_goes_on(scoring: Scoring) -> None:
    """With its number, its line, and the words of the API; never with its values."""
    scoring.write("in.csv", HEADER, GOOD[0], "", 'secret,2,true,"re\nd"', "1,2.5,true", GOOD[1])
    assert scoring("in.csv") == 1
    assert [row for row, _ in scoring.rows()[1:]] == ["0", "3"]
    assert scoring.rejected() == [
        ["row", "line", "at", "problem"],
        ["1", "4", "size", "must be a number, not text"],
        ["1", "4", "colour", "is not a known category; did you mean 'red'?"],
        ["2", "6", "", "has 3 values, not 4: one for each column"],
    ]
    assert "Rejected 2 rows" in scoring.printed().out


def test_strict_stops_at_the_first_row_that_cannot_be_scored(scoring: Scoring) -> None:
    """And writes nothing."""
    scoring.write("in.csv", HEADER, GOOD[0], ",2,true,red", "x,2,true,red")
    assert scoring("in.csv", "--strict") == 2
    assert scoring.printed().err == "score: Line 3: size is required.\n"
    assert {path.name for path in scoring.folder.iterdir()} == {"in.csv", "store"}


def test_a_later_run_without_rejected_rows_deletes_their_file(scoring: Scoring) -> None:
    """Which would be that of other rows."""
    scoring.write("in.csv", HEADER, "x")
    assert scoring("in.csv") == 1
    scoring.write("in.csv", HEADER, *GOOD)
    assert scoring("in.csv") == 0
    assert not (scoring.folder / "out.csv.rejected.csv").exists()


def test_columns_are_passed_through(scoring: Scoring) -> None:
    """As they are written, features too; of rejected rows none."""
    scoring.write(
        "in.csv", f"id,{HEADER},note", f'007,{GOOD[0]},"a, ""b"""', "8,x,x,x,x,", f"9,{GOOD[1]},"
    )
    assert scoring("in.csv", "--keep", "note,id,size") == 1
    assert scoring.rows() == [
        ["row", "note", "id", "size", "prediction"],
        ["0", 'a, "b"', "007", "1", "yes"],
        ["2", "", "9", "-1", "no"],
    ]
    assert scoring("in.csv", "--keep", "all") == 1
    assert scoring.rows()[0] == ["row", "id", *HEADER.split(","), "note", "prediction"]


def test_columns_that_are_not_used_are_named(scoring: Scoring) -> None:
    """As are features without a column."""
    scoring.write("in.csv", f"id,{HEADER}", f"1,{GOOD[0]}")
    assert scoring("in.csv") == 0
    assert "Columns that were not used: id\n" in scoring.printed().out


def test_features_without_a_column_are_named(
    trained: WineModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are missing in every row, which the wine model accepts."""
    store = publish_to_folder(trained.built, tmp_path / "store").url
    (tmp_path / "in.csv").write_text("alcohol,proline\n14.1,1400\n")
    assert (
        main(["score", str(tmp_path / "in.csv"), "--store", store, "--out", f"{tmp_path}/o.csv"])
        == 0
    )
    assert "Features without a column, missing in every row: malic_acid" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("size,count,old,color", "column 'color' is not a feature of this model; did you mean"),
        ("size,count,old", "colour is required"),
        ("size,size,count,old,colour", "column 'size' is duplicated"),
        ("size;count;old;colour", "Line 1 has semicolons: columns must be separated by commas"),
        ("1,2,3,4", "size is required (and 3 more)"),
        ("", "The table is empty"),
        ("siz\udce9,count", "Line 1 is no header of CSV in UTF-8"),
    ],
)
def test_a_header_that_does_not_fit_is_an_error(
    scoring: Scoring, header: str, message: str
) -> None:
    """Before a row is scored."""
    data = f"{header}\n{GOOD[0]}\n" if header else ""
    (scoring.folder / "in.csv").write_bytes(data.encode("utf-8", "surrogateescape"))
    assert scoring("in.csv") == 2
    error = scoring.printed().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_byte_order_mark_and_any_line_ends_are_read(scoring: Scoring, end: str) -> None:
    """As spreadsheets write them."""
    text = "\ufeff" + end.join([HEADER, *GOOD, "", ""])
    (scoring.folder / "in.csv").write_bytes(text.encode())
    assert scoring("in.csv") == 0
    assert len(scoring.rows()) == 4


FRAME = pd.DataFrame(
    {
        "id": ["a", 'b"', None],
        "size": [1.0, -1.0, 2.5],
        "count": [2, 0, 4],
        "old": [True, False, True],
        "colour": ["red", "white", "white"],
    }
)


def write_frame(path: Path) -> None:
    """Write the frame in the format of a file."""
    if path.suffix == ".parquet":
        FRAME.to_parquet(path)
    elif ".csv" in path.name:
        FRAME.to_csv(path, index=False)
    else:
        FRAME.to_json(path, orient="records", lines=True)


def read_frame(path: Path) -> pd.DataFrame:
    """Read an output as a frame."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path) if ".csv" in path.name else pd.read_json(path, lines=True)


@pytest.mark.parametrize(
    "out", ["out.csv", "out.csv.gz", "out.jsonl", "out.jsonl.gz", "out.parquet"]
)
@pytest.mark.parametrize("table", ["in.csv", "in.csv.gz", "in.jsonl", "in.jsonl.gz", "in.parquet"])
def test_every_format_is_read_and_written(
    scoring: Scoring, mixed: BuiltModel, table: str, out: str
) -> None:
    """With the same labels, probabilities and kept columns."""
    write_frame(scoring.folder / table)
    assert scoring(table, "--keep", "id,size", "--probabilities", out=out) == 0
    frame = read_frame(scoring.folder / out)
    assert frame["row"].tolist() == [0, 1, 2]
    assert frame["prediction"].tolist() == ["yes", "no", "yes"]
    assert frame["id"].fillna("").tolist() == ["a", 'b"', ""]
    assert frame["size"].astype(float).tolist() == [1, -1, 2.5]
    if "jsonl" in out:
        probabilities = pd.DataFrame(frame["probabilities"].tolist())
        assert list(probabilities) == ["no", "yes"]
    else:
        probabilities = frame[["probability_no", "probability_yes"]]
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.to_numpy().argmax(axis=1) == [1, 0, 1]).all()


def test_json_is_passed_through_as_it_is(scoring: Scoring) -> None:
    """Lists, texts and numbers; a name that a line lacks is null."""
    good = {"size": 1, "count": 2, "old": True, "colour": "red"}
    scoring.write("in.jsonl", json.dumps({"id": [1, "é"], **good}), json.dumps({**good, "x": 1}))
    assert scoring("in.jsonl", "--keep", "id", out="out.jsonl") == 0
    lines = (scoring.folder / "out.jsonl").read_text().splitlines()
    assert lines == [
        '{"row":0,"id":[1,"é"],"prediction":"yes"}',
        '{"row":1,"id":null,"prediction":"yes"}',
    ]
    scoring.write("in.jsonl", json.dumps(good), "", "  ", "x", json.dumps(good))
    assert scoring("in.jsonl") == 1
    assert scoring.rejected()[1:] == [["1", "4", "", "is not JSON"]]


def test_a_file_without_rows_gives_one_without_rows(scoring: Scoring) -> None:
    """With the same columns."""
    scoring.write("in.csv", HEADER)
    for out in ("out.csv", "out.parquet"):
        assert scoring("in.csv", out=out) == 0
        assert list(read_frame(scoring.folder / out)) == ["row", "prediction"]


@pytest.mark.parametrize(
    ("table", "content", "message"),
    [
        ("in.txt", b"", "its suffix must be"),
        ("in.parquet", b"PAR1 no", "is not a Parquet file"),
        ("in.csv.gz", b"size", "is not a whole gzip file"),
        ("in.csv.gz", gzip.compress(b"size,count\n" * 99_999)[:-20], "is not a whole gzip file"),
        ("in.jsonl", b"\n\n", "The table is empty"),
    ],
)
def test_a_file_that_is_no_table_is_an_error(
    scoring: Scoring, table: str, content: bytes, message: str
) -> None:
    """In one line."""
    (scoring.folder / table).write_bytes(content)
    assert scoring(table) == 2
    error = scoring.printed().err
    assert message in error or "required" in error
    assert error.count("\n") == 1


def test_a_column_of_another_type_is_an_error(scoring: Scoring) -> None:
    """As each of its rows would be rejected."""
    FRAME.assign(size="1").to_parquet(scoring.folder / "in.parquet")
    assert scoring("in.parquet") == 2
    assert "Column size must be a number, and its type is" in scoring.printed().err


def test_what_cannot_be_written_is_an_error(scoring: Scoring) -> None:
    """Before a row is read."""
    scoring.write("in.csv", f"row,{HEADER}", f"1,{GOOD[0]}")
    for arguments, out, message in (
        (("--keep", "row"), "out.csv", "The output has another column 'row'"),
        (("--keep", "id"), "out.csv", "column 'id', of --keep, is missing"),
        ((), "in.csv", "--out is the table itself"),
        ((), "no/out.csv", "there is no such folder"),
        (("--version", "0" * 12), "out.csv", "There is no version"),
    ):
        assert scoring("in.csv", *arguments, out=out) == 2
        assert message in scoring.printed().err
    assert {path.name for path in scoring.folder.iterdir()} == {"in.csv", "store"}


def test_an_older_version_scores_if_it_is_named(
    scoring: Scoring, mixed: BuiltModel, all_required: BuiltModel
) -> None:
    """Else the live one does."""
    registry = ModelRegistry(str(scoring.folder / "store"))
    version = registry.live_version()
    registry.publish(all_required.artifact)
    scoring.write("in.csv", HEADER, *GOOD)
    assert scoring("in.csv", "--version", version) == 0
    assert scoring("in.csv") == 2
    assert "The columns do not fit the model" in scoring.printed().err


def test_a_model_of_scikit_learn_scores_in_processes(
    trained: WineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the labels of the estimator itself."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {0})  # one, to take less time
    X, y = trained.dataset.X[:, :2], trained.dataset.y
    estimator = RadiusNeighborsClassifier(radius=5.0, outlier_label="most_frequent").fit(X, y)
    built = build_artifact(estimator, X, y, name="radius", runtime="sklearn")
    store = publish_to_folder(built, tmp_path / "store").url
    pd.DataFrame(X, columns=["x0", "x1"]).to_csv(tmp_path / "in.csv", index=False)
    out = tmp_path / "out.csv"
    assert main(["score", str(tmp_path / "in.csv"), "--store", store, "--out", str(out)]) == 0
    labels = pd.read_csv(out, dtype={"prediction": str})["prediction"]
    assert labels.tolist() == [str(label) for label in estimator.predict(X)]


class Terminal(io.StringIO):
    """What a person sees."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_a_terminal_shows_rows_and_the_time_left(
    scoring: Scoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever reads the output of a job does not."""
    scoring.write("in.csv", HEADER, *GOOD)
    assert scoring("in.csv") == 0
    assert scoring.printed().err == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "DELAY_SECONDS", 0)
    monkeypatch.setattr(progress, "INTERVAL_SECONDS", 0)
    assert scoring("in.csv") == 0
    assert re.search(r"100%.*3 rows, [\d,]+ a second \[\d\d:\d\d<\d\d:\d\d\]", terminal.getvalue())


@pytest.mark.parametrize("out", ["out.csv", "out.jsonl"])
def test_labels_and_names_are_quoted_where_they_must_be(tmp_path: Path, out: str) -> None:
    """Commas, quotes and letters of any script in the classes and in kept names."""
    X = np.arange(40.0).reshape(-1, 1)
    y = np.where(X[:, 0] < 20, 'a, "b"', "é")
    built = build_artifact(LogisticRegression(max_iter=1_000).fit(X, y), X, y, name="quotes")
    store = publish_to_folder(built, tmp_path / "store").url
    (tmp_path / "in.csv").write_text('x0,"a, ""b"""\n1,c\n\n39,"d\ne"\n')
    command = ["score", f"{tmp_path}/in.csv", "--store", store, "--out", f"{tmp_path}/{out}"]
    assert main([*command, "--keep", "all", "--probabilities"]) == 0
    frame = read_frame(tmp_path / out)
    assert frame["prediction"].tolist() == ['a, "b"', "é"]
    assert frame['a, "b"'].tolist() == ["c", "d\ne"]


@pytest.fixture
def bucket(s3_environment: dict[str, str]) -> Any:
    """A bucket on the S3 server."""
    name = "tables"
    client = boto3.client("s3")
    location = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket=name, CreateBucketConfiguration=location)
    yield client
    for item in client.list_objects_v2(Bucket=name).get("Contents", []):
        client.delete_object(Bucket=name, Key=item["Key"])
    client.delete_bucket(Bucket=name)


@pytest.mark.parametrize("table", ["in.csv", "in.jsonl.gz", "in.parquet"])
def test_objects_on_s3_are_read_and_written(
    scoring: Scoring, bucket: Any, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the rejected rows beside the output."""
    monkeypatch.chdir(scoring.folder)
    write_frame(scoring.folder / table)
    bucket.upload_file(str(scoring.folder / table), "tables", f"a b/{table}")
    assert scoring(f"s3://tables/a b/{table}", out="s3://tables/out/x.csv") == 0
    body = bucket.get_object(Bucket="tables", Key="out/x.csv")["Body"].read()
    assert body == b"row,prediction\n0,yes\n1,no\n2,yes\n"
    scoring.write("in.csv", HEADER, GOOD[0], "x,1,true,red")
    assert scoring("in.csv", out="s3://tables/out/x.csv") == 1
    rejected = bucket.get_object(Bucket="tables", Key="out/x.csv.rejected.csv")["Body"].read()
    assert rejected.endswith(b'1,3,size,"must be a number, not text"\n')
    assert not list(scoring.folder.glob("x.csv*"))


def test_an_object_that_is_absent_is_an_error(scoring: Scoring, bucket: Any) -> None:
    """In one line."""
    assert scoring("s3://tables/none.csv") == 2
    assert scoring.printed().err == "score: There is no s3://tables/none.csv.\n"
