"""The example in docs/how-to/add-a-converter.md."""

from __future__ import annotations

import re

import pytest

from tests.support.paths import ROOT


def test_the_example_is_served_as_onnx(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints what the page says: the strategy, and no label mismatches."""
    page = (ROOT / "docs" / "how-to" / "add-a-converter.md").read_text()
    [example] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [expected] = re.findall(r"It prints `(.*?)`", page)
    exec(compile(example, "add-a-converter.md", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out.strip() == expected
