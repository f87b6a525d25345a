"""A CSV file that is dropped on the page is classified row by row, and given back."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.served_models import QUOTED
from tests.support.models import WineModel

REJECTED = "status of 422"
MANY_ROWS = 100_000
DONE = re.compile(r"classified in")


def choose(page: Any, text: str, name: str = "table.csv") -> None:
    """Choose a file with a text."""
    content = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("Drop a CSV file here").set_input_files(content)


def saved(page: Any) -> list[dict[str, str]]:
    """Save the result and read it."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    with Path(download.value.path()).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def status(page: Any) -> Any:
    """Return the line that says how far the file is."""
    return page.locator("#job-status")


def test_a_file_comes_back_with_predictions(
    open_page: OpenPage, wine_url: str, trained: WineModel
) -> None:
    """Columns in any order, others kept; the labels and probabilities are scikit-learn's."""
    dataset = trained.dataset
    frame = pd.DataFrame(dataset.X, columns=dataset.feature_names)
    frame.insert(3, "id, of a wine", [f'no. "{index}"' for index in range(len(frame))])
    frame = frame[frame.columns[::-1]]
    page = open_page(wine_url)
    choose(page, frame.to_csv(index=False), "wines.csv")
    expect(status(page)).to_contain_text("178 rows of 178 classified")
    expect(page.locator("#job-body tr")).to_have_count(100)
    rows = saved(page)
    assert list(rows[0]) == [
        *frame.columns,
        "prediction",
        *(f"probability_{label}" for label in "012"),
    ]
    assert [row["id, of a wine"] for row in rows] == frame["id, of a wine"].tolist()
    assert [row["prediction"] for row in rows] == [
        str(label) for label in trained.estimator.predict(dataset.X)
    ]
    shares = np.array([[float(row[f"probability_{label}"]) for label in "012"] for row in rows])
    np.testing.assert_allclose(shares, trained.estimator.predict_proba(dataset.X), atol=1e-5)


def test_bad_rows_are_named_by_line_and_the_others_answered(
    open_page: OpenPage, table_url: str
) -> None:
    """Those that the page sees, and those that only the server does."""
    page = open_page(table_url, expected=REJECTED)
    quoted = '"' + QUOTED.replace('"', '""') + '"'
    lines = [
        'income,"colour, or hue",size,note,member,age',
        f"50.5,{quoted},l,likes dry wine,true,70",
        ',red,s,"two\nlines",FALSE,20',
        "50,red,xl,none,true,30",
        "fifty,red,s,none,true,30",
        "50,red,s,none,true,30.5",
        "50,red,s,none",
        "50,red,m,none,true,31",
        "50,red,s,none,true,",
    ]
    choose(page, "\ufeff" + "\r\n".join(lines) + "\r\n")
    expect(status(page)).to_contain_text("3 rows of 8 classified")
    problems = page.locator("#job-problem-list li").all_inner_texts()
    assert len(problems) == 5
    by_line = dict(problem.split(": ", 1) for problem in problems)
    assert by_line["Line 5"] == "size is not a known category"
    assert by_line["Line 6"] == "income must be a number"
    assert "age" in by_line["Line 7"]
    assert "whole number" in by_line["Line 7"]
    assert "4 cells" in by_line["Line 8"]
    assert by_line["Line 10"] == "age is required"
    rows = saved(page)
    assert [bool(row["prediction"]) for row in rows] == [
        *(True, True, False, False, False, False, True, False)
    ]
    assert [bool(row["problem"]) for row in rows] == [
        *(False, False, True, True, True, True, False, True)
    ]
    assert rows[1]["note"] == "two\nlines"


def test_many_bad_rows_do_not_hide_the_good_ones(open_page: OpenPage, table_url: str) -> None:
    """The server lists 20 problems at a time."""
    page = open_page(table_url, expected=REJECTED)
    rows = [f"50,red,s,none,true,{30.5 if index % 2 else 30}" for index in range(150)]
    choose(page, "\n".join(['income,"colour, or hue",size,note,member,age', *rows]))
    expect(status(page)).to_contain_text("75 rows of 150 classified")
    expect(page.get_by_text("75 rows could not be classified")).to_be_visible()


def test_a_large_file_is_classified_with_progress(
    open_page: OpenPage, wine_url: str, trained: WineModel
) -> None:
    """In batches; it can be dropped on the page."""
    dataset = trained.dataset
    X = dataset.X[np.arange(MANY_ROWS) % len(dataset.X)]
    page = open_page(wine_url)
    seen: list[float] = []
    page.expose_function("progressed", lambda value: seen.append(value))
    page.evaluate(
        """() => {
          const bar = document.getElementById("job-progress");
          const status = document.getElementById("job-status");
          new MutationObserver(() => progressed(bar.value)).observe(status, { childList: true });
        }"""
    )
    text = pd.DataFrame(X, columns=dataset.feature_names).to_csv(index=False)
    page.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], "large.csv", { type: "text/csv" }));
          document.getElementById("drop").dispatchEvent(
            new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        text,
    )
    expect(status(page)).to_contain_text("100,000 rows of 100,000 classified", timeout=110_000)
    assert len(set(seen)) > 10
    assert seen == sorted(seen)
    rows = saved(page)
    predicted = trained.estimator.predict(dataset.X)
    assert [row["prediction"] for row in rows] == [
        str(predicted[index % len(predicted)]) for index in range(MANY_ROWS)
    ]


def test_a_job_can_be_stopped(open_page: OpenPage, wine_url: str, trained: WineModel) -> None:
    """What is classified so far can be saved."""
    names = trained.dataset.feature_names
    rows = [",".join(map(str, trained.dataset.X[0]))] * 20_000
    page = open_page(wine_url)
    choose(page, "\n".join([",".join(names), *rows]))
    expect(status(page)).to_contain_text("of 20,000 rows classified")
    page.get_by_role("button", name="Stop").click()
    expect(status(page)).to_contain_text("Stopped.")
    labels = [row["prediction"] for row in saved(page)]
    assert len(labels) == 20_000
    assert labels[0]
    assert not labels[-1]


def test_what_is_no_table_is_named(open_page: OpenPage, table_url: str) -> None:
    """In one line."""
    page = open_page(table_url)
    for text, reason in {
        "": "no rows below a header",
        "age\n": "no rows below a header",
        "a,b\n1,2\n": "no column for age, member, size",
        'age,"member\n1,true\n': "The quote on line 1 is never closed",
        "age,member,size,age,note\n1,true,s,2,x\n": "two columns named age",
    }.items():
        choose(page, text)
        expect(status(page)).to_contain_text(reason)
    too_many = "\n".join(["age,member,size,note", *["30,true,s,none"] * (MANY_ROWS + 1)])
    choose(page, too_many)
    expect(status(page)).to_contain_text("100,001 rows; this page takes up to 100,000")
    latin = {"name": "latin.csv", "mimeType": "text/csv", "buffer": "age\né".encode("latin-1")}
    page.get_by_label("Drop a CSV file here").set_input_files(latin)
    expect(status(page)).to_contain_text("not text in UTF-8")
