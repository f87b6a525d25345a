"""The notebook runs from the first cell to the last and shows what its text promises."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.paths import ROOT

NOTEBOOK = ROOT / "training/wine/wine.ipynb"


@pytest.mark.parametrize("folder", [ROOT, NOTEBOOK.parent], ids=["root", "notebook"])
def test_the_notebook_runs_from_data_to_prediction(folder: Path) -> None:
    """With the root as working folder, and with the notebook's own, which Jupyter uses."""
    notebook = nbformat.reads(NOTEBOOK.read_text(), as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(folder)}}).execute()
    printed = "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert "all features   0.98" in printed
    assert "label_mismatches=0" in printed
    assert "(200, {'prediction': '1'})" in printed
    assert "did you mean 'alcohol'?" in printed
