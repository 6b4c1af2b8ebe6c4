"""Counts of the last run for Prometheus' textfile collector: written beside, then renamed, so that it is read whole."""

import tempfile
from datetime import datetime
from pathlib import Path

from pipelines.score import ScoreReport

_HELP = {
    "leadscore_last_run_timestamp_seconds": "When the last run ended well.",
    "leadscore_as_of_timestamp_seconds": "The moment that run scored.",
    "leadscore_leads_in": "Leads the run looked at.",
    "leadscore_leads_scored": "Leads it scored.",
    "leadscore_leads_excluded": "Leads it left out, by reason.",
    "leadscore_leads_quarantined": "Leads it could not score, by reason.",
    "leadscore_run_seconds": "How long it took.",
    "leadscore_flag": "1 for everything that was odd about it.",
}


def write(file: str, report: ScoreReport, *, now: datetime) -> list[str]:
    """Write the file, unless `file` is empty; a folder that cannot be written to is a warning, never a failed night.

    Returns
    -------
    Warnings.
    """
    if not file or report.status == "dry run":
        return []
    place = Path(file)
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=place.parent, suffix=".tmp", delete=False) as out:
            out.write(text(report, now=now))
        Path(out.name).chmod(0o644)
        Path(out.name).replace(place)
    except OSError as error:
        return [
            f"The metrics file {file} could not be written: {error.strerror}. The scores are published all the same."
        ]
    return []


def text(report: ScoreReport, *, now: datetime) -> str:
    """The run's counts in Prometheus' text format."""
    values: list[tuple[str, str, float]] = [
        ("leadscore_last_run_timestamp_seconds", "", now.timestamp()),
        ("leadscore_as_of_timestamp_seconds", "", datetime.fromisoformat(report.as_of).timestamp()),
        ("leadscore_leads_in", "", report.leads_in),
        ("leadscore_leads_scored", "", report.scored),
        *(("leadscore_leads_excluded", _label("reason", why), n) for why, n in sorted(report.excluded.items())),
        *(("leadscore_leads_quarantined", _label("reason", why), n) for why, n in sorted(report.quarantined.items())),
        ("leadscore_run_seconds", "", report.seconds),
        *(("leadscore_flag", _label("flag", flag), 1) for flag in sorted(set(report.flags))),
    ]
    lines = []
    for name, about in _HELP.items():
        of_name = [(label, value) for found, label, value in values if found == name]
        if of_name:
            lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
            lines += [f"{name}{label} {value!r}" for label, value in of_name]
    return "\n".join(lines) + "\n"


def _label(name: str, value: str) -> str:
    plain = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{{{name}="{plain}"}}'
