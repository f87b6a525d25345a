"""`make package BULK=yes`: what it adds, and where it does not work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployment.__main__ import main
from deployment.chalice_project import temporary_copy
from deployment.package.pruning import prune
from deployment.sam_template import read_overlay
from deployment.target import get_architecture
from tests.support.bulk import RECEIVES
from tests.support.lambda_function import copy_project
from tests.support.paths import APP


@pytest.mark.parametrize("command", [["package", "--stage", "dev"], ["deploy", "--stage", "prod"]])
def test_only_the_package_of_stage_prod_scores_files(
    command: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The stack of no other one has a bucket."""
    arguments = ["deployment", *command, "--bulk", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", arguments)
    assert main() == 2
    assert "BULK=yes needs make package STAGE=prod" in capsys.readouterr().err


def test_another_name_has_an_inbox_of_its_own(tmp_path: Path) -> None:
    """The filter of the bucket and the prefix of listings, which begin a text, are renamed too."""
    original = copy_project(tmp_path / APP.name)
    target, requirements = get_architecture("x86_64"), APP / "requirements.txt"
    with temporary_copy(original, "prod", target, requirements, None, "churn") as project:
        text = json.dumps(read_overlay(project.folder / ".chalice", "prod", bulk=True))
    assert '"churn/inbox/"' in text
    assert '["churn/outbox/*"]' in text
    assert "/churn/versions/*" in text
    assert "wine/" not in text


def test_the_stack_lets_a_message_be_received_once_more_than_it_is_tried() -> None:
    """As the queue of the tests does."""
    queue = read_overlay(APP / ".chalice", "prod", bulk=True)["Resources"]["BulkQueue"]
    assert queue["Properties"]["RedrivePolicy"]["maxReceiveCount"] == RECEIVES


@pytest.mark.parametrize("bulk", [False, True])
def test_other_packages_have_none_of_its_code(tmp_path: Path, bulk: bool) -> None:
    """Nor do they import it."""
    folder = tmp_path / "chalicelib" / "bulk"
    folder.mkdir(parents=True)
    (folder / "rows.py").touch()
    prune(tmp_path, "onnx", bulk=bulk)
    assert (folder / "rows.py").exists() is bulk
