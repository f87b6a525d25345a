"""The search uses ONNX if its predictions are exact, else scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from chalicelib.models.artifact import read_manifest
from tests.support.models import WineModel
from tests.support.served import Serve
from training.artifact import build_artifact
from training.errors import NotExportable
from training.publish import publish


def test_uses_scikit_learn_for_an_estimator_that_onnx_cannot_represent(
    serve: Serve, trained: WineModel
) -> None:
    """The manifest has each attempt and the reason for its rejection."""
    X, y, _ = trained.dataset
    steps = (StandardScaler(), FunctionTransformer(np.spacing), LogisticRegression())
    estimator = make_pipeline(*steps).fit(X, y)
    served = serve(estimator, X, y)
    assert served.built.runtime == "sklearn"
    attempts = read_manifest(served.built.artifact)["attempts"]
    assert len(attempts) > 1
    assert attempts[-1] == {"strategy": "sklearn", "rejection": None}
    assert all("FunctionTransformer" in attempt["rejection"] for attempt in attempts[:-1])
    response = served.app.classify(X.tolist()).body
    assert response["predictions"] == [str(label) for label in estimator.predict(X)]


def test_the_same_estimator_has_the_same_version_in_either_runtime(trained: WineModel) -> None:
    """The addresses, times and uninitialized memory that skops writes are replaced."""
    X, y, _ = trained.dataset
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    for runtime in ("sklearn", None):
        versions = {
            build_artifact(forest, X, y, name="forest", runtime=runtime).version for _ in range(3)
        }
        assert len(versions) == 1


def test_requiring_onnx_fails_with_the_reason(trained: WineModel, tmp_path: Path) -> None:
    """The error names the part that cannot be converted; nothing is written."""
    X, y, _ = trained.dataset
    steps = (StandardScaler(), FunctionTransformer(np.spacing), LogisticRegression())
    estimator = make_pipeline(*steps).fit(X, y)
    with pytest.raises(NotExportable, match="FunctionTransformer"):
        publish(estimator, X, y, to=str(tmp_path / "store"), runtime="onnx")
    assert not (tmp_path / "store").exists()


def test_a_model_that_scikit_learn_serves_is_announced(
    trained: WineModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With what the function needs, and why ONNX does not serve it."""
    X, y, _ = trained.dataset
    steps = (StandardScaler(), FunctionTransformer(np.spacing), LogisticRegression())
    publish(make_pipeline(*steps).fit(X, y), X, y, to=str(tmp_path), dry_run=True)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages[0] == (
        "Served by scikit-learn: package the function with RUNTIME=sklearn. ONNX is not exact: "
        "Pipeline cannot be converted to ONNX: FunctionTransformer of spacing is not supported."
    )
    publish(trained.estimator, X, y, to=str(tmp_path), dry_run=True)
    assert len(caplog.records) == 1
    publish(trained.estimator, X, y, to=str(tmp_path), dry_run=True, runtime="sklearn")
    assert caplog.messages[-1].endswith("package the function with RUNTIME=sklearn.")
