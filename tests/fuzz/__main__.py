"""Run schemathesis against `chalice local`, for each of the models: `make fuzz`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from sklearn.linear_model import LogisticRegression

from tests.support.customers import customers, prepared
from tests.support.environment import environment
from tests.support.processes import Server
from training.artifact import BuiltModel, build_artifact
from training.registry import ModelRegistry
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

EXAMPLES = 50


def main() -> int:
    """Run it, and give the exit code: 0 if it found nothing.

    Returns
    -------
    int
    """
    codes = [fuzz(built) for built in (of_numbers(), of_every_kind())]
    return max(codes)


def of_numbers() -> BuiltModel:
    """Build the wine model, which takes a matrix with gaps.

    Returns
    -------
    BuiltModel
    """
    X, y, names = wine()
    return build_artifact(wine_pipeline().fit(X, y), X, y, name="wine", feature_names=names)


def of_every_kind() -> BuiltModel:
    """Build a model of numbers with gaps, whole numbers, truth values and categories of both sorts.

    Returns
    -------
    BuiltModel
    """
    X, y = customers()
    return build_artifact(prepared(LogisticRegression(), impute=True).fit(X, y), X, y, name="table")


def fuzz(built: BuiltModel) -> int:
    """Serve a model, and let schemathesis ask; with a fixed seed, so that CI tells the same twice.

    Parameters
    ----------
    built : BuiltModel
        The model.

    Returns
    -------
    int
        Its exit code.
    """
    command = environment(Path(__file__).with_name("schemathesis.txt")) / "schemathesis"
    with tempfile.TemporaryDirectory() as folder:
        store = ModelRegistry(folder)
        store.publish(built.artifact)
        server = Server(f"MODEL_URL={store.url}")
        base = f"http://127.0.0.1:{server.port}"
        options = ["--url", base, "--checks", "all", "--max-examples", str(EXAMPLES)]
        options += ["--generation-deterministic", "--workers", "2"]
        try:
            return subprocess.run(
                [command, "run", f"{base}/openapi.json", *options], cwd=folder
            ).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
