"""The pictures of a card, drawn with scikit-learn's displays where it has one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, RocCurveDisplay
from sklearn.model_selection import LearningCurveDisplay

from training.card.evidence import Evidence

DPI = 120
WIDTH = 7.0  # inches
ROW = 0.28  # inches of a bar
MAX_CURVES = 8  # of the most frequent classes
MAX_BARS = 40
MAX_COUNTED = 15  # classes whose counts are written into the confusion matrix
CALIBRATION_BINS = 10

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#999999", "#000000"]
ACCENT = COLOURS[0]

_STYLE: Any = {
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.prop_cycle": cycler(color=COLOURS),
    "figure.constrained_layout.use": True,
    "figure.dpi": DPI,
    "font.size": 11,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


class Picture(NamedTuple):
    """A picture of a card."""

    name: str  # of its file, without the suffix
    title: str
    caption: str  # what it shows, and on which samples
    png: bytes


def draw(manifest: dict[str, Any], evidence: Evidence | None) -> list[Picture]:
    """Draw what the manifest and, if there is any, the evidence show."""
    metrics = manifest.get("metrics") or {}
    pictures = []
    if evidence is not None:
        pictures.append(_class_balance(evidence))
    if metrics.get("by_class"):
        pictures.append(_confusion_matrix(metrics["by_class"]))
    if evidence is not None and evidence.probabilities is not None:
        pictures += [_roc_curves(evidence), _calibration(evidence), _confidence(evidence)]
    if metrics.get("importances"):
        pictures.append(_importances(metrics["importances"]))
    if evidence is not None:
        if evidence.learning_curve is not None:
            pictures.append(_learning_curve(evidence))
        pictures.append(_ranges(evidence, manifest))
    return pictures


def _class_balance(evidence: Evidence) -> Picture:
    counts = np.bincount(evidence.labels[evidence.labels >= 0], minlength=len(evidence.classes))
    order = np.argsort(-counts, kind="stable")[:MAX_BARS]
    with new_figure(bars=len(order)) as (axes, save):
        positions = np.arange(len(order))
        bars = axes.barh(positions, counts[order], color=ACCENT)
        axes.set_yticks(positions, [short_label(evidence.classes[i]) for i in order])
        axes.bar_label(bars, [f" {counts[i]:,} ({counts[i] / counts.sum():.0%})" for i in order])
        axes.invert_yaxis()
        axes.margins(x=0.2)
        axes.set_xlabel("samples")
        axes.grid(visible=False, axis="y")
        return save(
            "class-balance",
            "Class balance",
            f"How many samples of each class are in the data: {_samples(counts.sum())}.",
        )


def _confusion_matrix(by_class: dict[str, Any]) -> Picture:
    classes = [short_label(name) for name in by_class["classes"]]
    is_small = len(classes) <= MAX_COUNTED
    matrix = np.array(by_class["confusion_matrix"])
    with new_figure(height=max(3.5, min(7.0, 0.45 * len(classes) + 2.0))) as (axes, save):
        # Colours are shares of a row, so that a rare class is as visible as a frequent one.
        shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
        display = ConfusionMatrixDisplay(shares, display_labels=classes)
        display.plot(
            ax=axes,
            cmap="Blues",
            include_values=False,
            xticks_rotation="horizontal" if len("".join(classes)) < 40 else "vertical",
            im_kw={"vmin": 0, "vmax": 1},
        )
        for (row, column), count in np.ndenumerate(matrix if is_small else matrix[:0]):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour)
        display.im_.colorbar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, 0))
        display.im_.colorbar.set_label("share of the true class")
        size = 11 if is_small else 6
        axes.tick_params(labelsize=size)
        axes.set(xlabel="predicted class", ylabel="true class")
        axes.grid(visible=False)
        return save(
            "confusion-matrix",
            "Confusion matrix",
            f"True and predicted classes of {_samples(by_class['samples'])}, {by_class['method']}.",
        )


def _roc_curves(evidence: Evidence) -> Picture:
    with new_figure(height=5.0) as (axes, save):
        for label in _curve_classes(evidence):
            RocCurveDisplay.from_predictions(
                evidence.predictions.labels == label,
                _probabilities(evidence)[:, label],
                name=short_label(evidence.classes[label]),
                ax=axes,
            )
        axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="chance")
        axes.set(
            xlabel="other samples that are taken for the class",
            ylabel="samples of the class that are found",
        )
        axes.legend(loc="lower right", fontsize=9)
        return save(
            "roc",
            "ROC curves",
            "Each class against the others, for every threshold of its probability; "
            f"{_measured(evidence)}. AUC is the area under a curve: 1 is perfect, 0.5 is chance.",
        )


def _calibration(evidence: Evidence) -> Picture:
    with new_figure(height=5.0) as (axes, save):
        for label in _curve_classes(evidence):
            CalibrationDisplay.from_predictions(
                evidence.predictions.labels == label,
                np.clip(_probabilities(evidence)[:, label], 0.0, 1.0),
                n_bins=CALIBRATION_BINS,
                name=short_label(evidence.classes[label]),
                ax=axes,
                ref_line=False,
            )
        axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="perfect")
        axes.set(xlabel="predicted probability of the class", ylabel="share that is of the class")
        axes.legend(loc="upper left", fontsize=9)
        return save(
            "calibration",
            "Calibration",
            "Whether of the samples with a probability of 70 % about 70 % are of the class; "
            f"{_measured(evidence)}, in {CALIBRATION_BINS} bins.",
        )


def _confidence(evidence: Evidence) -> Picture:
    confidence = _probabilities(evidence).max(axis=1)
    is_right = evidence.predictions.is_correct()
    with new_figure() as (axes, save):
        axes.hist(
            [confidence[is_right], confidence[~is_right]],
            bins=np.linspace(0.0, 1.0, 21).tolist(),
            stacked=True,
            label=["right", "wrong"],
            color=[ACCENT, COLOURS[1]],
        )
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, 0))
        axes.set(xlabel="probability of the predicted class", ylabel="samples")
        axes.legend()
        return save(
            "confidence",
            "Where it errs",
            f"How sure the model is when it is right and when it is wrong; {_measured(evidence)}.",
        )


def _importances(importances: dict[str, Any]) -> Picture:
    features = importances["features"]
    means = np.array([feature["estimate"] for feature in features])
    margins = [
        [feature["estimate"] - feature["low"] for feature in features],
        [feature["high"] - feature["estimate"] for feature in features],
    ]
    with new_figure(bars=len(features)) as (axes, save):
        positions = np.arange(len(features))
        axes.set_yticks(positions, [short_label(feature["name"]) for feature in features])
        axes.errorbar(means, positions, xerr=margins, fmt="o", color=ACCENT, capsize=3)
        axes.axvline(0.0, color="grey", linewidth=1)
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("accuracy lost when the feature is shuffled")
        return save(
            "importances",
            "Features that matter most",
            f"Permutation importance on {_samples(importances['samples'])}, "
            f"{importances['method']}; bars are 95 % intervals of the mean over shuffles.",
        )


def _learning_curve(evidence: Evidence) -> Picture:
    curve = evidence.learning_curve
    assert curve is not None  # it is drawn if there is one
    with new_figure() as (axes, save):
        LearningCurveDisplay(
            train_sizes=curve.sizes,
            train_scores=curve.fitted,
            test_scores=curve.unseen,
            score_name="accuracy",
        ).plot(ax=axes, score_type="both", std_display_style="fill_between")
        lines = axes.get_lines()
        axes.legend(lines, ["on the samples fitted on", "on others"], loc="lower right")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0))
        axes.set(xlabel="samples fitted on", ylabel="accuracy")
        return save(
            "learning-curve",
            "Learning curve",
            f"Accuracy of clones fitted on parts of {_samples(len(evidence.table))}, in "
            f"{curve.unseen.shape[1]} folds; "
            "the bands are one standard deviation. If the lower curve still rises, more data "
            "helps.",
        )


def _ranges(evidence: Evidence, manifest: dict[str, Any]) -> Picture:
    """Draw the distribution of each feature over its range, and its share of missing values."""
    table = evidence.table
    features = [each for each in manifest["signature"]["features"] if not each.get("private")]
    described = features[:MAX_BARS]
    numbers, missing = [], []
    for feature in described:
        column = table.column(table.names.index(feature["name"]))
        is_missing = np.array([value is None or value != value for value in column.tolist()])
        missing.append(float(is_missing.mean()))
        low, high = feature.get("min"), feature.get("max")
        is_shown = low is not None and high is not None and low < high and not is_missing.all()
        values = column[~is_missing].astype(np.float64) if is_shown else np.array([])
        numbers.append(((values - low) / (high - low)) if is_shown else values)
    with new_figure(bars=len(described), columns=2) as (panels, save):
        left, right = panels
        positions = np.arange(len(described))
        left.boxplot(
            numbers, positions=positions, orientation="horizontal", whis=(5, 95), showfliers=False
        )
        left.set_yticks(positions, [short_label(feature["name"]) for feature in described])
        left.set(xlabel="position within the range")
        left.invert_yaxis()
        left.xaxis.set_major_formatter(PercentFormatter(1.0, 0))
        right.barh(positions, missing, color=COLOURS[1])
        right.set(xlim=(0, max(0.05, 1.1 * max(missing))), xlabel="missing", yticks=[])
        right.xaxis.set_major_formatter(PercentFormatter(1.0))
        right.set_ylim(left.get_ylim())
        more = len(features) - len(described)
        return save(
            "data",
            "The data",
            "Where the values of each number lie within its range (a box is the middle half, a "
            "line 90 %), "
            f"and how many are missing, in {_samples(len(table))}"
            + (f"; {more:,} more features are not shown." if more else "."),
        )


@contextmanager
def new_figure(
    *, height: float = 3.8, bars: int = 0, columns: int = 1
) -> Iterator[tuple[Any, Callable[[str, str, str], Picture]]]:
    """Yield the axes of a figure, and a function that saves it as a picture."""
    if bars:
        height = 1.2 + ROW * max(4, bars)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, height))
        axes: Any = figure.subplots(1, columns, width_ratios=[3, 1][:columns])

        def save(name: str, title: str, caption: str) -> Picture:
            buffer = io.BytesIO()
            # Without the date and the version of matplotlib, two pictures of one model are equal.
            figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
            return Picture(name, title, caption, buffer.getvalue())

        yield axes, save


def _curve_classes(evidence: Evidence) -> list[int]:
    """Return the classes that have a curve: the second of two, else the most frequent ones."""
    counts = np.bincount(
        evidence.predictions.labels[evidence.predictions.labels >= 0],
        minlength=len(evidence.classes),
    )
    present = [int(label) for label in np.argsort(-counts, kind="stable") if counts[label]]
    if len(evidence.classes) == 2 and len(present) == 2:
        return [1]
    return sorted(present[:MAX_CURVES]) if len(present) > 1 else []


def _probabilities(evidence: Evidence) -> Any:
    assert evidence.probabilities is not None  # the pictures that need them are left out
    return np.nan_to_num(evidence.probabilities)


def _measured(evidence: Evidence) -> str:
    return f"{_samples(len(evidence.predictions.labels))}, {evidence.method}"


def _samples(count: Any) -> str:
    return f"{int(count):,} samples"


def short_label(text: str, characters: int = 24) -> str:
    """Return a text on one line, cut if it is long."""
    # matplotlib reads what is between two dollar signs as mathematics.
    text = " ".join(text.split()).replace("$", r"\$")
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
