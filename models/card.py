"""Facts about a version -> its model card, in Markdown and as a page, that someone who is no data scientist can read.

Both say the same, from the same sections, with the words of `card_words`. The sections are those of Mitchell et al.:
intended use and uses out of scope, data, metrics, quantitative analyses, ethical considerations, caveats, model
details. What was not measured is not said.

References
----------
Mitchell, M. et al. (2019). Model cards for model reporting. FAT* '19. doi:10.1145/3287560.3287596
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from models import card_markdown, card_page
from models.card_blocks import (
    Bar,
    Block,
    Bullets,
    Code,
    Figure,
    Figures,
    Paragraph,
    Plot,
    Section,
    Span,
    Table,
    Text,
    say,
    visible,
)
from models.card_words import ENGLISH, METRICS, Words

Facts = Mapping[str, Any]
Blocks = Callable[[Facts, Words], Iterator[Block]]

METRIC_NAMES: Final[Mapping[str, str]] = {name: ENGLISH[name] for name in METRICS}
_AT_A_GLANCE: Final = ("lift_at_10", "roc_auc", "brier_skill", "calibration_slope")
_SNAPSHOTS: Final = ("train", "calibrate", "test", "dropped_immature", "dropped_in_gap")
#: The columns of the table of features, numbers last.
_FEATURE: Final = ("name", "about", "family", "unit", "missing", "importance")

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


def to_markdown(facts: Facts, *, words: Words = ENGLISH) -> str:
    """The model card of a release as Markdown: no HTML, no link, whatever columns are called.

    Parameters
    ----------
    facts : what `pipelines/train.py` measured; see `card.json` of a release
    """
    return card_markdown.render(sections(facts, words=words))


def to_html(facts: Facts, *, words: Words = ENGLISH) -> str:
    """The model card of a release as one page that needs, asks and runs nothing; arguments as in `to_markdown`."""
    return card_page.render(sections(facts, words=words), words=words)


def sections(facts: Facts, *, words: Words = ENGLISH) -> list[Section]:
    """The card's sections in the order in which they are read; those with nothing to say are left out."""
    made = [Section(key, words[key], tuple(blocks(facts, words)), level) for key, level, blocks in _SECTIONS]
    return [section for section in made if section.blocks]


def number(value: float | None, *, digits: int = 4) -> str:
    """A figure for people; None is "undefined".

    >>> number(0.12345), number(None)
    ('0.1235', 'undefined')
    """
    return ENGLISH["undefined"] if value is None else f"{value:.{digits}f}"


def _verdict(facts: Facts, words: Words) -> Iterator[Block]:
    verdict = facts.get("verdict")
    strong = verdict and Span(f"{words['verdict_is']} {verdict}", "strong")
    yield from _paragraph(words["verdict"], verdict=strong, reason=facts.get("verdict_reason"))
    metrics = facts.get("metrics", {})
    measured = [name for name in _AT_A_GLANCE if name in metrics and metrics[name]["value"] is not None]
    if measured:
        yield Figures(
            tuple(
                Figure(words[name], number(metrics[name]["value"], digits=2), _interval(metrics[name], words, digits=2))
                for name in measured
            )
        )


def _purpose(facts: Facts, words: Words) -> Iterator[Block]:
    yield from _paragraph(words["purpose_is"], **_goal(facts))


def _label(facts: Facts, words: Words) -> Iterator[Block]:
    goal, until = _goal(facts), facts.get("data", {}).get("known_until")
    yield from _paragraph(words["label_is"], **goal)
    yield from _paragraph(words["label_unknown"], **goal)
    if goal["stage"] and goal["days"] and until:
        stage = visible(goal["stage"].text).replace("'", "''")
        yield from _paragraph(words["label_query"])
        yield Code(LABEL_QUERY.format(stage=stage, days=int(goal["days"]), until=visible(str(until))))


def _data(facts: Facts, words: Words) -> Iterator[Block]:
    data, counts = facts.get("data", {}), facts.get("snapshots", {})
    yield from _paragraph(
        words["data_window"],
        first=_minute(data.get("first_as_of")),
        last=_minute(data.get("last_as_of")),
        until=_minute(data.get("known_until")),
    )
    yield from _paragraph(words["data_order"], days=_goal(facts)["days"])
    if data.get("sampled_share", 1) < 1:
        yield from _paragraph(words["data_sampled"], share=_percent(data["sampled_share"]))
    yield from _counts({words[f"data_{key}"]: counts[key] for key in _SNAPSHOTS if key in counts}, words["data_head"])
    if "converted_in_test" in counts:
        yield from _paragraph(words["data_converted"], count=f"{counts['converted_in_test']:,}")


def _excluded(facts: Facts, words: Words) -> Iterator[Block]:
    if facts.get("excluded"):
        yield from _paragraph(words["excluded_is"])
        yield from _counts(facts["excluded"], words["excluded_head"])


def _metrics(facts: Facts, words: Words) -> Iterator[Block]:
    metrics, baselines = facts.get("metrics", {}), facts.get("baselines", {})
    measured = [name for name in METRICS if name in metrics]
    if not measured:
        return

    def cell(of: Mapping[str, Any], name: str) -> Text:
        if of.get(name, {}).get("value") is None:
            return (words["undefined"],)
        return (number(of[name]["value"]), Span(_interval(of[name], words, digits=4), "quiet"))

    yield from _paragraph(words["metrics_are"])
    yield Table(
        (*words["metrics_head"].split("|"), *(words.get(name, name) for name in baselines)),
        tuple(((words[n],), cell(metrics, n), *(cell(of, n) for of in baselines.values())) for n in measured),
        "lr" + "r" * len(baselines),
    )
    yield Bullets(
        tuple(say(words["meaning"], name=Span(words[n], "strong"), meaning=words[f"{n}_means"]) for n in measured)
    )
    yield from _paragraph(words["metrics_release"])


def _calibration(facts: Facts, words: Words) -> Iterator[Block]:
    table = facts.get("calibration_table", [])
    if not table:
        return
    inside = sum(row["wilson_low"] <= row["predicted_mean"] <= row["wilson_high"] for row in table)
    yield from _paragraph(words["calibration_is"], inside=inside, groups=len(table))
    yield Plot(tuple(table))

    def between(low: float, high: float) -> Text:
        return say(words["range"], low=_percent(low), high=_percent(high))

    yield Table(
        tuple(words["calibration_head"].split("|")),
        tuple(
            (
                between(row["probability_low"], row["probability_high"]),
                (_percent(row["predicted_mean"]),),
                (_percent(row["observed_rate"]),),
                between(row["wilson_low"], row["wilson_high"]),
                (f"{row['snapshots']:,}",),
                (f"{row['leads']:,}",),
            )
            for row in table
        ),
        "rrrrrr",
    )


def _leaks(facts: Facts, words: Words) -> Iterator[Block]:
    if "leaks" in facts:
        yield from _paragraph(words["leaks_are"])
        named = {leak["column"]: leak["sentence"] for leak in facts["leaks"]}
        yield from _named(named, words["leaks_none"])


def _features(facts: Facts, words: Words) -> Iterator[Block]:
    features = sorted(facts.get("features", []), key=lambda f: (-f.get("importance", 0.0), f["name"]))
    if not features:
        return
    shown = [key for key in _FEATURE if all(key in feature for feature in features)]
    strongest = max(feature.get("importance", 0.0) for feature in features)

    def cell(feature: Mapping[str, Any], key: str) -> Text:
        if key == "importance":
            return (f"{feature[key]:.3f}", Bar(feature[key] / strongest if strongest else 0.0))
        return (Span(feature[key], "code"),) if key == "name" else (str(feature[key]),)

    if "importance" in shown:
        yield from _paragraph(words["features_are"])
    if {"family", "importance"} <= set(shown):
        families: dict[str, list[float]] = {}
        for feature in features:
            families.setdefault(feature["family"], []).append(feature["importance"])
        together = sorted(families, key=lambda name: (-sum(families[name]), name))
        yield Table(
            tuple(words["families_head"].split("|")),
            tuple(((name,), (f"{len(families[name])}",), (f"{sum(families[name]):.3f}",)) for name in together),
            "lrr",
        )
    yield Table(
        tuple(words[f"feature_{key}"] for key in shown),
        tuple(tuple(cell(feature, key) for key in shown) for feature in features),
        "".join("r" if key == "importance" else "l" for key in shown),
    )


def _left_out(facts: Facts, words: Words) -> Iterator[Block]:
    if "left_out" in facts:
        yield from _named(facts["left_out"], words["left_out_none"])


def _details(facts: Facts, words: Words) -> Iterator[Block]:
    data = facts.get("data", {})
    yield from _paragraph(words["details_are"])
    kept = [
        *((note,) for note in facts.get("notes", [])),
        *(
            say(words[f"details_{key}"], digest=data.get(key) and Span(data[key], "code"))
            for key in ("digest", "config_digest")
        ),
    ]
    if any(kept):
        yield Bullets(tuple(item for item in kept if item))


def _standing(key: str) -> Blocks:
    """Bullets that hold for every version."""
    return lambda _, words: iter([Bullets(tuple((line,) for line in words[key].splitlines()))])


_SECTIONS: Final[tuple[tuple[str, int, Blocks], ...]] = (
    ("title", 1, _verdict),
    ("purpose", 2, _purpose),
    ("not_for", 3, _standing("not_for_is")),
    ("label", 2, _label),
    ("data", 2, _data),
    ("excluded", 3, _excluded),
    ("metrics", 2, _metrics),
    ("calibration", 2, _calibration),
    ("leaks", 2, _leaks),
    ("limits", 2, _standing("limits_are")),
    ("privacy", 2, _standing("privacy_is")),
    ("features", 2, _features),
    ("left_out", 3, _left_out),
    ("details", 2, _details),
)


def _goal(facts: Facts) -> dict[str, Any]:
    label = facts.get("label", {})
    stage = label.get("target_stage")
    return {"stage": stage and Span(stage, "strong"), "days": label.get("horizon_days")}


def _paragraph(template: str, **values: Any) -> Iterator[Paragraph]:
    text = say(template, **values)
    if text:
        yield Paragraph(text)


def _counts(counts: Mapping[str, int], head: str) -> Iterator[Table]:
    if counts:
        yield Table(tuple(head.split("|")), tuple(((name,), (f"{count:,}",)) for name, count in counts.items()), "lr")


def _named(sentences: Mapping[str, str], none: str) -> Iterator[Block]:
    if sentences:
        yield Bullets(tuple((Span(name, "code"), f": {sentence}") for name, sentence in sentences.items()))
    else:
        yield Paragraph((none,))


def _interval(metric: Mapping[str, Any], words: Words, *, digits: int) -> str:
    low, high = metric.get("low"), metric.get("high")
    if low is None or high is None:
        return ""
    return words["interval"].format(low=number(low, digits=digits), high=number(high, digits=digits))


def _minute(moment: str | None) -> str | None:
    """An ISO 8601 moment, to the minute and without its zone."""
    return moment and moment[:16].replace("T", " ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
