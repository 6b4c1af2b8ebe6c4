"""A comparison as one page that stands alone: the curve with a capacity line to move, and who changes hands.

However many leads were compared, the page holds aggregates: the curve at some two hundred places, each with the swap
set there, and the leads that are listed. Its script draws all figures from one block of data, in either language.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from serve.comparison_script import SCRIPT
from serve.comparison_style import STYLE
from serve.comparison_verdict import named, sentence
from serve.comparison_words import languages, words_of
from serve.page import page

_SIDES: Final = ("a", "b")
_TONES: Final = {"better": "good", "level": "level", "worse": "bad"}

#: Where everything stands; `{word:...}` is a text of the words, filled here once and by the script in either language.
_BODY: Final = """
<div class="languages" role="group" aria-label="Language / Langue">{languages}</div>
<section id="title">
<h1 id="heading">{heading}</h1>
<p class="notice {tone}" id="verdict">{verdict}</p>
<p id="seen"></p>
<noscript><p>{no_script}</p></noscript>
</section>
<section id="capacity">
<h2 data-word="capacity"></h2>
<p data-word="capacity_how"></p>
<div class="panel">
<div class="bar-of choice" id="shows" role="group"><button type="button" data-show="captured" data-word="show_captured">
</button><button type="button" data-show="value" data-word="show_value"></button></div>
<figure><svg class="plot wide" id="curve" role="img"></svg>
<figcaption class="keys" id="curve-key"></figcaption></figure>
<label><span class="label" data-word="capacity_label"></span>
<input class="slide" type="range" id="share" min="0" max="{last}" step="1"></label>
<div class="bar-of"><output class="now" id="now" for="share"></output><button type="button" id="back"></button></div>
<p id="capacity-usual"><small data-word="capacity_usual"></small></p>
<dl id="figures" aria-live="polite"></dl>
<svg class="plot wide" id="hands" role="img"></svg>
<p><small data-word="hands_key"></small></p>
</div>
<details><summary data-word="as_table"></summary><div class="scroll" tabindex="0" id="curve-table"></div></details>
</section>
<section id="swap">
<h2 data-word="swap"></h2>
<p id="swap-how"></p>
<p id="swap-none" data-word="swap_none"></p>
<div class="portraits" id="portraits"></div>
<div id="leads">
<h3 data-word="list"></h3>
<p id="list-note"></p>
<p class="on-paper" data-word="print_note"></p>
<div class="filters">
<label><span data-word="filter_text"></span><input type="search" id="filter-text" data-hint="filter_hint"></label>
<label><span data-word="filter_side"></span><select id="filter-side"></select></label>
<label><span data-word="filter_outcome"></span><select id="filter-outcome"></select></label>
<button type="button" id="clear" data-word="clear"></button>
</div>
<p><output id="rows-shown" aria-live="polite"></output></p>
<p id="none-fits" data-word="none_fits"></p>
<div class="scroll long" tabindex="0"><table id="swap-table"></table></div>
<button type="button" id="more"></button>
</div>
</section>
<section id="calibration">
<h2 data-word="calibration"></h2>
<p data-word="{calibration_how}"></p>
<figure id="calibration-figure"><svg class="plot" id="calibration-plot" role="img"></svg><figcaption class="keys"
id="calibration-key"></figcaption></figure>
<details><summary data-word="as_table"></summary>
<div class="scroll" tabindex="0" id="calibration-table"></div></details>
</section>
<section id="groups">
<h2 data-word="groups"></h2>
<p data-word="groups_how"></p>
<p id="columns"><label><span data-word="column"></span> <select id="column"></select></label></p>
<div id="segments-table"></div>
<h2 data-word="months"></h2>
<div id="months-table"></div>
</section>
<section id="measures">
<h2 data-word="measures"></h2>
<p id="alike"></p>
<div id="measures-table"></div>
</section>
<section id="counted">
<h2 data-word="counted"></h2>
<ul>
<li data-word="counted_lists"></li>
<li data-word="counted_ties"></li>
<li data-word="counted_intervals"></li>
<li id="counted-value" data-word="counted_value"></li>
<li id="counted-drawn" data-word="counted_drawn"></li>
<li data-word="counted_private"></li>
</ul>
</section>
"""


def to_html(report: Mapping[str, Any], *, language: str = "en") -> str:
    """The page, opening in a language and holding all of them.

    Parameters
    ----------
    report : what `pipelines.compare` found, with as many leads of the swap set as are to be listed

    Raises
    ------
    ValueError
        There are no words in that language.
    """
    words = words_of(language)
    one, other = (named(name, words) for name in report["names"])
    heading = words["title"].format(a=one[:1].upper() + one[1:], b=other)
    versions = all(name.startswith("version") for name in report["names"])
    body = _BODY.format(
        languages="".join(
            f'<button type="button" lang="{code}" data-language="{code}">{escape(words_of(code)["language"])}</button>'
            for code in languages()
        ),
        heading=escape(heading),
        tone=_TONES[report["word"]],
        verdict=escape(sentence(report, language=language)),
        no_script=escape(words["no_script"]),
        last=len(report["curve"]) - 1,
        calibration_how="calibration_how_versions" if versions else "calibration_how",
    )
    return page(
        title=heading, body=body, language=language, style=STYLE, script=SCRIPT,
        data=page_data(report) | {"language": language},
    )  # fmt: skip


def page_data(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the script draws from: as little as that takes, with texts that repeat held once."""
    curve, texts = report["curve"], _Texts()
    share = report["capacity"]["share"]
    valued = report["economics"] is not None
    swap = [_row(lead, order, texts) for order, lead in enumerate(report["swap_set"]["leads"])]
    return {
        "words": {code: dict(words_of(code)) for code in languages()},
        "names": list(report["names"]),
        "verdict": {code: sentence(report, language=code) for code in languages()},
        "stage": report["label"]["target_stage"],
        "days": report["label"]["horizon_days"],
        "first": report["data"]["first_as_of"],
        "last": report["data"]["last_as_of"],
        "snapshots": report["snapshots"],
        "leads": report["leads"],
        "converted": report["converted"],
        "lists": report["lists"],
        "drawn": report["drawn"],
        "per": report["per"],
        "told": report["capacity"]["told"],
        "capacity": min(range(len(curve)), key=lambda at: abs(curve[at]["share"] - share)),
        "currency": report["economics"]["currency"] if valued else None,
        "touch_cost": report["economics"]["touch_cost"] if valued else None,
        "share": [round(place["share"], 6) for place in curve],
        "captured": [[_three(place[side]["captured"], 5) for place in curve] for side in _SIDES],
        "difference": [_three(place["captured"], 5) for place in curve],
        "only": [
            [[round(place[side]["only"], 2), round(place[side]["only_converted"], 2)] for place in curve]
            for side in _SIDES
        ],
        "value": [[_three(place[side]["value"], 0) for place in curve] for side in _SIDES] if valued else None,
        "value_difference": [_three(place["value"], 0) for place in curve] if valued else None,
        "portraits": [_portrait(report["swap_set"][side]) for side in _SIDES],
        "swapped": report["swap_set"]["snapshots"],
        "swap": swap,
        "texts": texts.all,
        "calibration": [
            [
                {
                    "promised": round(row["predicted_mean"], 5),
                    "happened": round(row["observed_rate"], 5),
                    "low": round(row["wilson_low"], 5),
                    "high": round(row["wilson_high"], 5),
                    "leads": row["leads"],
                }
                for row in report["calibration"][side]
            ]
            for side in _SIDES
        ],
        "segments": [_group(row) for row in report["segments"]],
        "months": [_group(row) for row in report["months"]],
        "agreement": report["agreement"],
        "metrics": [
            {
                "name": name,
                **{side: row[of] for side, of in zip(_SIDES, report["names"], strict=True)},
                "difference": _three(row["difference"], 6),
                "word": row["word"],
            }
            for name, row in report["metrics"].items()
        ],
    }


class _Texts:
    """Texts by number, each held once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._number: dict[str, int] = {}

    def of(self, text: str) -> int:
        """Its number."""
        if text not in self._number:
            self._number[text] = len(self.all)
            self.all.append(text)
        return self._number[text]


def _row(lead: Mapping[str, Any], order: int, texts: _Texts) -> dict[str, Any]:
    reasons, parts = lead["reasons"], lead["parts"]
    return {
        "order": order,
        "lead": lead["lead_id"],
        "date": str(lead["as_of"])[:10],
        "side": lead["only"],
        "part": round(lead["part"], 4),
        "converted": lead["converted"],
        "a": round(lead["a"], 4),
        "b": round(lead["b"], 4),
        "a_says": _rounded(lead["a_says"], 4),
        "b_says": _rounded(lead["b_says"], 4),
        "reasons": None
        if reasons is None
        else {
            **{key: round(reasons[key], 4) for key in ("start", "rest", "calibration")},
            "told": [[texts.of(says), round(effect, 4)] for says, effect, _ in reasons["reasons"]],
        },
        "parts": None if parts is None else [[texts.of(name), points] for name, points in parts],
    }


def _portrait(one: Mapping[str, Any]) -> dict[str, Any]:
    said = ("for_model", "against_model", "for_points", "against_points")
    return {
        "leads": round(one["leads"], 2),
        "converted": round(one["converted"], 2),
        "standouts": [
            [found["column"], found["value"], round(found["share"], 4), round(found["of_all"], 4)]
            for found in one["standouts"]
        ],
        **{key: [[says, round(share, 4)] for says, share in one[key]] for key in said},
    }


def _group(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "column": row["column"],
        "value": row["value"],
        "leads": row["leads"],
        "converted": row["converted"],
        "called": [_rounded(row[f"handed_{side}"], 4) for side in _SIDES],
        "found": [_rounded(row[f"captured_{side}"], 4) for side in _SIDES],
        "difference": _three(row["difference"], 4) if row["difference"] else None,
        "word": row["word"],
    }


def _three(interval: Mapping[str, Any], digits: int) -> Sequence[float | None]:
    return [_rounded(interval[end], digits) for end in ("value", "low", "high")]


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits) + 0.0  # without a minus before 0
