"""Figures for the tracking run and the notebooks: reliability, gain, months, importance by family."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

INK: Final = "#1f3a5f"
ACCENT: Final = "#d1495b"
GREY: Final = "#8d99ae"


def reliability(table: Sequence[Mapping[str, Any]]) -> Figure:
    """Mean prediction against observed rate, one point per bin with its 95 % interval."""
    figure, axes = _figure("Does 22 % mean 22 of 100?", "predicted probability", "share that converted")
    predicted = np.array([row["predicted_mean"] for row in table])
    observed = np.array([row["observed_rate"] for row in table])
    low = observed - np.array([row["wilson_low"] for row in table])
    high = np.array([row["wilson_high"] for row in table]) - observed
    top = float(max([*predicted, *(observed + high), 0.01])) * 1.05
    axes.plot([0, top], [0, top], color=GREY, linestyle="--", linewidth=1, label="perfect")
    axes.errorbar(
        predicted, observed, yerr=[np.maximum(low, 0), np.maximum(high, 0)], fmt="o", color=INK, label="model"
    )
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.legend(frameon=False)
    return figure


def of_proof(facts: Mapping[str, Any]) -> dict[str, Figure]:
    """The figures of a backtest, by file name."""
    return {
        "reliability.png": reliability(facts["calibration_table"]),
        "gain.png": gain(facts["gain"]),
        "months.png": months(facts["months"]),
    }


def gain(curve: Sequence[Mapping[str, float]]) -> Figure:
    """Share of conversions captured when the best-ranked share of leads is worked, one line per ranking."""
    figure, axes = _figure("What the first calls bring", "share of leads worked", "share of conversions captured")
    worked = [place["share"] for place in curve]
    names = [name for name in curve[0] if name != "share"]
    for name, colour, style in zip(names, (INK, ACCENT, GREY), ("-", "--", "-."), strict=False):
        axes.plot(worked, [place[name] for place in curve], color=colour, linestyle=style, label=name)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="at random")
    axes.legend(frameon=False, loc="lower right")
    return figure


def months(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Promised and observed share of conversions, month by month."""
    figure, axes = _figure("Promised and kept, month by month", "month of the snapshot", "share that converts")
    place = np.arange(len(rows))
    observed = np.array([row["observed_rate"] for row in rows])
    reach = np.abs(np.array([[row["observed_low"], row["observed_high"]] for row in rows]).T - observed)
    axes.errorbar(place, observed, yerr=reach, fmt="o", color=INK, label="converted")
    axes.plot(
        place, [row["predicted_mean"] for row in rows], color=ACCENT, marker="_", linestyle="--", label="promised"
    )
    step = max(1, len(rows) // 8)
    axes.set_xticks(place[::step], [row["month"] for row in rows][::step], rotation=30)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def learning_curve(points: Sequence[Mapping[str, Any]]) -> Figure:
    """Log loss by how many leads were learned from, with its interval."""
    figure, axes = _figure("Would more data help?", "leads learned from", "log loss on later leads")
    leads = [point["leads"] for point in points]
    loss = np.array([point["log_loss"]["value"] for point in points])
    reach = np.abs(np.array([[point["log_loss"][end] for point in points] for end in ("low", "high")]) - loss)
    axes.errorbar(leads, loss, yerr=reach, marker="o", color=INK)
    axes.set_xscale("log")
    axes.set_xticks(leads, [f"{count:,}" for count in leads])
    axes.set_xticks([], minor=True)
    return figure


def importance(features: Sequence[Mapping[str, Any]], *, most: int = 15) -> Figure:
    """Mean absolute contribution: by family, and the strongest features."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    families: dict[str, float] = {}
    for feature in features:
        families[feature["family"]] = families.get(feature["family"], 0.0) + feature["importance"]
    left.barh(list(families), list(families.values()), color=INK)
    left.set_title("by family")
    left.invert_yaxis()
    strongest = sorted(features, key=lambda f: (-f["importance"], f["name"]))[:most]
    right.barh([f["name"] for f in strongest], [f["importance"] for f in strongest], color=INK)
    right.set_title("strongest features")
    right.invert_yaxis()
    for axes in (left, right):
        axes.set_xlabel("mean absolute contribution, log odds")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _figure(title: str, x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
