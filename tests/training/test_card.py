"""The model card: one file that shows how good a model is, and no training data unless asked."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import training.card
from chalicelib.models.artifact import read_manifest
from tests.support.paths import ROOT
from training.__main__ import main
from training.artifact import build_artifact
from training.card.card import Card, make_card, write_card
from training.card.evidence import collect_evidence
from training.card.store import CardStore
from training.errors import MissingLibrary
from training.publish import publish

RANDOM = np.random.default_rng(0)
ALL_PICTURES = {
    "class-balance",
    "confusion-matrix",
    "roc",
    "calibration",
    "confidence",
    "importances",
    "learning-curve",
    "data",
}
X, Y = load_iris(return_X_y=True, as_frame=True)


def card_of(
    estimator: Any, X: Any, y: Any, *, show_rows: bool = False, private: Any = (), **options: Any
) -> Card:
    """Make the card of a fitted estimator, with all that its data can tell."""
    built = build_artifact(estimator, X, y, name="a <b>", cv=2, private=private, **options)
    evidence = collect_evidence(estimator, X, y, **options)
    return make_card(read_manifest(built.artifact), evidence, show_rows=show_rows)


@pytest.fixture(scope="module")
def iris_card() -> Card:
    """The card of a tree that errs."""
    estimator = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, Y)
    return card_of(estimator, X, Y)


def test_a_card_is_one_file(iris_card: Card) -> None:
    """It holds its pictures, and loads nothing."""
    sources = re.findall(r'(?:src|href)="([^"]*)"', iris_card.html)
    assert len(sources) == len(ALL_PICTURES) + 1
    assert all(source.startswith("data:") for source in sources)
    assert "<script" not in iris_card.html
    for picture in iris_card.pictures:
        assert base64.b64encode(picture.png).decode() in iris_card.html


def test_a_card_has_every_picture(iris_card: Card, tmp_path: Path) -> None:
    """As PNG too, wide enough to read; each says on which samples it was measured."""
    paths = write_card(iris_card, tmp_path / "card.html")
    assert {path.stem.removeprefix("card-") for path in paths[1:]} == ALL_PICTURES
    for path in paths[1:]:
        assert matplotlib.image.imread(path).shape[1] == 840
    for picture in iris_card.pictures:
        assert "samples" in picture.caption
        assert picture.caption.replace("&", "&amp;") in iris_card.html


def test_names_are_escaped(iris_card: Card) -> None:
    """A model may be called anything."""
    assert "a &lt;b&gt;" in iris_card.html
    assert "<b>" not in iris_card.html


def test_the_most_confident_mistakes_are_listed(iris_card: Card) -> None:
    """By their row and without their values, which are training data."""
    section = iris_card.html.partition("most confident mistakes")[2].partition("<h2>")[0]
    assert re.search(r"\d+ of 150 samples are predicted wrongly, by 5-fold", section)
    rows = [int(row) for row in re.findall(r"<tr><td>(\d+)", section.replace("\n", ""))]
    assert rows
    assert "petal" not in section
    for row in rows:
        assert not all(f"{value}" in section for value in X.iloc[row])


def test_rows_are_shown_on_request_but_for_private_features() -> None:
    """With the values of the others."""
    estimator = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, Y)
    private = X.columns[0]
    card = card_of(estimator, X, Y, show_rows=True, private=[private])
    section = card.html.partition("most confident mistakes")[2].partition("<h2>")[0]
    headers = re.findall(r"<th>(.*?)\s*</th>", section)
    assert headers[4:] == list(X.columns[1:])
    assert private not in section


def test_a_card_can_be_made_from_the_manifest_alone() -> None:
    """With the pictures that need no data."""
    built = build_artifact(GaussianNB().fit(X, Y), X, Y, name="iris", cv=2)
    card = make_card(read_manifest(built.artifact))
    assert {picture.name for picture in card.pictures} == {"confusion-matrix", "importances"}
    assert "compared with scikit-learn" in card.html


def test_test_data_is_what_is_measured() -> None:
    """By the estimator itself."""
    train, test = np.arange(0, 150, 2), np.arange(1, 150, 2)
    estimator = GaussianNB().fit(X.iloc[train], Y[train])
    card = card_of(estimator, X.iloc[train], Y[train], test=(X.iloc[test], Y[test]))
    captions = {picture.name: picture.caption for picture in card.pictures}
    assert "75 samples, on test data" in captions["roc"]
    assert "75 samples, on test data" in captions["confusion-matrix"]


def test_many_classes_and_features_fit_into_the_pictures() -> None:
    """As many as can be read are drawn."""
    y = np.array([f"species number {index % 40}" for index in range(240)])
    wide = RANDOM.normal(size=(240, 200)) + (np.arange(240) % 40).reshape(-1, 1)
    names = [f"feature ${index}$ {'long ' * 10}" for index in range(200)]
    frame = pd.DataFrame(wide, columns=names)
    card = card_of(GaussianNB().fit(frame, y), frame, y)
    assert {picture.name for picture in card.pictures} >= ALL_PICTURES - {"importances"}
    captions = {picture.name: picture.caption for picture in card.pictures}
    assert captions["data"].endswith("160 more features are not shown.")


@pytest.mark.parametrize(
    ("estimator", "X", "y", "missing"),
    [
        (LinearSVC(), X, Y, {"roc", "calibration", "confidence"}),
        (
            make_pipeline(TfidfVectorizer(), LogisticRegression()),
            ["dry wine", "sweet wine", "dry beer", "sweet beer"] * 10,
            ["dry", "sweet"] * 20,
            {"importances"},
        ),
        (
            CalibratedClassifierCV(FrozenEstimator(GaussianNB().fit(X, Y))),
            X,
            Y,
            {"learning-curve"},
        ),
        (GaussianNB(), X, Y.astype(str), set()),
    ],
    ids=["without probabilities", "texts", "frozen", "text labels"],
)
def test_what_cannot_be_drawn_is_left_out(estimator: Any, X: Any, y: Any, missing: Any) -> None:
    """The other pictures are there."""
    card = card_of(estimator.fit(X, y), X, y)
    assert {picture.name for picture in card.pictures} == ALL_PICTURES - missing


def test_a_frozen_estimator_is_measured_on_the_data_it_was_fitted_on() -> None:
    """And the card says so."""
    estimator = CalibratedClassifierCV(FrozenEstimator(GaussianNB().fit(X, Y))).fit(X, Y)
    captions = {picture.name: picture.caption for picture in card_of(estimator, X, Y).pictures}
    assert "on the data it was fitted on" in captions["roc"]


def test_a_card_is_published_beside_its_version(store_url: str) -> None:
    """In a folder and on S3; a dry run writes none."""
    estimator = GaussianNB().fit(X, Y)
    if store_url.startswith("file:"):
        Path(store_url.removeprefix("file://")).mkdir()
    planned = publish(estimator, X, Y, to=store_url, cv=2, card=True, dry_run=True)
    assert planned.card_url is None
    assert CardStore(store_url).get(planned.version) is None
    published = publish(estimator, X, Y, to=store_url, cv=2, card=True)
    assert published.card_url == f"{store_url}/cards/{published.version}.html"
    html = CardStore(store_url).get(published.version)
    assert html is not None
    assert published.version in html


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The options that name an estimator and its data."""
    skops.io.dump(GaussianNB().fit(X, Y), tmp_path / "model.skops")
    X.assign(target=Y).to_csv(tmp_path / "data.csv", index=False)
    model, data = str(tmp_path / "model.skops"), str(tmp_path / "data.csv")
    return ["--model", model, "--data", data, "--target", "target"]


def test_the_commands_write_publish_and_fetch_a_card(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`publish --card`, `show --card` and `card`."""
    store = ["--store", str(tmp_path / "store")]
    assert main(["publish", *files, "--cv", "2", "--card", *store]) == 0
    assert "Card: file:///" in capsys.readouterr().out
    fetched, made = tmp_path / "fetched.html", tmp_path / "made.html"
    assert main(["show", "--card", "--output", str(fetched), *store]) == 0
    assert main(["card", *files, "--output", str(made), *store]) == 0
    assert capsys.readouterr().out.count("Wrote ") == 2 + len(ALL_PICTURES)
    assert fetched.read_text() == made.read_text()


def test_another_estimator_is_rejected(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its pictures would be of another model."""
    store = ["--store", str(tmp_path / "store")]
    publish(DecisionTreeClassifier().fit(X, Y), X, Y, to=store[1], cv=0)
    assert main(["card", *files, *store]) == 2
    assert "--model is not the estimator of version" in capsys.readouterr().err


def test_a_version_without_a_card_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the command that makes one."""
    publish(GaussianNB().fit(X, Y), X, Y, to=str(tmp_path), cv=0)
    assert main(["show", "--card", "--store", str(tmp_path)]) == 2
    assert "python -m training card" in capsys.readouterr().err


def test_without_matplotlib_nothing_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what to install."""
    monkeypatch.setattr(training.card, "find_spec", lambda name: None)
    with pytest.raises(MissingLibrary, match="pip install matplotlib"):
        publish(GaussianNB().fit(X, Y), X, Y, to=str(tmp_path / "store"), card=True)
    assert not (tmp_path / "store").exists()


def test_publishing_without_a_card_imports_no_matplotlib() -> None:
    """It takes time, and may not be there."""
    code = "import sys, training.publish, training.commands; print('matplotlib' in sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert process.stdout.strip() == "False"
