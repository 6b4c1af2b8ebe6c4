"""How well a version does on later leads: figures, against baselines and the champion, at the top of the list."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from models.card_blocks import Block, Bullets, Code, Folded, Paragraph, Plot, Span, Table, Text, say
from models.card_evidence import Facts
from models.card_voice import Voice, value_of
from models.card_words import METRICS

#: Metrics of which less is better.
LOSSES: Final = frozenset({"log_loss", "brier", "ece"})
_DIGITS: Final = {"log_loss": 4, "brier": 4, "ece": 4, "brier_skill": 3, "roc_auc": 3, "roc_auc_within": 3, "pr_auc": 3}
#: What MadKudu asks of a scoring: share of leads in the top two bands, conversions there, top rate against lowest.
TARGETS: Final = {"top_two_share": (0.15, 0.35), "captured": (0.6, None), "ratio": (10.0, None)}
#: Shares of the list in the short table of the gain; all are in the long one.
_FIRST: Final = (0.05, 0.1, 0.2, 0.3, 0.5)


def written(metric: str, voice: Voice, *, sign: bool = False) -> Callable[[float], str]:
    """How a metric's values are written: conversions captured as percentages, the others as numbers."""
    if metric.startswith("captured"):
        return lambda value: voice.percent(value, sign=sign)
    return lambda value: voice.number(value, digits=_DIGITS.get(metric, 2), sign=sign)


def metrics(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Every metric of the model beside that of every baseline."""
    measured, baselines = facts.get("metrics") or {}, facts.get("baselines") or {}
    shown = [name for name in METRICS if name in measured]
    if not shown:
        return
    yield from voice.paragraph("metrics_are")
    yield Table(
        (*voice["metrics_head"].split("|"), *(voice.named("baseline", name) for name in baselines)),
        tuple(
            (
                (voice[name],),
                voice.measured(measured[name], written(name, voice)),
                *(voice.measured(of.get(name), written(name, voice)) for of in baselines.values()),
            )
            for name in shown
        ),
        "lr" + "r" * len(baselines),
    )
    meanings = (
        say(voice["meaning"], name=Span(voice[name], "strong"), meaning=voice[f"{name}_means"]) for name in shown
    )
    yield Folded(voice["metrics_mean"], (Bullets(tuple(meanings)),))
    yield from voice.paragraph("metrics_release")


def differences(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Model less baseline on the same leads, in words and with intervals."""
    found = facts.get("differences") or {}
    if not found:
        return
    yield from voice.paragraph("differences_are")
    compared = [name for name in METRICS if any(name in difference for difference in found.values())]
    yield Table(
        (voice["differences_head"], *(voice[name] for name in compared)),
        tuple(
            (
                (Span(voice.named("baseline", baseline), "strong"),),
                *(difference_in_words(name, difference.get(name), voice) for name in compared),
            )
            for baseline, difference in found.items()
        ),
        "l" * (1 + len(compared)),
    )
    notes = facts.get("baseline_notes") or {}
    known = [name for name in found if f"baseline_{name}_is" in voice.words or notes.get(name)]
    if known:
        yield Bullets(tuple(_baseline(name, notes.get(name), voice) for name in known))


def _baseline(name: str, note: object, voice: Voice) -> Text:
    text = say(
        voice["meaning"],
        name=Span(voice.named("baseline", name), "strong"),
        meaning=voice.words.get(f"baseline_{name}_is", "").rstrip(".") or str(note or ""),
    )
    known = note and f"baseline_{name}_is" in voice.words
    return (*text, " ", Span(str(note), "code")) if known else text


def difference_in_words(metric: str, difference: Mapping[str, Any] | None, voice: Voice) -> Text:
    """ "better by 0.012 (0.008 to 0.016)": the size is always on the side of the word.

    Parameters
    ----------
    difference : value, low and high of the model's metric less the other's, and word (better, level or worse); where
        the word is not there it follows from the interval
    """
    value = value_of(difference)
    if difference is None or value is None:
        return (voice["undefined"],)
    better = -1.0 if metric in LOSSES else 1.0
    low, high = (value_of(difference.get(key)) for key in ("low", "high"))
    word = str(difference.get("word") or _word(better, low, high))
    side = -better if word == "worse" else better
    ends = sorted(side * end for end in (low, high) if end is not None)
    write = written(metric, voice, sign=word == "level")
    around = voice.between(ends[0], ends[1], write) if len(ends) == 2 else ""
    text = say(voice[f"by_{word}"] if f"by_{word}" in voice.words else voice["by_level"], by=write(side * value))
    return (Span(voice.named("word", word), "strong"), *text, Span(around, "quiet")) if around else text


def _word(better: float, low: float | None, high: float | None) -> str:
    if low is None or high is None or low <= 0 <= high:
        return "level"
    return "better" if better * low > 0 else "worse"


def champion(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Against the version that scored when this was trained, on the same later leads."""
    if "champion" not in facts:
        return
    other = facts["champion"] or {"why": "none"}
    if other.get("why"):
        text = say(voice.named("champion", other["why"]), version=Span(str(other.get("version")), "strong"))
        yield Paragraph(text)
        return
    yield from voice.paragraph(
        "champion_is",
        version=Span(str(other.get("version")), "strong"),
        snapshots=voice.count(other.get("snapshots")),
        leads=voice.count(other.get("leads")),
        converted=voice.count(other.get("converted")),
    )
    values, found = other.get("metrics") or {}, other.get("differences") or {}
    shown = [name for name in METRICS if name in values or name in found]
    if shown:
        yield Table(
            tuple(voice["champion_head"].split("|")),
            tuple(
                (
                    (voice[name],),
                    *(voice.measured((values.get(name) or {}).get(key), written(name, voice)) for key in _TWO),
                    difference_in_words(name, found.get(name), voice),
                )
                for name in shown
            ),
            "lrrl",
        )


_TWO: Final = ("candidate", "champion")


def gain(facts: Facts, voice: Voice) -> Iterator[Block]:
    """How many of the conversions are found by calling the first share of the list."""
    rows = facts.get("gain") or []
    if not rows:
        return
    capacity = facts.get("capacity") or {}
    yield from voice.paragraph("gain_is")
    if capacity.get("leads") is not None and capacity.get("share") is not None:
        share = voice.percent(capacity["share"])
        yield from voice.paragraph("gain_capacity", leads=voice.short(capacity["leads"]), share=share)
    yield Plot("gain", tuple(rows), capacity.get("share"))
    lists = [name for name in ("model", "points", "logistic") if any(row.get(name) is not None for row in rows)]
    head = (voice["gain_head"], *(voice[f"gain_{name}"] for name in lists))

    def cells(row: Mapping[str, Any]) -> tuple[Text, ...]:
        return ((voice.percent(row["share"], digits=0),), *((voice.percent(row.get(name)),) for name in lists))

    short = [row for row in rows if any(abs(row["share"] - share) < 1e-9 for share in _FIRST)]
    if short:
        yield Table(head, tuple(map(cells, short)), "r" * len(head))
    yield Folded(voice["gain_all"], (Table(head, tuple(map(cells, rows)), "r" * len(head)),))


def targets(facts: Facts, voice: Voice) -> Iterator[Block]:
    """What MadKudu asks of a scoring, for the model and for marketing's points."""
    found = {name: of for name, of in (facts.get("targets") or {}).items() if of}
    if not found:
        return
    yield from voice.paragraph("targets_are")
    yield Table(
        (voice["targets_head"], *(voice[f"gain_{name}"] if f"gain_{name}" in voice.words else name for name in found)),
        tuple(
            ((voice[f"target_{target}"],), *(_target(target, of.get(target), voice) for of in found.values()))
            for target in TARGETS
        ),
        "l" * (1 + len(found)),
    )
    for name, of in found.items():
        if of.get("bands"):
            summary = voice["bands_of"].format(of=voice[f"gain_{name}"] if f"gain_{name}" in voice.words else name)
            rows = tuple(
                (
                    (str(band["band"]),),
                    *((voice.percent(band.get(key)),) for key in ("leads_share", "converted_share", "rate")),
                )
                for band in of["bands"]
            )
            yield Folded(summary, (Table(tuple(voice["bands_head"].split("|")), rows, "lrrr"),), open=name == "model")


def _target(target: str, value: float | None, voice: Voice) -> Text:
    if value is None:
        # Only the ratio can be undefined: nobody in the lowest band converted, which is as good as can be.
        return (
            (f"{voice['target_none']} ", Span(voice["met"], "strong")) if target == "ratio" else (voice["undefined"],)
        )
    least, most = TARGETS[target]
    met = value >= least and (most is None or value <= most)
    said = voice.number(value, digits=1) if target == "ratio" else voice.percent(value)
    return (f"{said} ", Span(voice["met" if met else "not_met"], "strong"))


def tuning(facts: Facts, voice: Voice) -> Iterator[Block]:
    """What a search of parameters found, and whether it was worth it; nothing where there was none."""
    search = facts.get("tuning")
    if not search:
        return
    minutes = search.get("minutes")
    yield from voice.paragraph(
        "tuning_is",
        trials=voice.count(search.get("trials")),
        minutes=None if minutes is None else voice.short(minutes),
    )
    if search.get("gain"):
        worth = difference_in_words("log_loss", search["gain"], voice)
        yield Paragraph((*say(voice["tuning_gain"], metric=voice["log_loss"]), *worth))
    if search.get("used") is not None:
        yield Paragraph((voice["tuning_used" if search["used"] else "tuning_kept"],))
    if search.get("parameters"):
        lines = "\n".join(f"{key} = {value}" for key, value in search["parameters"].items())
        yield Code(lines)
