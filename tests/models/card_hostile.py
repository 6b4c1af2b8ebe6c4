"""Names made to break out of where they stand in a card, and facts in which everything is called by them."""

from collections.abc import Sequence
from typing import Any, Final

from tests.models.card_data import differences, full, segment

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


_BAND: Final = {"leads_share": 0.5, "converted_share": 0.5, "rate": 0.1}


def named(names: Sequence[str]) -> dict[str, Any]:
    """Facts in which everything that data or a person decide is called by these twelve names, all different."""
    made = full()
    made["label"]["target_stage"] = names[0]
    made["verdict_reason"] = names[1]
    made["excluded"] = {names[2]: 1, names[3]: 2}
    made["leaks"] = [{"column": names[4], "probe": "dominant", "value": 0.5, "limit": 0.4, "sentence": names[5]}]
    made["left_out"] = {names[6]: names[7], names[8]: names[9]}
    made["notes"] = [names[10], names[11]]
    made["owner"], made["note"] = names[0], names[1]
    made["baselines"] = {names[2]: made["metrics"], names[3]: made["metrics"]}
    made["baseline_notes"] = {names[2]: names[4], names[3]: names[5]}
    made["differences"] = {names[2]: differences(0.1, "better"), names[3]: differences(0.0, "level")}
    made["calibration"]["method"] = names[6]
    made["calibration"]["choices"] = [{"method": names[7], "log_loss": 0.3}]
    made["segments"] = [segment(*names[2:4], True, 900, 90, "as promised"), segment(*names[4:6], False, 9, 1, "?")]
    made["sensitive"], made["attributes"] = [names[2]], [names[5]]
    made["justification"] = {names[2]: names[3]}
    made["excluded_by_choice"], made["never_read"] = list(names[1:3]), list(names[4:6])
    made["champion"]["version"] = names[0]
    made["changes"] |= {
        "since_version": names[1],
        "features_added": list(names[3:5]),
        "features_gone": [names[6]],
        "settings": [{"key": names[7], "before": names[8], "now": [names[9]]}],
    }
    made["made"] |= {"program": names[2], "commit": names[3], "libraries": {names[4]: names[5]}}
    made["tuning"]["parameters"] = {}
    for of in made["targets"].values():
        of["bands"] = [{"band": name, **_BAND} for name in names[5:7]]
    made["features"] = [
        {"name": name, "about": names[3 + i], "family": names[6 + i], "unit": names[7 + i], "missing": names[8 + i]}
        | {"importance": 3.0 - i}
        for i, name in enumerate(names[:3])
    ]
    return made
