"""A points card as the text of a TOML file, such as `rules_card` reads: read again, it is the same card."""

import json
from collections.abc import Sequence
from decimal import Decimal

from models.rules import Card, Criterion, Decay, Group, Value


def card_toml(card: Card, *, head: Sequence[str] = ()) -> str:
    """The file's text.

    Parameters
    ----------
    head : lines that it begins with, as comments

    Examples
    --------
    >>> forms = Criterion(name="Filled a form", feature="forms", operator="at_least", value=1, points=Decimal(5))
    >>> limits = (Decimal(1), Decimal(2))
    >>> group = Group(criteria=(forms,), limits=limits)
    >>> print(card_toml(Card(fit=Group(criteria=(), limits=limits), engagement=group, limits=limits, cap=Decimal(100))))
    [rules]
    decimals = 0
    cap = 100
    mql_points = 1
    sql_points = 2
    <BLANKLINE>
    [rules.fit]
    points_a = 2
    points_b = 1
    criteria = []
    <BLANKLINE>
    [rules.engagement]
    points_1 = 2
    points_2 = 1
    criteria = [
      { name = "Filled a form", feature = "forms", operator = "at_least", value = 1, points = 5 },
    ]
    <BLANKLINE>
    """
    lines = [f"# {line}".rstrip() for text in head for line in text.splitlines()]
    lines += [""] if head else []
    lines += ["[rules]", f"decimals = {card.decimals}", *_held("cap", card.cap), *_held("floor", card.floor)]
    lines += [f"mql_points = {card.limits[0]}", f"sql_points = {card.limits[1]}", ""]
    lines += _group("fit", card.fit, ("points_b", "points_a"))
    lines += ["", *_group("engagement", card.engagement, ("points_2", "points_1"))]
    return "\n".join(lines) + "\n"


def _group(name: str, group: Group, keys: tuple[str, str]) -> list[str]:
    lines = [f"[rules.{name}]", *_held("cap", group.cap)]
    lines += [f"{key} = {limit}" for key, limit in zip(reversed(keys), reversed(group.limits), strict=True)]
    if not group.criteria:
        return [*lines, "criteria = []"]
    return [*lines, "criteria = [", *(f"  {_criterion(criterion)}," for criterion in group.criteria), "]"]


def _held(key: str, limit: Decimal | None) -> list[str]:
    return [] if limit is None else [f"{key} = {limit}"]


def _criterion(criterion: Criterion) -> str:
    value = "" if criterion.value is None else f", value = {_value(criterion.value)}"
    decay = "" if criterion.decay is None else f", decay = {_decay(criterion.decay)}"
    return (
        f"{{ name = {_text(criterion.name)}, feature = {_text(criterion.feature)}, "
        f"operator = {_text(criterion.operator)}{value}, points = {criterion.points}{decay} }}"
    )


def _decay(decay: Decay) -> str:
    if decay.half_life_days is not None:
        return f"{{ by = {_text(decay.by)}, half_life_days = {decay.half_life_days} }}"
    return f"{{ by = {_text(decay.by)}, zero_after_days = {decay.zero_after_days} }}"


def _value(value: Value) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but for one more control character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
