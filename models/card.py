"""Facts about a version -> Markdown that someone who is no data scientist can read."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

METRIC_NAMES: Final[Mapping[str, str]] = {
    "log_loss": "Log loss (lower is better)",
    "brier": "Brier score (lower is better)",
    "brier_skill": "Brier skill against the base rate",
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC (average precision)",
    "lift_at_10": "Lift in the top 10 %",
    "ece": "Expected calibration error, debiased",
    "calibration_slope": "Calibration slope (1 is right)",
    "calibration_intercept": "Calibration in the large (0 is right)",
}


def to_markdown(facts: Mapping[str, Any]) -> str:
    """The model card of a release.

    Parameters
    ----------
    facts : what `pipelines/train.py` measured; see `card.json` of a release

    Returns
    -------
    Markdown; a metric that could not be computed reads "undefined"
    """
    label, data, counts = facts["label"], facts["data"], facts["snapshots"]
    parts = [
        "# Model card",
        f"**Verdict: {facts['verdict']}.** {facts['verdict_reason']}",
        "## What it predicts",
        f"The probability that an open lead enters the stage *{label['target_stage']}* within {label['horizon_days']} "
        "days. It is advice for marketing and sales; people decide. It is not made to judge persons for credit, "
        "employment or insurance.",
        "## Data",
        f"Snapshots from {data['first_as_of']} to {data['last_as_of']}; outcomes known up to {data['known_until']}. "
        f"Training {counts['train']:,}, calibration {counts['calibrate']:,}, test {counts['test']:,} snapshots, in "
        f"this order in time with {label['horizon_days']} days between; {counts['dropped_immature']:,} dropped because "
        f"their outcome is not known yet, {counts['dropped_in_gap']:,} because they fall into a gap. "
        f"Data digest `{data['digest'][:16]}`.",
        _exclusions(facts["excluded"]),
        "## How well it does, on later leads it never saw",
        _metrics(facts["metrics"], facts["baselines"]),
        "Intervals are 95 %, by bootstrap over leads. The released model is fitted by the same procedure on all "
        "mature snapshots, the tested ones included.",
        "### Calibration table",
        _calibration(facts["calibration_table"]),
        "## Leak probes",
        "\n".join(f"- **{leak['column']}**: {leak['sentence']}" for leak in facts["leaks"]) or "Nothing found.",
        "## Features",
        _features(facts["features"]),
        "### Left out",
        "\n".join(f"- `{name}`: {why}" for name, why in facts["left_out"].items()) or "None.",
    ]
    if facts["notes"]:
        parts += ["## Notes", "\n".join(f"- {note}" for note in facts["notes"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def number(value: float | None, *, digits: int = 4) -> str:
    """A figure for people; None is "undefined".

    >>> number(0.12345), number(None)
    ('0.1235', 'undefined')
    """
    return "undefined" if value is None else f"{value:.{digits}f}"


def _exclusions(excluded: Mapping[str, int]) -> str:
    if not excluded:
        return ""
    return "Not eligible: " + ", ".join(f"{reason} ({count:,})" for reason, count in excluded.items()) + "."


def _metrics(metrics: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]]) -> str:
    names = list(baselines)
    lines = [
        "| metric | model (95 % interval) | " + " | ".join(name.replace("_", " ") for name in names) + " |",
        "| --- | --- |" + " --- |" * len(names),
    ]
    for key, title in METRIC_NAMES.items():
        if key in metrics:
            m = metrics[key]
            cell = f"{number(m['value'])} ({number(m['low'])} to {number(m['high'])})"
            lines.append(
                f"| {title} | {cell} | " + " | ".join(number(baselines[n][key]["value"]) for n in names) + " |"
            )
    return "\n".join(lines)


def _calibration(table: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| predicted | mean predicted | converted | 95 % interval | snapshots |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['probability_low']:.3f} to {row['probability_high']:.3f} | {row['predicted_mean']:.3f} | "
        f"{row['observed_rate']:.3f} | {row['wilson_low']:.3f} to {row['wilson_high']:.3f} | {row['snapshots']:,} |"
        for row in table
    ]
    return "\n".join(lines)


def _features(features: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| feature | what it is | unit | empty means | weight in log odds |",
        "| --- | --- | --- | --- | --- |",
    ]
    ordered = sorted(features, key=lambda f: (-f["importance"], f["name"]))
    lines += [
        f"| `{f['name']}` | {_cell(f['about'])} | {f['unit']} | {_cell(f['missing'])} | {f['importance']:.3f} |"
        for f in ordered
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Text that stays in its cell: a declared attribute may be called anything."""
    return " ".join(text.split()).replace("|", "\\|")
