"""What a model looks at, what it does not and why, and what looked as if it knew the outcome."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from features.kinds import identifier
from models.card_blocks import Bar, Block, Bullets, Folded, Paragraph, Span, Table, Text, say
from models.card_evidence import Facts
from models.card_voice import Voice

#: The columns of the table of features; told where every feature has them.
_FEATURE: Final = (
    "name",
    "about",
    "family",
    "unit",
    "missing",
    "missing_share",
    "range",
    "importance",
    "monotone",
)
_NUMBERS: Final = frozenset({"missing_share", "importance"})


def leaks(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Columns that look written after the outcome."""
    found = facts.get("leaks")
    if found is None:
        return
    yield from voice.paragraph("leaks_are")
    if found:
        yield Bullets(tuple((Span(str(leak["column"]), "code"), voice["colon"], _leak(leak, voice)) for leak in found))
    else:
        yield Paragraph((voice["leaks_none"],))


def _leak(leak: Mapping[str, Any], voice: Voice) -> str | Span:
    said = voice.leak_of(leak) if voice.leak_of else None
    return said or voice.phrase(leak["sentence"])


def features(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Every column that the model reads, the heaviest first."""
    rows = sorted(facts.get("features") or [], key=lambda of: (-(of.get("importance") or 0.0), str(of["name"])))
    if not rows:
        return
    ranged = [row | {"range": (row.get("low"), row.get("high"))} if "low" in row else row for row in map(dict, rows)]
    shown = [key for key in _FEATURE if all(key in row for row in ranged)]
    if "importance" in shown:
        yield from voice.paragraph("features_are")
    if {"family", "importance"} <= set(shown):
        yield _families(ranged, voice)
    if "monotone" in shown:
        yield from voice.paragraph("monotone_is")
    strongest = max(row.get("importance") or 0.0 for row in ranged)
    table = Table(
        tuple(voice[f"feature_{key}"] for key in shown),
        tuple(tuple(_cell(row, key, strongest, voice) for key in shown) for row in ranged),
        "".join("r" if key in _NUMBERS else "l" for key in shown),
    )
    yield Folded(voice["features_all"].format(count=voice.count(len(ranged))), (table,), open=True)


def _families(rows: list[dict[str, Any]], voice: Voice) -> Table:
    families: dict[str, list[float]] = {}
    for row in rows:
        families.setdefault(str(row["family"]), []).append(row["importance"])
    together = sorted(families, key=lambda name: (-sum(families[name]), name))
    return Table(
        tuple(voice["families_head"].split("|")),
        tuple(
            (
                (voice.named("family", name),),
                (voice.count(len(families[name])),),
                (voice.number(sum(families[name]), digits=3),),
            )
            for name in together
        ),
        "lrr",
    )


def _cell(row: Mapping[str, Any], key: str, strongest: float, voice: Voice) -> Text:
    value = row[key]
    match key:
        case "name":
            return (Span(str(value), "code"),)
        case "importance":
            share = value / strongest if strongest else 0.0
            return (voice.number(value, digits=3), Bar(share))
        case "missing_share":
            return (voice.percent(value) if value is not None else voice["undefined"],)
        case "range":
            low, high = value
            if low is None or high is None:
                return ("",)
            return say(voice["range"], low=voice.short(low), high=voice.short(high))
        case "monotone":
            return (voice.named("monotone", value),)
        case "family":
            return (voice.named("family", value),)
        case _:
            return (voice.phrase(value),)


def left_out(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Columns that are not read: because nobody filled them, because somebody chose so, or by principle."""
    if "left_out" not in facts:
        return
    reasons: dict[str, list[str]] = {}
    for name, why in (facts["left_out"] or {}).items():
        reasons.setdefault(str(why), []).append(str(name))
    if reasons:
        items = tuple((voice.phrase(why), voice["colon"], *_names(names)) for why, names in reasons.items())
        yield Bullets(items)
    else:
        yield Paragraph((voice["left_out_none"],))
    for key in ("excluded_by_choice", "never_read"):
        names = facts.get(key)
        if names:
            yield Paragraph((voice[key], " ", *_names(names)))
        elif names is not None:
            yield Paragraph((voice[f"{key}_none"],))


def attributes(facts: Facts, voice: Voice) -> Iterator[Block]:
    """Attributes of the company's own and columns declared sensitive: which are read, and why they may decide."""
    if "attributes" not in facts and "sensitive" not in facts:
        return
    reasons = {str(name): str(why) for name, why in (facts.get("justification") or {}).items()}
    read = {str(feature["name"]) for feature in facts.get("features") or []}
    declared = [str(name) for name in facts.get("attributes") or []]
    sensitive = [str(name) for name in facts.get("sensitive") or []]
    names = list(dict.fromkeys([*declared, *sensitive, *reasons]))
    if not names:
        yield Paragraph((voice["attributes_none"],))
        return
    yield from voice.paragraph("attributes_are")

    def kind(name: str) -> str:
        kinds = [voice[key] for key, those in (("declared", declared), ("sensitive", sensitive)) if name in those]
        return ", ".join(kinds)

    def used(name: str) -> Text:
        known = name in declared or name in read or identifier(name) in read
        return (voice["read" if known else "not_read"],)

    def why(name: str) -> Text:
        return (reasons[name],) if name in reasons else (Span(voice["unjustified"], "strong"),)

    yield Table(
        tuple(voice["attributes_head"].split("|")),
        tuple(((Span(name, "code"),), (kind(name),), used(name), why(name)) for name in names),
        "llll",
    )


def _names(names: list[str]) -> Text:
    text: list[str | Span | Bar] = []
    for name in names:
        text += [", ", Span(str(name), "code")] if text else [Span(str(name), "code")]
    return tuple(text)
