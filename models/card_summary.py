"""The first screen of a card: how it stands, the verdict, a few figures, and a few sentences for everybody."""

from collections.abc import Iterator, Mapping
from math import log
from typing import Any, Final, Literal

from models.card_blocks import Block, Bullets, Figure, Figures, Folded, Notice, Span, Table, Text, say
from models.card_evidence import Facts, missing_sections
from models.card_results import written
from models.card_trust import as_promised
from models.card_voice import Voice, value_of

Standing = Mapping[str, Any]
State = Literal["approved", "refused", "changed", "withdrawn", "unreviewed"]

_AT_A_GLANCE: Final = (
    "captured_at_capacity",
    "captured_at_10",
    "lift_at_10",
    "roc_auc",
    "brier_skill",
    "calibration_slope",
)
_TONES: Final[Mapping[State, Literal["good", "warn", "bad"]]] = {
    "approved": "good",
    "refused": "bad",
    "changed": "bad",
    "withdrawn": "bad",
    "unreviewed": "warn",
}
_TALKED_OF: Final = 0.2
"""The probability that the first sentence speaks of, or the group nearest to it."""


def state(standing: Standing) -> State:
    """What the last review says of this very card.

    >>> state({"reviews": []})
    'unreviewed'
    >>> state({"card_digest": "b", "reviews": [{"decision": "approved", "card_digest": "a"}]})
    'changed'
    """
    reviews = standing.get("reviews") or []
    if not reviews:
        return "unreviewed"
    last = reviews[-1]
    if last.get("card_digest") != standing.get("card_digest"):
        return "changed"
    if last.get("decision") != "approved":
        return "refused"
    if standing.get("approved", True):
        return "approved"
    return "withdrawn" if standing.get("withdrawn_at") else "refused"


def stands(standing: Standing | None, voice: Voice) -> Iterator[Block]:
    """Version and reviews; nothing where the card was not registered yet."""
    if standing is None:
        return
    status = standing.get("status")
    yield from voice.paragraph(
        "version_is",
        version=_strong(standing.get("version")),
        date=voice.date(standing.get("registered_at")),
        status=status and voice.named("status", status),
    )
    found, reviews = state(standing), standing.get("reviews") or []
    last = reviews[-1] if reviews else {}
    who, when = _strong(last.get("reviewer")), voice.moment(last.get("reviewed_at"))
    text = say(voice.words.get(f"review_{found}"), reviewer=who, date=when) or (voice[f"review_{found}_by_nobody"],)
    note = say(voice["review_note"], note=last.get("note") or None) if found != "unreviewed" else ()
    yield Notice((*text, *note), _TONES[found])
    for forced in standing.get("forced") or []:
        yield Notice(
            (*say(voice["forced"], date=voice.moment(forced.get("promoted_at"))), voice.phrase(forced.get("reason"))),
            "warn",
        )
    digest = standing.get("card_digest")
    yield from voice.paragraph("card_digest", digest=digest and Span(str(digest), "code"))
    if len(reviews) > 1:
        rows = tuple(_review(review, standing, voice) for review in reviews)
        yield Folded(voice["reviews"], (Table(tuple(voice["reviews_head"].split("|")), rows, "lllll"),))


def verdict(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Whether the card is complete, what was found, figures, and what they say in plain words."""
    missing = missing_sections(facts)
    if missing:
        names = voice["semicolon"].join(voice[key] for key in missing)
        yield Notice(say(voice["incomplete"], sections=names), "bad")
    found = facts.get("verdict")
    if found:
        strong = Span(f"{voice['verdict_is']} {voice.named('verdict', found)}", "strong")
        yield from voice.paragraph("verdict", verdict=strong, reason=_reason(facts, voice))
    yield from _figures(facts, voice)
    sentences = tuple(text for text in _sentences(facts, voice) if text)
    if sentences:
        yield Bullets(sentences)


def _review(review: Mapping[str, Any], standing: Standing, voice: Voice) -> tuple[Text, ...]:
    same = review.get("card_digest") == standing.get("card_digest")
    return (
        (voice.moment(review.get("reviewed_at")) or "",),
        (voice.named("decision", review.get("decision")),),
        (str(review.get("reviewer") or ""),),
        (str(review.get("note") or ""),),
        (voice["this_card" if same else "other_card"],),
    )


def _reason(facts: Facts, voice: Voice) -> str | Span | None:
    """Why, in the card's language: said anew from what was measured where it is not English."""
    reason, measured = facts.get("verdict_reason"), facts.get("verdict_facts") or {}
    said = reason and voice.phrase(str(reason))
    if isinstance(said, str):
        return said
    # A sentence that is new to the phrase book is said anew. There, the gain is the model's loss less the base rate's.
    gain, auc = measured.get("gain") or {}, measured.get("roc_auc") or {}
    ends = [number.get(key) for number in (gain, auc) for key in ("value", "low", "high")]
    if any(value_of(end) is None for end in ends):
        return said
    key = "verdict_gain" if facts.get("verdict") == "candidate" else "verdict_none"
    ends_of = {"value": "value", "low": "high", "high": "low"}
    gains = {f"gain_{at}": voice.number(-gain[of], sign=True) for at, of in ends_of.items()}
    return voice[key].format(**gains, **{f"auc_{at}": voice.number(auc[at], digits=3) for at in auc if at in _ENDS})


_ENDS: Final = ("value", "low", "high")


def _figures(facts: Facts, voice: Voice) -> Iterator[Block]:
    metrics = facts.get("metrics") or {}
    measured = [name for name in _AT_A_GLANCE if value_of(metrics.get(name)) is not None]
    if not measured:
        return
    shown = []
    for name in measured:
        write, of = written(name, voice), metrics[name]
        around = voice.between(of.get("low"), of.get("high"), write).strip()
        shown.append(Figure(voice[name], write(of["value"]), around, voice[f"{name}_short"]))
    yield Figures(tuple(shown))


def _sentences(facts: Facts, voice: Voice) -> Iterator[Text]:
    metrics = facts.get("metrics") or {}
    yield _promise(facts, voice)
    lift, captured = (value_of(metrics.get(name)) for name in ("lift_at_10", "captured_at_10"))
    if lift is not None and captured is not None:
        called = say(voice["plain_tenth"], share=voice.percent(captured, digits=0), lift=voice.number(lift, digits=1))
        yield (*called, *_at_capacity(facts, voice))
    yield _compared(facts, voice)
    yield _on_the_whole(facts, voice)
    yield _careful(facts, voice)
    counts = facts.get("snapshots") or {}
    if counts.get("test") is not None and counts.get("converted_in_test") is not None:
        numbers = {key: voice.count(counts[name]) for key, name in (("test", "test"), ("leads", "converted_in_test"))}
        yield say(voice["plain_rests"], **numbers)


def _promise(facts: Facts, voice: Voice) -> Text:
    """What became of the leads with about 20 %."""
    rows = [row for row in facts.get("calibration_table") or [] if 0 < row["predicted_mean"] < 1]
    if not rows:
        return ()
    row = min(rows, key=lambda row: abs(log(row["predicted_mean"] / _TALKED_OF)))
    digits = 0 if row["predicted_mean"] >= 0.1 else 1
    of_100 = {key: voice.short(round(100 * row[name], digits)) for key, name in _OF_100.items()}
    return say(voice["plain_promise"], promised=voice.percent(row["predicted_mean"], digits=digits), **of_100)


_OF_100: Final = {"converted": "observed_rate", "low": "wilson_low", "high": "wilson_high"}


def _at_capacity(facts: Facts, voice: Voice) -> Text:
    capacity = facts.get("capacity") or {}
    captured = value_of((facts.get("metrics") or {}).get("captured_at_capacity"))
    if captured is None or capacity.get("leads") is None:
        return ()
    leads = voice.short(capacity["leads"])
    return (" ", *say(voice["plain_capacity"], leads=leads, share=voice.percent(captured, digits=0)))


def _compared(facts: Facts, voice: Voice) -> Text:
    """Better than these, level with those, by log loss on the same leads."""
    words: dict[str, list[str]] = {}
    for name, difference in (facts.get("differences") or {}).items():
        word = (difference.get("log_loss") or {}).get("word")
        words.setdefault(str(word), []).append(voice.named("baseline", name))
    champion = facts.get("champion") or {}
    if champion.get("differences"):
        word = (champion["differences"].get("log_loss") or {}).get("word")
        words.setdefault(str(word), []).append(voice["the_champion"])
    parts = [
        voice[f"plain_{word}"].format(names=", ".join(words[word]))
        for word in ("better", "level", "worse")
        if word in words
    ]
    return say(voice["plain_compared"], found=voice["semicolon"].join(parts)) if parts else ()


def _on_the_whole(facts: Facts, voice: Voice) -> Text:
    rows = facts.get("months") or facts.get("calibration_table") or []
    snapshots = sum(row["snapshots"] for row in rows)
    if not snapshots:
        return ()
    predicted, observed = (
        sum(row["snapshots"] * row[name] for row in rows) / snapshots for name in ("predicted_mean", "observed_rate")
    )
    return say(voice["plain_whole"], predicted=voice.percent(predicted), observed=voice.percent(observed))


def _careful(facts: Facts, voice: Voice) -> Text:
    """In how many months and groups something else happened than was promised."""
    months, segments = facts.get("months") or [], facts.get("segments") or []
    if not months or (not segments and facts.get("segment_columns") != []):
        return ()
    outside, other = (sum(not as_promised(row) for row in rows) for rows in (months, segments))
    return say(
        voice["plain_careful" if outside or other else "plain_calm"],
        outside=voice.count(outside),
        months=voice.count(len(months)),
        other=voice.count(other),
        segments=voice.count(len(segments)),
    )


def _strong(text: object) -> Span | None:
    return Span(str(text), "strong") if text not in (None, "") else None
