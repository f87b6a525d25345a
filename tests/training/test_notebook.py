"""The notebook runs from its first cell to its last, and shows what it says."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.paths import ROOT


@pytest.mark.parametrize("folder", [ROOT, ROOT / "training"], ids=["root", "training"])
def test_the_notebook_goes_from_data_to_an_answer(folder: object) -> None:
    """Wherever Jupyter was started."""
    written = (ROOT / "training/wine/wine.ipynb").read_text()
    notebook = nbformat.reads(written, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(folder)}}).execute()
    shown = "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert "all features   0.98" in shown
    assert "label_mismatches=0" in shown
    assert "(200, {'prediction': '1'})" in shown
    assert "did you mean 'alcohol'?" in shown
