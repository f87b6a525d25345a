"""Run schemathesis against `chalice local` for each of two models."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from sklearn.linear_model import LogisticRegression

from tests.support.customers import customers, prepared
from tests.support.environment import create_environment
from tests.support.models import publish_to_folder
from tests.support.processes import Server
from training.artifact import BuiltModel, build_artifact
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

MAX_EXAMPLES = 50  # for each operation


def fuzz_models() -> bool:
    """Fuzz every model and return whether nothing was found."""
    exit_codes = [fuzz(built) for built in (numeric_model(), mixed_model())]
    return max(exit_codes) == 0


def numeric_model() -> BuiltModel:
    """Build the wine model, a matrix with optional features."""
    X, y, names = wine()
    return build_artifact(wine_pipeline().fit(X, y), X, y, name="wine", feature_names=names)


def mixed_model() -> BuiltModel:
    """Build a model of a table with every kind of feature."""
    X, y = customers()
    return build_artifact(prepared(LogisticRegression(), impute=True).fit(X, y), X, y, name="table")


def fuzz(built: BuiltModel) -> int:
    """Serve a model and run schemathesis on it; return its exit code."""
    schemathesis = create_environment(Path(__file__).with_name("schemathesis.txt")) / "schemathesis"
    with tempfile.TemporaryDirectory() as folder:
        registry = publish_to_folder(built, Path(folder))
        server = Server(f"MODEL_URL={registry.url}")
        base = f"http://127.0.0.1:{server.port}"
        options = ["--url", base, "--checks", "all", "--max-examples", str(MAX_EXAMPLES)]
        # Deterministic, so that a failure in CI can be reproduced.
        options += ["--generation-deterministic", "--workers", "2"]
        try:
            process = subprocess.run(
                [schemathesis, "run", f"{base}/openapi.json", *options], cwd=folder
            )
            return process.returncode
        finally:
            server.stop()
