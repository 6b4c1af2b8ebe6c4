"""How a version is used and kept: who decides, when the night warns or refuses, what changed, how to make it again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from models.card_blocks import Block, Bullets, Paragraph, Span, Table, Text, say
from models.card_evidence import Facts
from models.card_results import written
from models.card_voice import Voice, value_of

_STAGES: Final = ("mql_probability", "sal_probability", "sql_probability", "pql_min_probability")
_STAGE_DAYS: Final = ("recycle_after_days", "intent_days", "product_use_days")
_BANDS: Final = ("a_probability", "b_probability", "c_probability")
_DRIFT: Final = (
    "least_volume_share",
    "most_volume_factor",
    "most_mean_factor",
    "warn_new_category_share",
    "most_new_category_share",
    "max_stale_days",
)


def use(facts: Facts, voice: Voice) -> Iterator[Block]:
    """The limits in force, and who decides."""
    stages, bands = facts.get("stages") or {}, facts.get("bands") or {}
    rows: list[tuple[Text, Text]] = [
        ((voice[f"stage_{key}"],), (voice.percent(stages[key]),)) for key in _STAGES if stages.get(key) is not None
    ]
    rows += [
        ((voice[f"stage_{key}"],), say(voice["days"], days=voice.short(stages[key])))
        for key in _STAGE_DAYS
        if stages.get(key) is not None
    ]
    rows += [((voice[f"band_{key}"],), (voice.percent(bands[key]),)) for key in _BANDS if bands.get(key) is not None]
    if rows:
        yield from voice.paragraph("use_is")
        yield Table(tuple(voice["use_head"].split("|")), tuple(rows), "lr")


def oversight(_: Facts, voice: Voice) -> Iterator[Block]:
    """Who decides, and how to say no; it holds for every version."""
    yield Bullets(tuple((line,) for line in voice["oversight_is"].splitlines()))


def drift(facts: Facts, voice: Voice) -> Iterator[Block]:
    """When the nightly audit warns or refuses, and what happens then."""
    limits = facts.get("drift_limits") or {}
    known = [key for key in _DRIFT if limits.get(key) is not None]
    if not known:
        return
    yield from voice.paragraph("drift_is")
    yield Table(
        tuple(voice["drift_head"].split("|")),
        tuple(
            ((voice[f"drift_{key}"],), _limit(key, limits[key], voice), (voice[f"drift_{key}_then"],)) for key in known
        ),
        "lrl",
    )


def _limit(key: str, value: float, voice: Voice) -> Text:
    if key.endswith("_share"):
        return (voice.percent(value),)
    return say(voice["days" if key.endswith("_days") else "times"], days=voice.short(value), times=voice.short(value))


def changes(facts: Facts, voice: Voice) -> Iterator[Block]:
    """What is other than in the version before."""
    if "changes" not in facts:
        return
    found = facts["changes"]
    if not found:
        yield Paragraph((voice["changes_none"],))
        return
    yield from voice.paragraph("changes_since", version=Span(str(found.get("since_version")), "strong"))
    lists = [
        say(voice[key], count=voice.count(len(found[key])), names=Span(", ".join(map(str, found[key])), "code"))
        for key in ("features_added", "features_gone")
        if found.get(key)
    ]
    if lists:
        yield Bullets(tuple(lists))
    else:
        yield Paragraph((voice["features_same"],))
    if found.get("settings"):
        rows = tuple(
            ((Span(str(of["key"]), "code"),), (str(of.get("before")),), (str(of.get("now")),))
            for of in found["settings"]
        )
        yield Table(tuple(voice["settings_head"].split("|")), rows, "lll")
    yield from _data_changes(found.get("data") or {}, voice)
    yield from _metric_changes(found.get("metrics") or {}, voice)


def _data_changes(data: Mapping[str, Any], voice: Voice) -> Iterator[Block]:
    before, now = data.get("before") or {}, data.get("now") or {}
    keys = [key for key in ("first_as_of", "last_as_of", "known_until") if key in before or key in now]
    rows: list[tuple[Text, ...]] = [
        ((voice[f"changed_{key}"],), (voice.moment(before.get(key)) or "",), (voice.moment(now.get(key)) or "",))
        for key in keys
    ]
    if "snapshots" in before or "snapshots" in now:
        rows.append(
            ((voice["changed_snapshots"],), *((_snapshots(of.get("snapshots"), voice),) for of in (before, now)))
        )
    if rows:
        yield Table(tuple(voice["changed_data_head"].split("|")), tuple(rows), "lrr")


def _snapshots(snapshots: Any, voice: Voice) -> str:
    """A number of them, or numbers of each part, added up."""
    if isinstance(snapshots, Mapping):
        used = [snapshots.get(key) for key in ("train", "calibrate", "test")]
        snapshots = sum(number for number in used if number is not None)
    return voice.count(value_of(snapshots))


def _metric_changes(metrics: Mapping[str, Any], voice: Voice) -> Iterator[Block]:
    if metrics:
        rows = tuple(
            (
                (voice.words.get(name, name),),
                *(voice.measured(of.get(key), written(name, voice)) for key in ("before", "now")),
            )
            for name, of in metrics.items()
        )
        yield Table(tuple(voice["changed_metrics_head"].split("|")), rows, "lrr")
        yield from voice.paragraph("changed_metrics_are")


def details(facts: Facts, voice: Voice) -> Iterator[Block]:
    """What it is made of and with, so that somebody else can make it again."""
    data, made = facts.get("data") or {}, facts.get("made") or {}
    yield from voice.paragraph("details_are")
    yield from voice.paragraph("details_again")
    kept: list[Text] = [(voice.phrase(note),) for note in facts.get("notes") or []]
    for key, value in _made(made):
        kept.append(say(voice[f"details_{key}"], value=value))
    if "commit" in made and made["commit"] is None:
        kept.append((voice["details_no_commit"],))
    for key in ("digest", "config_digest"):
        digest = data.get(key)
        kept.append(say(voice[f"details_{key}"], digest=Span(str(digest), "code") if digest else None))
    if any(kept):
        yield Bullets(tuple(item for item in kept if item))
    libraries = made.get("libraries") or {}
    if libraries:
        rows: Sequence[tuple[Text, ...]] = [((str(name),), (str(version),)) for name, version in libraries.items()]
        yield Table(tuple(voice["libraries_head"].split("|")), tuple(rows), "ll")


def _made(made: Mapping[str, Any]) -> Iterator[tuple[str, Span]]:
    for key in ("program", "commit", "python", "seed", "resamples"):
        if made.get(key) is not None:
            yield key, Span(str(made[key]), "code")
