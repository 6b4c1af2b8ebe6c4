"""Why a stage is recommended, in one or two English sentences: the evidence, the figure, and what to do next."""

from collections.abc import Mapping
from typing import Final

from serve.stage_memory import KEPT_UP, SENT_BACK

#: How the reason of a stage that we recommend ends: what to do next.
_NEXT: Final[Mapping[str, str]] = {
    "lead": "not qualified yet",
    "mql": "marketing nurtures",
    "sal": "for sales to accept",
    "pql": "call about what it does with it",
    "sql": "hand over now",
}

#: Why a lead that is worth a call is not handed over.
NO_PLACE: Final = " Pays for a call, but sales' places went to leads expected to bring more."


def reason(
    stage: str,
    *,
    percent: str,
    intent: bool,
    uses: bool,
    days_since_act: float,
    evidence: str | None,
    word: str | None,
    kept: str | None,
    no_place: bool = False,
) -> str:
    """Say why one lead gets `stage`.

    Parameters
    ----------
    percent : its probability, as a reader sees it
    evidence : that it is out of target; None: there is none
    word : how people's word stands against what it earned (`serve.stage_memory`); None: it does not
    kept : the limit at which it would enter the stage, which it keeps below it; None: it has reached it
    no_place : it would pay for a call, but others take the places that sales have

    Examples
    --------
    >>> known = dict(intent=False, uses=False, days_since_act=3.0, evidence=None, word=None)
    >>> reason("sal", percent="14 %", kept="15 %", **known)
    '14 % likely to convert: for sales to accept. Keeps its stage: 15 % to enter it.'
    >>> print(reason("mql", percent="40 %", kept=None, no_place=True, **known))
    40 % likely to convert: marketing nurtures. Pays for a call, but sales' places went to leads expected to bring
    more.
    """
    likely = f"{percent} likely to convert"
    facts = ["declared intent to buy (demo, quote, budget or date)"] * intent + ["uses the product"] * uses
    link = (", but only " if word == KEPT_UP or stage in ("lead", "mql") else " and ") if facts else ""
    known = ", ".join(facts) + link + likely
    check = f" Check first: looks out of target ({evidence})." if evidence else ""
    if word == KEPT_UP:
        return f"Accepted by sales as {stage}, {known}: theirs until they send it back or it goes quiet.{check}"
    if word == SENT_BACK:
        return f"Sent back to {stage} by people, no act since, {known}: stays there until it acts again.{check}"
    if stage == "disqualified":
        contrary = " although it declared intent to buy" if intent else ""
        return f"Out of target ({evidence}), {likely}{contrary}: a person should confirm before it is disqualified."
    if stage == "recycled":
        whole = int(days_since_act)  # rounding up would claim a day that has not passed
        return f"Was qualified, no act for {whole} day{'s' * (whole != 1)}, {likely}: back to nurturing."
    sentence = f"{known}: {_NEXT[stage]}."
    keeps = f" Keeps its stage: {kept} to enter it." if kept else ""
    return sentence[0].upper() + sentence[1:] + (NO_PLACE if no_place else "") + keeps + check
