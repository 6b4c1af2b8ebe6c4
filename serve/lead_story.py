"""One lead's facts as sentences and rows, in one language: what a terminal and a page say alike.

The facts are the plain values of `pipelines.explaining`, which programs get as JSON. Texts from data come out as they
went in, but for what cannot be seen, or would turn the reading direction round; whoever shows them escapes them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scipy.special import expit

from models.card import voice_of
from models.card import words_of as card_words_of
from models.card_blocks import visible
from models.card_voice import Voice
from serve.lead_french import saying_in_french, stage_reason_in_french
from serve.lead_reasons import AXIS, ENGAGEMENT, FIT
from serve.lead_trend import TREND_DAYS
from serve.lead_words import Words, words_of
from serve.stages import percent as percent_in_english
from serve.what_if import QUIET

Facts = Mapping[str, Any]

#: An effect that would be written as ×1.
_NOTHING: Final = 0.005


@dataclass(frozen=True)
class Effect:
    """One line of why: `level` 0 is a sum, 1 one of its parts; `foreign`: nobody has put it into this language."""

    says: str
    log_odds: float
    level: int = 0
    foreign: bool = False


@dataclass(frozen=True)
class Then:
    """What the model would say after a change."""

    says: str
    probability: str
    interval: str
    stage: str
    moves: bool
    """Whether the recommended stage would be another."""
    likelier: bool


@dataclass(frozen=True)
class Part:
    """One part of marketing's points."""

    says: str
    points: str


@dataclass(frozen=True)
class Story:
    """How one lead is told in one language."""

    facts: Facts
    words: Words
    voice: Voice

    @property
    def lead(self) -> str:
        """The lead's id, on one line."""
        return visible(str(self.facts["lead_id"]))

    def percent(self, probability: float) -> str:
        """A probability as everywhere: never 0 or 100."""
        text = percent_in_english(probability).replace(" %", "\u00a0%")
        if self.words["language"] == "fr":
            for english, french in (("under", "moins de"), ("over", "plus de"), (".", ","), ("\u00a0%", "\u202f%")):
                text = text.replace(english, french)
        return text

    def times(self, log_odds: float) -> str:
        """An effect as the factor by which it multiplies the odds."""
        return "×" + self.voice.short(float(f"{math.exp(min(log_odds, 700.0)):.2g}"))

    def chance(self, log_odds: float) -> str:
        """Log odds as a probability."""
        return self.percent(float(expit(log_odds)))

    def money(self, amount: float) -> str:
        """An amount, in the currency of the economics."""
        return f"{self.voice.number(amount, digits=0)}\u00a0{visible(str(self.facts['economics']['currency']))}"

    def interval(self, row: Facts) -> str:
        """From low to high."""
        return self._ends(row, "interval")

    def from_to(self, row: Facts) -> str:
        """The same, for a cell."""
        return self._ends(row, "from_to")

    def stage(self, name: str) -> str:
        """A stage's name."""
        return self.words.get(f"stage_{name}", visible(name))

    def standing(self) -> str:
        """As of when, by what."""
        date = self.voice.moment(self.facts["as_of"])
        return self.words["standing"].format(date=date, version=visible(self.facts["model_version"]))

    def likely(self) -> str:
        """How likely it is to convert, and within which time."""
        within = self.words["within"].format(days=self.facts["horizon_days"]) if self.facts["horizon_days"] else ""
        return self.words["likely"].format(probability=self.percent(self.facts["probability"])) + within

    def rank(self) -> str:
        """Where it stands among the leads that were scored with it."""
        return self.words["rank"].format(percentile=self.percentile())

    def percentile(self) -> str:
        """Its percentile, in whole numbers: never more than it is."""
        return self.voice.count(math.floor(self.facts["percentile"]))

    def at_least(self) -> str:
        """What its percentile means."""
        share = self.voice.percent(math.floor(self.facts["percentile"]) / 100, digits=0)
        return self.words["at_least"].format(share=share, band=self.facts["band"])

    def trend(self) -> list[str]:
        """The trend, in sentences."""
        trend = self.facts["trend"]
        if trend["since"] is None:
            return [self.words["trend_unknown"].format(days=TREND_DAYS)]
        told = self.words[f"trend_{trend['direction']}"].format(
            before=self.percent(trend["probability_before"]),
            date=self.voice.date(trend["since"]),
            now=self.percent(self.facts["probability"]),
        )
        if len(trend["versions"]) < 2:
            return [told]
        return [told, self.words["trend_versions"].format(versions=visible(", ".join(trend["versions"])))]

    def stage_reason(self) -> tuple[str, bool]:
        """Why the stage, and whether that is in no language but English."""
        text = visible(str(self.facts["stage_reason"]))
        return self._translated(text, stage_reason_in_french(text))

    def signals(self) -> list[tuple[str, str]]:
        """What the stage rests on beside the probability."""
        found = self.facts["signals"]
        days = found["days_since_act"]
        return [
            (self.words["signal_intent"], self._yes(found["explicit_intent"])),
            (self.words["signal_use"], self._yes(found["product_use"])),
            (self.words["signal_days"], self.words["none"] if days is None else self.voice.count(math.floor(days))),
            (self.words["signal_qualified"], self._yes(found["was_qualified"])),
            (
                self.words["signal_human"],
                self.stage(found["human_stage"]) if found["human_stage"] else self.words["none"],
            ),
        ]

    def steps(self) -> str:
        """From the average lead to this one, by fit and engagement."""
        groups = self.facts["groups"]
        fit, engagement = groups[FIT]["log_odds"], groups[ENGAGEMENT]["log_odds"]
        after_fit = groups["start"] + fit
        rest = groups["rest"]["log_odds"] + groups["calibration"]["log_odds"]
        told = self.words["steps"].format(
            start=self.chance(groups["start"]),
            fit=self.times(fit),
            after_fit=self.chance(after_fit),
            engagement=self.times(engagement),
            after_engagement=self.chance(after_fit + engagement),
        )
        if abs(rest) < _NOTHING:
            return told
        return told + self.words["steps_rest"].format(
            rest=self.times(rest), probability=self.percent(self.facts["probability"])
        )

    def effects(self) -> Iterator[Effect]:
        """Why, family by family: the sums, and under each its parts; those of level 0 add up, and so do the parts."""
        groups = self.facts["groups"]
        for family in AXIS:
            found = groups["families"][family]
            told = [self._effect(reason) for reason in found["reasons"]]
            others = found["others"]["log_odds"]
            if not told and abs(found["log_odds"]) < _NOTHING:
                continue
            name = f"{self.words[found['axis']]}{self.words['colon']}{self.words[f'family_{family}'].lower()}"
            yield Effect(name, found["log_odds"])
            yield from told
            if told and abs(others) >= _NOTHING:
                yield Effect(self.words["others"], others, 1)
        for key in ("rest", "calibration"):
            if abs(groups[key]["log_odds"]) >= _NOTHING:
                yield Effect(self.words[key], groups[key]["log_odds"])

    def points(self) -> tuple[str | None, list[Part], list[str]]:
        """Marketing's points: the total, its parts, and what is to be said of them."""
        total, parts = self.facts["points"], self.facts["points_parts"]
        if total is None and not parts:
            return None, [], [self.words["points_none"]]
        told = None if total is None else self.voice.short(total)
        if told and self.facts["points_stage"]:
            told += ", " + self.words["points_stage"].format(stage=self.stage(self.facts["points_stage"]))
        if parts is None:
            return told, [], [self.words["points_crm"]]
        rows = [
            Part(
                f"{visible(part['name'])}{self.words['colon']}{visible(part['says'])}",
                self.voice.number(part["points"], digits=0 if part["points"] % 1 == 0 else 2, sign=True),
            )
            for part in parts
            if part["points"]
        ]
        now = math.fsum(part["points"] for part in parts)
        if total is None or abs(now - total) > 1e-6:
            then = self.words["none"] if total is None else self.voice.short(total)
            return told, rows, [self.words["points_changed"].format(now=self.voice.short(now), then=then)]
        return told, rows, []

    def points_sum(self) -> str:
        """What the parts make."""
        return self.voice.short(math.fsum(part["points"] for part in self.facts["points_parts"]))

    def expected(self) -> tuple[str, list[str]] | None:
        """The expected value, and what is to be said of it; None where no economics are told."""
        found = self.facts["economics"]
        if found is None:
            return None
        says = [
            self.words["expected_of"].format(
                probability=self.percent(self.facts["probability"]), value=self.money(found["value"])
            )
        ]
        if found["sales_touch_cost"]:
            key = "pays" if found["pays"] else "pays_not"
            says.append(self.words[key].format(cost=self.money(found["sales_touch_cost"])))
        return self.money(found["expected_value"]), says

    def what_if(self) -> tuple[list[Then], str]:
        """What would change it, the likeliest first.

        What leaves the stage as it is, and the probability in its interval of now, is named in a sentence only.
        """
        found = self.facts["what_if"]
        if found is None:
            return [], ""
        now, rows, little = found["as_it_is"], [], []
        for change in found["changes"]:
            moves = change["recommended_stage"] != now["recommended_stage"]
            unsure = now["probability_low"] <= change["probability"] <= now["probability_high"]
            if unsure and not moves and change["key"] != QUIET:
                little.append(self._act(change))
                continue
            rows.append(
                Then(
                    self._act(change),
                    self.percent(change["probability"]),
                    self.from_to(change),
                    self.stage(change["recommended_stage"]),
                    moves,
                    change["odds_factor"] > 1,
                )
            )
        return rows, self.words["what_if_little"].format(acts=", ".join(little)) if little else ""

    def notes(self) -> list[str]:
        """What a reader has to know beside."""
        told = []
        for note in self.facts["notes"]:
            values = {key: visible(str(value)) for key, value in note.items() if key != "note"}
            if "now" in values:
                values["now"] = self.percent(float(note["now"]))
            if "date" in values:
                values["date"] = str(self.voice.moment(note["date"]))
            told.append(self.words[f"note_{note['note']}"].format(**values))
        return told

    def _ends(self, row: Facts, key: str) -> str:
        low, high = (self.percent(row[f"probability_{end}"]) for end in ("low", "high"))
        return self.words[key].format(low=low, high=high)

    def _act(self, change: Facts) -> str:
        name = self.words.get(f"act_{change['key']}")
        if name is None:
            return self.words["act_own"].format(name=visible(change["type"]))
        return name.format(days=change["days"])

    def _effect(self, reason: Facts) -> Effect:
        says = visible(str(reason["says"]))
        says, foreign = self._translated(says, saying_in_french(says))
        return Effect(says, reason["effect"], 1, foreign)

    def _translated(self, english: str, french: str | None) -> tuple[str, bool]:
        if self.words["language"] == "en":
            return english, False
        return (english, True) if french is None else (french, False)

    def _yes(self, fact: bool) -> str:
        return self.words["yes" if fact else "no"]


def story(facts: Facts, *, language: str = "en") -> Story:
    """How a lead is told.

    Raises
    ------
    ValueError
        There are no words in that language.
    """
    words = words_of(language)
    return Story(facts, words, voice_of(card_words_of(language)))


def spark(values: Sequence[float], *, most: int = 40) -> str:
    """A line of so many characters at most: each as high as its value, the highest full.

    >>> spark([0.01, 0.05, 0.1])
    '▁▄█'
    """
    every = max(1, math.ceil(len(values) / most))
    drawn = list(values)[::-1][::every][::-1]  # the newest is always there
    highest = max(drawn, default=0.0) or 1.0
    return "".join("▁▂▃▄▅▆▇█"[min(7, max(0, math.ceil(8 * value / highest) - 1))] for value in drawn)
