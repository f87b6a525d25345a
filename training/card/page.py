"""The parts of an HTML file with pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from tabulate import tabulate

from training.card.pictures import Picture

_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 56rem; padding: 2rem 1rem 4rem; color: #1f1b1c; background: #fff;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.9rem; margin: 0; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; }
figure { margin: 2rem 0; }
figure img { max-width: 100%; height: auto; }
figcaption, .quiet { color: #5d5557; font-size: .9rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; border-bottom: 1px solid #ded8d6; }
code { font-family: ui-monospace, "SFMono-Regular", Consolas, monospace; font-size: .9em; overflow-wrap: anywhere; }
"""  # noqa: E501

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def write_page(title: str, body: Sequence[str]) -> str:
    """Return an HTML file; the title is HTML too."""
    return _PAGE.format(title=title, style=_STYLE, body="\n".join(body))


def write_figure(picture: Picture) -> str:
    """Return a picture with its title and caption."""
    data = base64.b64encode(picture.png).decode()
    return (
        f"<figure><h2>{escape(picture.title)}</h2>"
        f'<img src="data:image/png;base64,{data}" alt="{escape(picture.title)}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )


def write_table(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> str:
    """Return a table, which scrolls if it is wide."""
    table = tabulate(rows, headers, tablefmt="html", disable_numparse=True)
    return f'<div class="scroll" tabindex="0">{table}</div>'
