"""Whether a probability can be taken at its word: on the whole, month by month, and group by group."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from models.card_blocks import Block, Bullets, Paragraph, Plot, Span, Table, Text, say
from models.card_evidence import Facts
from models.card_voice import Voice, value_of

Row = Mapping[str, Any]

#: With fewer leads that converted, a group's figures say little.
SMALL_CONVERTED: Final = 10
#: A plot with more rows than this cannot be read; the table has them all.
DRAWN_MOST: Final = 40


def calibration(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Does 22 % mean 22 of 100? How that was seen to, and what was found."""
    yield from _method(facts.get("calibration") or {}, voice)
    table = facts.get("calibration_table") or []
    if table:
        inside = sum(row["wilson_low"] <= row["predicted_mean"] <= row["wilson_high"] for row in table)
        yield from voice.paragraph("calibration_is", inside=voice.count(inside), groups=voice.count(len(table)))
        yield Plot("reliability", tuple(table))
        yield Table(tuple(voice["calibration_head"].split("|")), tuple(_row(row, voice) for row in table), "rrrrrr")
    yield from _error(facts, voice)
    if table:
        yield Bullets(tuple((line,) for line in voice["calibration_limits"].splitlines()))


def _method(found: Mapping[str, Any], voice: Voice) -> Iterator[Block]:
    method = found.get("method")
    yield from voice.paragraph("calibration_method", method=method and Span(voice.named("method", method), "strong"))
    choices = found.get("choices") or []
    if choices:
        rows = tuple(
            (
                (voice.named("method", of["method"]),),
                *((voice.number(value_of(of.get(key)), digits=5),) for key in _CHOICE),
            )
            for of in choices
        )
        yield Table(tuple(voice["choices_head"].split("|")), rows, "lrrr")
    yield from _shift(found.get("prior_shift") or {}, voice)


_CHOICE: Final = ("log_loss", "above_best", "standard_error")


def _shift(found: Mapping[str, Any], voice: Voice) -> Iterator[Block]:
    """By how much the level was moved to the newest outcomes, and what that would have done in the past."""
    known = all(value_of(found.get(key)) is not None for key in ("gap", "share", "shift"))
    if known:
        moved = {key: voice.number(found[key], digits=3, sign=True) for key in ("gap", "shift")}
        yield from voice.paragraph("level_shift", share=voice.percent(found["share"], digits=0), **moved)
    judged = found.get("judged") or []
    if judged:
        rows = tuple(
            (
                (voice.date(datetime.fromtimestamp(row["begins"] / 1e6, UTC).isoformat()) or "",),
                (voice.count(row["snapshots"]),),
                *((voice.percent(row[key]),) for key in ("predicted_before", "predicted_after", "observed")),
            )
            for row in judged
        )
        yield Table(tuple(voice["level_head"].split("|")), rows, "lrrrr")


def _error(facts: Facts, voice: Voice) -> Iterator[Block]:
    """The calibration error beside what chance alone would give."""
    error = value_of((facts.get("metrics") or {}).get("ece"))
    null = value_of((facts.get("calibration") or {}).get("ece_null95"))
    if error is not None and null is not None:
        key = "calibration_error_within" if error <= null else "calibration_error_beyond"
        yield from voice.paragraph(key, error=voice.number(error), null=voice.number(null))


def _row(row: Row, voice: Voice) -> tuple[Text, ...]:
    return (
        _between(row["probability_low"], row["probability_high"], voice),
        (voice.percent(row["predicted_mean"]),),
        (voice.percent(row["observed_rate"]),),
        _between(row["wilson_low"], row["wilson_high"], voice),
        (voice.count(row["snapshots"]),),
        (voice.count(row["leads"]),),
    )


def _between(low: float, high: float, voice: Voice) -> Text:
    return say(voice["range"], low=voice.percent(low), high=voice.percent(high))


def months(facts: Facts, voice: Voice) -> Iterator[Block]:
    """What was promised and what happened, month by month."""
    rows = facts.get("months") or []
    if not rows:
        return
    outside = sum(not as_promised(row) for row in rows)
    yield from voice.paragraph("months_are", outside=voice.count(outside), months=voice.count(len(rows)))
    yield Plot("months", tuple(rows))
    yield Table(
        tuple(voice["months_head"].split("|")),
        tuple(
            (
                (voice.month(str(row["month"])),),
                *((voice.count(row.get(key)),) for key in ("snapshots", "leads", "converted")),
                (voice.percent(row["predicted_mean"]),),
                _observed(row, ("observed_low", "observed_high"), voice),
                voice.measured(row.get("calibration_intercept"), _signed(voice)),
                (voice.number(value_of(row.get("roc_auc")), digits=3),),
                _word(row, voice),
            )
            for row in rows
        ),
        "lrrrrrrrl",
    )


def as_promised(row: Row) -> bool:
    """Whether what happened in a month or group is within chance of what was promised; so too where none can tell.

    >>> as_promised({"word": "promises too much"}), as_promised({"word": "undefined"})
    (False, True)
    """
    if row.get("word"):
        return row["word"] in ("as promised", "undefined")
    low, high = (row.get(f"observed_{end}", row.get(f"wilson_{end}")) for end in ("low", "high"))
    return low is None or high is None or bool(low <= row["predicted_mean"] <= high)


def segments(facts: Facts, voice: Voice) -> Iterator[Block]:
    """What was promised and what happened, group by group; the small ones are marked."""
    rows, columns = facts.get("segments") or [], facts.get("segment_columns")
    if not rows:
        if columns == []:
            yield Paragraph((voice["segments_none"],))
        return
    yield from voice.paragraph("segments_are", least=voice.count(SMALL_CONVERTED))
    yield from _verdict(rows, voice)
    ordered = [row for column in _columns(rows) for row in rows if row["column"] == column]
    yield Plot("segments", tuple(ordered[:DRAWN_MOST]))
    if len(ordered) > DRAWN_MOST:
        yield from voice.paragraph("segments_drawn", drawn=voice.count(DRAWN_MOST), all=voice.count(len(ordered)))
    yield Table(tuple(voice["segments_head"].split("|")), tuple(_segment(row, voice) for row in ordered), "llrrrrrl")
    yield from voice.paragraph("segments_pooled")


def _verdict(rows: Sequence[Row], voice: Voice) -> Iterator[Block]:
    """The groups to which something else was promised than happened, by name."""
    wrong = [row for row in rows if not as_promised(row)]
    if not wrong:
        yield Paragraph((voice["segments_right"],))
        return
    yield Bullets(
        tuple(
            say(
                voice["segment_wrong"],
                column=Span(str(row["column"]), "code"),
                value=Span(voice.named("value", row["value"]), "strong"),
                word=voice.named("word", row.get("word")),
                predicted=voice.percent(row["predicted_mean"]),
                observed=voice.percent(row["observed_rate"]),
            )
            for row in wrong
        )
    )


def _segment(row: Row, voice: Voice) -> tuple[Text, ...]:
    small = small_segment(row)
    name: Text = (Span(voice.named("value", row["value"]), "strong"), *((f" {voice['small']}",) if small else ()))
    return (
        (Span(str(row["column"]), "code"),),
        name,
        (voice.count(row["leads"]),),
        (voice.count(row["converted"]),),
        (voice.percent(row["predicted_mean"]),),
        _observed(row, ("wilson_low", "wilson_high"), voice),
        voice.measured(row.get("pooled_intercept"), _signed(voice)),
        _word(row, voice),
    )


def _word(row: Row, voice: Voice) -> Text:
    """Whether it came as promised; strong where it did not."""
    said = voice.named("word", row.get("word") or "undefined")
    return (said,) if as_promised(row) else (Span(said, "strong"),)


def small_segment(row: Row) -> bool:
    """Whether a group has too few converted, or too few that did not, to say much."""
    converted, leads = int(row["converted"]), int(row["leads"])
    return min(converted, leads - converted) < SMALL_CONVERTED


def groups(facts: Facts, voice: Voice) -> Iterator[Block]:
    """For columns declared sensitive: how well it ranks and promises in each group, and how far groups are apart."""
    sensitive, rows = facts.get("sensitive"), facts.get("segments") or []
    if sensitive is None:
        return
    told = [row for row in rows if row.get("sensitive") or row["column"] in sensitive]
    unmeasured = ", ".join(str(column) for column in sensitive if column not in _columns(told))
    if unmeasured:
        yield from voice.paragraph("groups_unmeasured", columns=unmeasured)
    if not told:
        if not sensitive:
            yield Paragraph((voice["groups_none"],))
        return
    yield from voice.paragraph("groups_are")
    reasons = facts.get("justification") or {}
    for column in _columns(told):
        of = [row for row in told if row["column"] == column]
        why = reasons.get(column)
        name = Span(column, "code")
        yield Paragraph(say(voice["group_why"], column=name, why=why) if why else say(voice["group_bare"], column=name))
        yield Table(tuple(voice["groups_head"].split("|")), tuple(_group(row, voice) for row in of), "lrrrrrl")
        yield from _apart(column, of, voice)


def _group(row: Row, voice: Voice) -> tuple[Text, ...]:
    return (
        (Span(voice.named("value", row["value"]), "strong"), *((f" {voice['small']}",) if small_segment(row) else ())),
        (voice.count(row["leads"]),),
        _observed(row, ("wilson_low", "wilson_high"), voice),
        voice.measured(row.get("calibration_intercept"), _signed(voice)),
        (voice.number(value_of(row.get("log_loss"))),),
        voice.measured(row.get("roc_auc"), lambda value: voice.number(value, digits=3)),
        _word(row, voice),
    )


def _apart(column: str, rows: Sequence[Row], voice: Voice) -> Iterator[Block]:
    """The two groups between which the ranking differs most, of those large enough to say."""
    ranked = [(value_of(row.get("roc_auc")), row) for row in rows if not small_segment(row)]
    known = sorted(((auc, voice.named("value", row["value"])) for auc, row in ranked if auc is not None))
    if len(known) > 1:
        yield from voice.paragraph(
            "groups_apart",
            column=Span(column, "code"),
            low=voice.number(known[0][0], digits=3),
            lowest=Span(known[0][1], "strong"),
            high=voice.number(known[-1][0], digits=3),
            highest=Span(known[-1][1], "strong"),
        )


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(str(row["column"]) for row in rows))


def _observed(row: Row, ends: tuple[str, str], voice: Voice) -> Text:
    low, high = (row.get(end) for end in ends)
    return voice.measured({"value": row["observed_rate"], "low": low, "high": high}, voice.percent)


def _signed(voice: Voice) -> Any:
    return lambda value: voice.number(value, digits=2, sign=True)
