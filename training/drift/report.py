"""A report as one HTML file: the distributions in training and in serving, side by side."""

from __future__ import annotations

from html import escape

import numpy as np
from matplotlib.ticker import PercentFormatter

from training.card.page import write_figure, write_page, write_table
from training.card.pictures import COLOURS, Picture, new_figure, short_label
from training.drift.comparison import Compared
from training.drift.logs import Sum
from training.drift.table import HEADERS, by_index, describe_sum, row_of

MAX_PICTURES = 40  # of the features with the largest index, and of the predictions


def write_report(name: str, versions: dict[str, tuple[Sum, list[Compared]]]) -> str:
    """Return the report of the versions of a model.

    Parameters
    ----------
    name : str
        The model's name.
    versions : dict
        By version, the counts and what they show.
    """
    parts = [f"<h1>Drift: {escape(name)}</h1>"]
    for version, (total, compared) in versions.items():
        parts += [f"<h2>Version {escape(version)}</h2>", f"<p>{escape(describe_sum(total))}</p>"]
        parts.append(write_table([row_of(each) for each in by_index(compared)], HEADERS))
        drawn = by_index(compared)[:MAX_PICTURES]
        parts += [write_figure(_draw(each)) for each in drawn]
        if len(drawn) < len(compared):
            parts.append(f'<p class="quiet">{len(compared) - len(drawn):,} more are not drawn.</p>')
    return write_page(f"Drift: {escape(name)}", parts)


def _draw(each: Compared) -> Picture:
    with new_figure(bars=len(each.bins) + 1) as (axes, save):
        positions = np.arange(len(each.bins))
        for counts, shift, label, colour in (
            (each.training, -0.2, "training", COLOURS[0]),
            (each.served, 0.2, "served", COLOURS[1]),
        ):
            shares = np.array(counts) / max(1, sum(counts))
            axes.barh(positions + shift, shares, height=0.38, label=label, color=colour)
        axes.set_yticks(positions, [short_label(name) for name in each.bins])
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, 0))
        axes.set_xlabel("share of the rows")
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
        index = "" if each.drift_index is None else f", drift index {each.drift_index:.2f}"
        return save(
            "drift",
            f"{each.name}: {each.verdict}",
            f"{sum(each.training):,} rows in training, {each.rows:,} served; PSI {each.psi:.3f}, "
            f"Jensen-Shannon distance {each.js_distance:.3f}{index}.",
        )
