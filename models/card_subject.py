"""What a model is for, who answers for it, what it predicts, and what it was learned from and tested on."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from models.card_blocks import Block, Code, Folded, Notice, Paragraph, Span, Table, Text, say, visible
from models.card_evidence import Facts
from models.card_voice import Voice

SNAPSHOTS: Final = ("train", "calibrate", "test", "dropped_immature", "dropped_in_gap")
#: What is told of each period of the test, beside the counts.
FOLD_METRICS: Final = (("log_loss", 4), ("brier_skill", 3), ("roc_auc", 3), ("lift_at_10", 2))

#: The label once more, for people who would rather check it than believe it.
LABEL_QUERY: Final = """\
SELECT s.lead_id, s.as_of,
       coalesce(min(c.entered_at) >= s.as_of
            AND min(c.entered_at) < s.as_of + INTERVAL '{days} days', false) AS converted
FROM snapshots AS s
LEFT JOIN stage_changes AS c
       ON c.lead_id = s.lead_id AND c.stage = '{stage}' AND c.known_at < TIMESTAMPTZ '{until}'
WHERE s.as_of + INTERVAL '{days} days' <= TIMESTAMPTZ '{until}'
GROUP BY s.lead_id, s.as_of"""


def purpose(facts: Facts, voice: Voice) -> Iterator[Block]:
    """What it is for."""
    yield from voice.paragraph("purpose_is", **goal(facts))


def owner(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Who answers for it, and what they want readers to know; says so where nobody does."""
    if "owner" not in facts:
        return
    name = str(facts["owner"] or "").strip()
    if name:
        yield from voice.paragraph("owner_is", owner=Span(name, "strong"))
    else:
        yield Notice((voice["owner_none"],), "warn")
    note = str(facts.get("note") or "").strip()
    if note:
        yield from voice.paragraph("owner_note", note=note)


def label(facts: Facts, voice: Voice) -> Iterator[Block]:
    """The outcome in words, and as a query that gives the same."""
    about, until = goal(facts), (facts.get("data") or {}).get("known_until")
    yield from voice.paragraph("label_is", **about)
    yield from voice.paragraph("label_unknown", **about)
    if about["stage"] and about["days"] and until:
        stage = visible(about["stage"].text).replace("'", "''")
        query = LABEL_QUERY.format(stage=stage, days=int(about["days"]), until=visible(str(until)))
        yield Folded(voice["label_query"], (Code(query),))


def data(facts: Facts, voice: Voice) -> Iterator[Block]:
    """From when to when, how the leads were looked at, how many snapshots each part has and how many were dropped."""
    about, counts = facts.get("data") or {}, facts.get("snapshots") or {}
    yield from voice.paragraph(
        "data_window",
        first=voice.moment(about.get("first_as_of")),
        last=voice.moment(about.get("last_as_of")),
        until=voice.moment(about.get("known_until")),
    )
    looked_at = about.get("snapshots_at")
    if looked_at == "calendar":
        yield from voice.paragraph("data_calendar", days=_number(about.get("every_days"), voice))
    elif looked_at == "creation" and about.get("days_after_creation"):
        days = ", ".join(voice.short(day) for day in about["days_after_creation"])
        yield from voice.paragraph("data_creation", days=days)
    yield from voice.paragraph("data_order", days=goal(facts)["days"])
    if (about.get("sampled_share") or 1) < 1:
        yield from voice.paragraph("data_sampled", share=voice.percent(about["sampled_share"]))
    named = {voice[f"data_{key}"]: counts[key] for key in SNAPSHOTS if counts.get(key) is not None}
    yield from tallied({(name,): count for name, count in named.items()}, "data_head", voice)
    if counts.get("converted_in_test") is not None:
        yield from voice.paragraph("data_converted", count=voice.count(counts["converted_in_test"]))
    if named:
        yield from voice.paragraph("data_dropped")


def excluded(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Snapshots of leads that may not be scored, by reason."""
    reasons = facts.get("excluded")
    if reasons:
        yield from voice.paragraph("excluded_is")
        yield from tallied({(voice.phrase(why),): count for why, count in reasons.items()}, "excluded_head", voice)
    elif reasons is not None:
        yield Paragraph((voice["excluded_none"],))


def folds(facts: Facts, voice: Voice) -> Iterator[Block]:
    """The periods of the test, each predicted by a model that knew what was known when it began."""
    rows = facts.get("folds") or []
    if not rows:
        return
    yield from voice.paragraph("folds_are")
    yield Table(
        tuple(voice["folds_head"].split("|")),
        tuple(
            (
                (voice.count(fold["number"]),),
                (voice.date(fold.get("trained_until")) or "",),
                say(voice["from_to"], first=voice.date(fold.get("from")), last=voice.date(fold.get("to"))),
                *((voice.count(fold.get(key)),) for key in ("train", "calibrate", "dropped_in_gap", "test")),
            )
            for fold in rows
        ),
        "rllrrrr",
    )
    yield Table(
        (*voice["folds_found_head"].split("|"), *(voice[name] for name, _ in FOLD_METRICS)),
        tuple(_fold(fold, voice) for fold in rows),
        "r" * (6 + len(FOLD_METRICS)),
    )


def _fold(fold: Mapping[str, Any], voice: Voice) -> tuple[Text, ...]:
    metrics = fold.get("metrics") or {}
    return (
        (voice.count(fold["number"]),),
        (voice.count(fold.get("leads")),),
        (voice.count(fold.get("converted")),),
        *((voice.percent(fold.get(key)),) for key in ("predicted_mean", "observed_rate", "base_rate_before")),
        *(
            voice.measured(metrics.get(name), lambda value, digits=digits: voice.number(value, digits=digits))  # type: ignore[misc]
            for name, digits in FOLD_METRICS
        ),
    )


def goal(facts: Facts) -> dict[str, Any]:
    """The stage and the horizon, for sentences about them."""
    about = facts.get("label") or {}
    stage = about.get("target_stage")
    return {"stage": Span(str(stage), "strong") if stage else None, "days": about.get("horizon_days")}


def tallied(counts: Mapping[Text, int], head: str, voice: Voice) -> Iterator[Table]:
    """A table of names and counts; none without a count."""
    if counts:
        rows = tuple((name, (voice.count(count),)) for name, count in counts.items())
        yield Table(tuple(voice[head].split("|")), rows, "lr")


def _number(value: float | None, voice: Voice) -> str | None:
    return None if value is None else voice.short(value)
