"""The publish command reads estimators and tables from files."""

from __future__ import annotations

import pickle
from pathlib import Path

import joblib
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from tests.support.customers import customers, prepared
from training.__main__ import main
from training.registry import ModelRegistry


@pytest.fixture
def fitted_files(tmp_path: Path) -> dict[str, Path]:
    """A fitted estimator in each supported format, and its data as CSV."""
    X, y = customers()
    estimator = prepared(LogisticRegression()).fit(X, y)
    paths = {suffix: tmp_path / f"fitted.{suffix}" for suffix in ("skops", "joblib", "pkl", "csv")}
    skops.io.dump(estimator, paths["skops"])
    joblib.dump(estimator, paths["joblib"])
    paths["pkl"].write_bytes(pickle.dumps(estimator))
    X.assign(bought=y, other=1).to_csv(paths["csv"], index=False)
    return paths


@pytest.mark.parametrize("suffix", ["skops", "joblib", "pkl"])
def test_publishes_an_estimator_from_each_format(
    fitted_files: dict[str, Path], tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pickle needs --trust-pickle; columns that the estimator was not fitted on are dropped."""
    command = ["publish", "--model", str(fitted_files[suffix]), "--data", str(fitted_files["csv"])]
    command += ["--target", "bought", "--to", str(tmp_path / "store")]
    if suffix != "skops":
        assert main(command) == 2
        error = capsys.readouterr().err
        assert "runs whatever code is in it" in error
        assert len(error.splitlines()) == 1
        command.append("--trust-pickle")
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "onnx float64, by column" in printed
    assert "accepted" in printed
    registry = ModelRegistry(str(tmp_path / "store"))
    manifest = registry.manifest(registry.live_version())
    assert manifest["name"] == "fitted"
    assert [f["name"] for f in manifest["signature"]["features"]] == list(customers()[0].columns)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--target": "sold"}, "has no column 'sold'"),
        ({"--data": "none.csv"}, "none.csv"),
        ({"--model": "none.skops"}, "none.skops"),
        ({"--model": "README.md"}, "neither a .skops file"),
        ({"--model": "CSV"}, "neither a .skops file"),
    ],
)
def test_an_unusable_file_is_an_error_of_one_line(
    fitted_files: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    message: str,
) -> None:
    """The exit code is 2, and nothing is written."""
    options = {
        "--model": str(fitted_files["skops"]),
        "--data": str(fitted_files["csv"]),
        "--target": "bought",
        "--to": str(tmp_path / "store"),
    } | {k: v.replace("CSV", str(fitted_files["csv"])) for k, v in change.items()}
    assert main(["publish", *(word for pair in options.items() for word in pair)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "store").exists()
