"""The request that `make serve` suggests."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from chalicelib.models.manifest import Manifest
from chalicelib.models.model import load_model
from serve_local import example_command, example_request
from tests.support.app import App
from tests.support.models import WineModel
from training.artifact import BuiltModel, build_artifact


def manifest_of(built: BuiltModel) -> Manifest:
    """Return the manifest of an artifact."""
    return load_model(built.artifact).manifest


def test_the_wine_model_gets_the_tutorials_request(trained: WineModel) -> None:
    """Letter for letter."""
    assert example_request(manifest_of(trained.built)) == '{"data":".10"}'


def test_another_model_gets_its_own_example(mixed: BuiltModel, mixed_app: App) -> None:
    """With every feature by name; the model accepts it."""
    body = example_request(manifest_of(mixed))
    assert json.loads(body)["data"].keys() == {"size", "count", "old", "colour"}
    assert mixed_app.request("POST", "/classify", body.encode()).status == 200


def test_a_model_named_wine_that_takes_no_single_number_gets_its_own_example() -> None:
    """The name alone does not make the tutorial's request valid."""
    X, y = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 2.0], [4.0, 4.0]] * 5), [0, 1, 0, 1] * 5
    built = build_artifact(LogisticRegression().fit(X, y), X, y, name="wine")
    assert example_request(manifest_of(built)) == '{"data":{"x0":2.5,"x1":2.0}}'


@pytest.mark.parametrize("text", ["driver's", 'say "so"', "a\nb", "$HOME `x` \\n", "ü"])
def test_the_shell_passes_the_example_on_unchanged(text: str) -> None:
    """Whatever the texts of the data hold."""
    X = pd.DataFrame({text: [text, text, "other"] * 5})
    y = [0, 0, 1] * 5
    estimator = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(X, y)
    manifest = manifest_of(build_artifact(estimator, X, y, name="texts"))
    command = example_command("http://127.0.0.1:8000", manifest)
    assert command.isascii()
    printed = subprocess.run(
        ["sh", "-c", f'curl() {{ printf %s "$6"; }}; {command}'], check=True, capture_output=True
    ).stdout
    assert json.loads(printed) == {"data": {text: text}}
