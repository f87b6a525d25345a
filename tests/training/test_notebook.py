"""The notebook runs from the first cell to the last and shows what its text promises."""

from __future__ import annotations

import nbformat
from nbclient import NotebookClient

from tests.support.paths import ROOT

NOTEBOOK = ROOT / "training/wine/wine.ipynb"


def test_the_notebook_runs_from_data_to_prediction() -> None:
    """In its own folder, as in Jupyter."""
    notebook = nbformat.reads(NOTEBOOK.read_text(), as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(
        notebook, timeout=100, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    ).execute()
    printed = "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert "all features   0.98" in printed
    assert "label_mismatches=0" in printed
    assert "(200, {'prediction': '1'})" in printed
    assert "did you mean 'alcohol'?" in printed
