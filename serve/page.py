"""One HTML page that stands alone: its style and script are in it, and the browser is told to refuse all others.

Whoever makes a page gives its body (escaped already), what it adds to the common style, and a script that reads its
data from one block of JSON. Data are text: a script shows them with `textContent`, never as markup.
"""

import base64
import hashlib
import json
from html import escape
from typing import Any, Final

from models.card_style import STYLE

#: The id of the block that a page's script reads its data from.
DATA: Final = "data"


def page(
    *, title: str, body: str, language: str = "en", style: str = "", script: str = "", data: Any | None = None
) -> str:
    """The page.

    Parameters
    ----------
    body : HTML of what stands in `main`; whatever came from data is escaped by who made it
    style : rules beside the common ones
    script : run once, at the end of the page; "" makes a page without any
    data : plain values for the script: `JSON.parse(document.getElementById("data").textContent)`

    Raises
    ------
    ValueError
        A number in `data` is not finite: JSON has no word for it, so say null.

    Examples
    --------
    >>> "<script" in page(title="Leads & points", body="<h1>Leads</h1>")
    False
    >>> page(title="x", body="", script="go()", data={"company": "</script><b>"}).count("</script>")
    2
    """
    rules = STYLE + style
    allowed = f"default-src 'none'; style-src '{_source(rules)}'; base-uri 'none'; form-action 'none'"
    if script:
        allowed += f"; script-src '{_source(script)}'"
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{escape(language)}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(title)}</title>",
        f"<style>{rules}</style>",
        "</head>",
        "<body>",
        f"<main>\n{body}\n</main>",
    ]
    if data is not None:
        lines.append(f'<script type="application/json" id="{DATA}">{as_json(data)}</script>')
    if script:
        lines.append(f"<script>{script}</script>")
    return "\n".join([*lines, "</body>", "</html>", ""])


def as_json(data: Any) -> str:
    """JSON that no text inside can close, or open a comment of: safe between script tags.

    Examples
    --------
    >>> as_json({"name": "</script>"})
    '{"name":"\\\\u003c/script>"}'
    """
    plain = json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    # Those are whole in JSON only inside of strings.
    for sign in "<&\u2028\u2029\u0000":
        plain = plain.replace(sign, f"\\u{ord(sign):04x}")
    return plain


def _source(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
