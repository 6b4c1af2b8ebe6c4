"""What a comparison comes to in a sentence: how much each finds for the same calls, and who is better, or neither."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from serve.comparison_words import words_of


def sentence(report: Mapping[str, Any], *, language: str) -> str:
    """The verdict, in a language of `comparison_words`.

    Parameters
    ----------
    report : `names`, `word`, `at_capacity`, `economics` and, for money, `data` of a comparison (`pipelines.compare`)

    Examples
    --------
    >>> found = {"share": 0.1, "a": {"captured": {"value": 0.4}}, "b": {"captured": {"value": 0.3}}}
    >>> found |= {"captured": {"value": 0.1, "low": 0.05, "high": 0.15}, "value": None}
    >>> told = {"names": ["model", "points"], "word": "better", "at_capacity": found, "economics": None}
    >>> print(sentence(told, language="en"))
    When the first 10 % of each list are called, the model finds 40 of 100 conversions and the points find 30: 10 more
    of every 100 (95 % interval: 5 more to 15 more). The model is better.
    """
    words, place = words_of(language), report["at_capacity"]
    names = [named(name, words) for name in report["names"]]
    difference, value = place["captured"], place["value"]
    told = words[f"verdict_{report['word']}"].format(
        share=number(100 * place["share"], words),
        find_a=words[f"find_{kind(report['names'][0])}"].format(name=report["names"][0].rpartition(" ")[2]),
        find_b=words[f"find_{kind(report['names'][1])}"].format(name=report["names"][1].rpartition(" ")[2]),
        a=number(100 * place["a"]["captured"]["value"], words),
        b=number(100 * place["b"]["captured"]["value"], words),
        difference=number(abs(100 * difference["value"]), words),
        low=_more(100 * difference["low"], words),
        high=_more(100 * difference["high"], words),
        name_a=names[0],
        Name_a=names[0][:1].upper() + names[0][1:],
    )
    if value is not None:
        currency = report["economics"]["currency"]
        told += " " + words["verdict_value"].format(
            value=_money(value["value"], currency, words),
            first=_day(report["data"]["first_as_of"], words),
            last=_day(report["data"]["last_as_of"], words),
            low=_money(value["low"], currency, words),
            high=_money(value["high"], currency, words),
        )
    return told


def kind(name: str) -> str:
    """What words know a contestant as.

    >>> kind("model"), kind("version 3")
    ('model', 'version')
    """
    return name.split()[0]


def named(name: str, words: Mapping[str, str]) -> str:
    """A contestant in a sentence."""
    return words[f"the_{kind(name)}"].format(name=name.rpartition(" ")[2])


def number(value: float, words: Mapping[str, str]) -> str:
    """A number as it is said: with one decimal, two where that would be 0.0, and none where it is whole.

    >>> [number(value, words_of("en")) for value in (12.34, 12.0, 0.03, -0.001)]
    ['12.3', '12', '0.03', '0']
    """
    text = f"{value:.2f}" if 0.005 <= abs(value) < 0.095 else f"{value:.1f}".removesuffix(".0")
    return ("0" if text == "-0" else text).replace(".", words["decimal"])


def _more(value: float, words: Mapping[str, str]) -> str:
    return words["more" if value >= 0 else "fewer"].format(number=number(abs(value), words))


def _day(moment: str, words: Mapping[str, str]) -> str:
    return date.fromisoformat(moment[:10]).strftime(words["day"])


def _money(value: float, currency: str, words: Mapping[str, str]) -> str:
    step = 10 ** max(0, int(np.log10(max(abs(value), 1.0))) - 2)  # three figures: more would feign certainty
    amount = f"{round(value / step) * step:+,.0f}".replace(",", words["thousands"]).replace("-", "−")
    return words["money"].format(amount=amount, currency=currency)
