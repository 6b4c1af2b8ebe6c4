"""Facts for cards: all that training measures, some of it gone, and names made to break out of where they stand."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any, Final

from tests.models.data import facts

HOSTILE: Final = (
    "<script>alert(1)</script>",
    "</td></table></div><img src=x onerror=alert(1)>",
    "</style><style>*{display:none}</style>",
    "</title><svg onload=alert(1)>",
    "<!-- ",
    "<![CDATA[ ]]>",
    "]]>",
    "&lt;b&gt; &amp; &#60;",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "[click](javascript:alert(1))",
    "![](http://example.invalid/x.png)",
    "<http://example.invalid>",
    "http://example.invalid/ www.example.invalid",
    "[a]: http://example.invalid",
    "a | b || c \\| d \\",
    "`code` ``more`` ```",
    "```\n# Approved",
    "**bold** __bold__ *i* _i_ ~~gone~~",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "---",
    "| - |",
    "$\\sum$ {name} {0} %s",
    "\u202egnp.exe\u2066\u200f",
    "nul\x00 bell\x07 escape\x1b[31m",
    "line\nbreak\r\ntab\t\u2028end\x85",
    "zero\u200bwidth\ufeff\u00ad",
    "\ufffe\U0001ffff",
    "שלום עולם",
    "كبير 100 %",
    "naïve 🙂",
)


def full() -> dict[str, Any]:
    """Every fact that the card can tell."""
    made = facts()
    made["data"] |= {"config_digest": "feedface", "sampled_share": 0.25}
    made["snapshots"]["converted_in_test"] = 1234
    made["features"] = [
        f | {"family": family} for f, family in zip(made["features"], ("a", "behavioural"), strict=True)
    ]
    made["leaks"] = [{"column": "duration", "sentence": "It knows the outcome."}]
    return made


def without(whole: dict[str, Any], gone: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """The facts but for those at these paths."""
    rest = deepcopy(whole)
    for *outer, key in gone:
        place = rest
        for name in outer:
            place = place.get(name, {})
        place.pop(key, None)
    return rest


def named(names: Sequence[str]) -> dict[str, Any]:
    """Facts in which everything that data decide is called by these twelve names, all different."""
    made = full()
    made["label"]["target_stage"] = names[0]
    made["verdict_reason"] = names[1]
    made["excluded"] = {names[2]: 1, names[3]: 2}
    made["leaks"] = [{"column": names[4], "sentence": names[5]}]
    made["left_out"] = {names[6]: names[7], names[8]: names[9]}
    made["notes"] = [names[10], names[11]]
    made["baselines"] = {names[2]: made["metrics"], names[3]: made["metrics"]}
    made["features"] = [
        {"name": name, "about": names[3 + i], "family": names[6 + i], "unit": names[7 + i], "missing": names[8 + i]}
        | {"importance": 3.0 - i}
        for i, name in enumerate(names[:3])
    ]
    return made
