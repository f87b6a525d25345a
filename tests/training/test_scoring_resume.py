"""A run that is killed goes on where it was, and never with another model or table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.models import WineModel, publish_to_folder
from tests.support.paths import ROOT
from training.__main__ import main
from training.artifact import BuiltModel
from training.registry import ModelRegistry
from training.scoring.journal import Journal, Progress
from training.scoring.splitting import BLOCK_BYTES

ROWS = 60_000  # some blocks
KILLED = -9

# Kills itself, as the system would, where a method is called for the nth time, before or after.
KILL = """
import os, signal, sys
from training.scoring import journal, run
from training.__main__ import main

target, name, count, when = sys.argv[1:5]
owner = {"journal": journal.Journal, "run": run}[target]
original, calls = getattr(owner, name), 0

def killed(*arguments, **options):
    global calls
    calls += 1
    if calls == int(count) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*arguments, **options)
    if calls == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(owner, name, killed)
main(sys.argv[5:])
"""


@pytest.fixture(scope="module")
def table(trained: WineModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of several blocks, with a row that is rejected in each."""
    X = trained.dataset.X
    samples = np.random.default_rng(0).uniform(X.min(axis=0), X.max(axis=0), size=(ROWS, 13))
    frame = pd.DataFrame(samples.round(2), columns=trained.dataset.feature_names).astype(str)
    frame.iloc[::10_000, 0] = "bad"
    path = tmp_path_factory.mktemp("tables") / "in.csv"
    frame.to_csv(path, index=False)
    assert path.stat().st_size > 3 * BLOCK_BYTES
    return path


@pytest.fixture(scope="module")
def expected(
    trained: WineModel, table: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, bytes]:
    """What a run that is not killed writes."""
    folder = tmp_path_factory.mktemp("expected")
    store = publish_to_folder(trained.built, folder / "store").url
    assert main(["score", str(table), "--store", store, "--out", str(folder / "out.csv")]) == 1
    return read_outputs(folder)


def read_outputs(folder: Path) -> tuple[bytes, bytes]:
    """Return the output and the rejected rows."""
    return (folder / "out.csv").read_bytes(), (folder / "out.csv.rejected.csv").read_bytes()


def kill(table: Path, folder: Path, *where: str) -> None:
    """Score a table in a process that is killed."""
    command = ["score", str(table), "--store", str(folder / "store"), "--out", f"{folder}/out.csv"]
    result = subprocess.run([sys.executable, "-c", KILL, *where, *command], cwd=ROOT, check=False)
    assert result.returncode == KILLED
    assert not (folder / "out.csv").exists() or where[1] == "move"


@pytest.mark.parametrize(
    "where",
    [
        ("journal", "add", "3", "before"),
        ("journal", "add", "3", "after"),
        ("run", "move", "1", "after"),
        ("run", "move", "2", "after"),
    ],
    ids=" ".join,
)
def test_a_killed_run_goes_on(
    wine_store: ModelRegistry,
    tmp_path: Path,
    table: Path,
    expected: tuple[bytes, bytes],
    where: tuple[str, ...],
) -> None:
    """Wherever it was killed, with the same bytes as if it had not been."""
    kill(table, tmp_path, *where)
    command = ["score", str(table), "--store", wine_store.url, "--out", str(tmp_path / "out.csv")]
    assert main(command) == 1
    assert read_outputs(tmp_path) == expected
    assert {path.name for path in tmp_path.iterdir()} == {
        "store",
        "out.csv",
        "out.csv.rejected.csv",
    }


def test_what_was_finished_is_not_scored_again(
    wine_store: ModelRegistry,
    tmp_path: Path,
    table: Path,
    expected: tuple[bytes, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The journal goes on from the last block."""
    kill(table, tmp_path, "journal", "add", "4", "after")
    rows: list[int] = []
    original = Journal.add

    def add(journal: Journal, progress: Progress) -> None:
        rows.append(progress.scored)
        original(journal, progress)

    monkeypatch.setattr(Journal, "add", add)
    assert (
        main(["score", str(table), "--store", wine_store.url, "--out", f"{tmp_path}/out.csv"]) == 1
    )
    assert rows[0] > 30_000
    assert read_outputs(tmp_path) == expected


def test_a_killed_run_goes_on_with_its_version(
    wine_store: ModelRegistry,
    tmp_path: Path,
    table: Path,
    expected: tuple[bytes, bytes],
    all_required: BuiltModel,
) -> None:
    """Though another is live by now."""
    kill(table, tmp_path, "journal", "add", "3", "after")
    wine_store.publish(all_required.artifact)
    assert (
        main(["score", str(table), "--store", wine_store.url, "--out", f"{tmp_path}/out.csv"]) == 1
    )
    assert read_outputs(tmp_path) == expected


def test_a_run_with_other_options_is_refused(
    wine_store: ModelRegistry,
    tmp_path: Path,
    table: Path,
    expected: tuple[bytes, bytes],
    all_required: BuiltModel,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With another table or version too; `--restart` scores the whole table again."""
    copy = tmp_path / "in.csv"
    copy.write_bytes(table.read_bytes())
    kill(copy, tmp_path, "journal", "add", "3", "after")
    command = ["score", str(copy), "--store", wine_store.url, "--out", str(tmp_path / "out.csv")]
    first = wine_store.live_version()
    second = Path(wine_store.publish(all_required.artifact)).stem
    with open(copy, "a") as file:
        file.write("x\n")
    for options, changed in (
        (["--probabilities"], "input, probabilities"),
        (["--version", second], "input, version"),
        ([], "input"),
    ):
        assert main([*command, *options]) == 2
        assert f"had another {changed}: run it as before" in capsys.readouterr().err
    copy.write_bytes(table.read_bytes())
    assert main([*command, "--restart", "--version", first]) == 1
    assert read_outputs(tmp_path) == expected


def test_two_runs_do_not_write_one_output(
    wine_store: ModelRegistry, tmp_path: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second is refused."""
    journal = Journal(tmp_path / "out.csv.journal")
    command = ["score", str(table), "--store", wine_store.url, "--out", str(tmp_path / "out.csv")]
    assert main(command) == 2
    assert "another run is writing this output" in capsys.readouterr().err
    journal.close()
    assert main(command) == 1


@pytest.mark.parametrize(
    ("table_name", "out_name"), [("in.parquet", "out.csv.gz"), ("in.jsonl.gz", "out.parquet")]
)
def test_every_format_goes_on(
    wine_store: ModelRegistry, tmp_path: Path, table: Path, table_name: str, out_name: str
) -> None:
    """Compressed text from the start of the file, Parquet from its row group."""
    frame = pd.read_csv(table).drop(index=range(0, ROWS, 10_000))
    frame["alcohol"] = frame["alcohol"].astype(float)
    if table_name.endswith(".parquet"):
        frame.to_parquet(tmp_path / table_name, row_group_size=17_000)
    else:
        frame.to_json(tmp_path / table_name, orient="records", lines=True)
    command = ["score", f"{tmp_path}/{table_name}", "--store", wine_store.url]
    out = tmp_path / out_name
    assert main([*command, "--out", f"{tmp_path}/whole-{out_name}"]) == 0
    where = ["journal", "add", "3", "after", *command, "--out", str(out)]
    result = subprocess.run([sys.executable, "-c", KILL, *where], cwd=ROOT, check=False)
    assert result.returncode == KILLED
    assert main([*command, "--out", str(out)]) == 0
    read = pd.read_parquet if out_name.endswith("parquet") else pd.read_csv
    pd.testing.assert_frame_equal(read(out), read(tmp_path / f"whole-{out_name}"))
    assert len(read(out)) == len(frame)
