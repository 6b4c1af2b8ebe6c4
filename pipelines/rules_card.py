"""A points card in a TOML file: read, checked, and fitted to what a store can fill.

`rules_card.toml`, the default card, explains every key. All that is wrong with a card's criteria is told at once, each
with the file, the criterion, what was expected, what was found and what to do.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from difflib import get_close_matches
from importlib import resources
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeGuard

from features import behavioural
from features.catalogue import FAMILIES, Catalogue
from features.declare import Attribute, Column, Moment, Op, Primitive
from features.errors import ConfigError
from features.kinds import KINDS, identifier
from features.sizes import BANDS
from features.titles import FUNCTIONS, SENIORITIES
from models.rules import CAPS, FLOOR, Card, Criterion, Decay, Group, fold
from pipelines.catalogues import needed

DEFAULT: Final = "rules_card.toml"
#: No number of points is further from 0, and no decay slower: more is a slip of the key.
MOST_POINTS: Final = 10_000
MOST_DAYS: Final = 3_650

#: Operator -> what its value must be, and the type of column that it is for ("" = either).
OPERATORS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("at_least", "more_than", "at_most", "less_than"), ("a number", "numeric")),
    "between": ("two numbers, the lower one first", "numeric"),
    **dict.fromkeys(("is", "is_not"), ("a text or a number", "")),
    **dict.fromkeys(("is_one_of", "is_none_of"), ("a list of texts", "categorical")),
    **dict.fromkeys(("is_known", "is_missing"), ("left out", "")),
}
#: Columns that hold no other texts than these, because leadscore itself writes them.
VOCABULARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "job_function": FUNCTIONS,
    "seniority": SENIORITIES,
    "company_size_band": tuple(name for _, name in BANDS),
}
#: Names of parts that are no criterion's.
_RESERVED: Final = frozenset((*CAPS, FLOOR))
_LIMITS: Final = {
    "rules": ("mql_points", "sql_points"),
    "rules.fit": ("points_b", "points_a"),
    "rules.engagement": ("points_2", "points_1"),
}


def default_card() -> str:
    """The text of the card that comes along, to start one's own from."""
    return (resources.files("pipelines") / DEFAULT).read_text(encoding="utf-8")


def load_card(file: Path | None = None, *, of: Catalogue) -> Card:
    """Read a card and fit it to a store.

    Parameters
    ----------
    file : a TOML file with `[rules]`; None takes the card that comes along
    of : the columns of the frame that is to be counted

    Raises
    ------
    ConfigError
        See `read_card` and `for_store`.
    """
    return for_store(read_card(file), of=of)


def read_card(file: Path | None = None) -> Card:
    """Read a card, before any store is known: its features' names are not looked up yet.

    Raises
    ------
    ConfigError
        The file cannot be read or is no TOML, or see `card_of`.
    """
    if file is None:
        return card_of(tomllib.loads(default_card()), where="the default points card")
    try:
        return card_of(tomllib.loads(file.read_text(encoding="utf-8")), where=str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The points card {file} cannot be read: {error}. Name a file that is there; a copy of the default card is "
            "a start."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"The points card {file} is not valid TOML: {error}. Mend that line; a criterion in braces stands on one "
            "line."
        ) from error


def card_of(plain: Mapping[str, Any], *, where: str) -> Card:
    """Make a card of what its file says, and check all that can be checked without a store.

    Parameters
    ----------
    plain : the file, as TOML is read: a table `rules` and nothing else
    where : the file's name, for messages

    Raises
    ------
    ConfigError
        A key is unknown or missing; an operator or a value is none; a number of points has more decimals than the card
        counts; a cap is below 0; limits are out of order, above their cap or not above the floor; two criteria bear one
        name.

    Examples
    --------
    >>> card_of({"rules": {"mql_point": 40}}, where="card.toml")
    Traceback (most recent call last):
    ...
    features.errors.ConfigError: card.toml: [rules]: there is no key mql_point. Did you mean mql_points?
    """
    wrong: list[str] = []
    try:
        _known(plain, ("rules",), "the file")
        rules = _table(plain, "rules", "the file")
        _known(rules, ("decimals", "cap", "floor", *_LIMITS["rules"], "fit", "engagement"), "[rules]")
        decimals = rules.get("decimals", 0)
        if isinstance(decimals, bool) or decimals not in (0, 1, 2):
            raise ConfigError(f"[rules]: expected decimals to be 0, 1 or 2, found {decimals!r}. Write decimals = 0.")
        limits, cap = _limits(rules, "rules", int(decimals))
        floor = _floor(rules, limits[0], int(decimals))
        taken = set(_RESERVED)
        fit, engagement = (_group(rules, name, int(decimals), taken, wrong) for name in ("fit", "engagement"))
        if not wrong and taken == _RESERVED:
            raise ConfigError("expected criteria in [rules.fit] or [rules.engagement], found none. Add one.")
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    if wrong:
        raise ConfigError("\n".join(f"{where}: {text}" for text in wrong))
    return Card(
        fit=fit, engagement=engagement, limits=limits, cap=cap, floor=floor, decimals=int(decimals), where=where
    )


def for_store(card: Card, *, of: Catalogue) -> Card:
    """The card as a store can count it; `left_out` says which criteria it has no column for, and why.

    Raises
    ------
    ConfigError
        A feature is unknown to leadscore and to this store, or an operator, a value or a decay does not suit its
        column.
    """
    known, wrong, left_out = _declared(of), [], dict(card.left_out)
    available = set(of.names)
    excluded = {identifier(name): why for name, why in of.left_out.items()}
    criteria = [(name, n, c) for name, group in card.groups.items() for n, c in enumerate(group.criteria, 1)]
    for group_name, number, criterion in criteria:
        gone = next((name for name in criterion.features if name not in available), None)
        try:
            if gone in known or gone not in excluded:
                _suits(criterion, known)
        except ConfigError as error:
            wrong.append(f"{card.where}: {_place(group_name, number, criterion.name)}: {error}")
            continue
        if gone is not None:
            source = known[gone].source if gone in known else None
            kind = source.kinds[0] if isinstance(source, Primitive) else ""
            why = excluded.get(gone) or excluded.get(kind) or "not among the columns that are computed"
            left_out[criterion.name] = f"no column {gone}: {why}"
    if wrong:
        raise ConfigError("\n".join(wrong))
    fit, engagement = (
        replace(group, criteria=tuple(c for c in group.criteria if c.name not in left_out))
        for group in (card.fit, card.engagement)
    )
    return replace(card, fit=fit, engagement=engagement, left_out=left_out)


def columns_of(card: Card, *, of: Catalogue) -> Catalogue:
    """Of a catalogue, the columns that a card fitted to it needs, and those that they are made of."""
    return needed(card.features, of=of)


def _group(rules: Mapping[str, Any], name: str, decimals: int, taken: set[str], wrong: list[str]) -> Group:
    """One group; what is wrong with its criteria is added to `wrong`."""
    section = f"rules.{name}"
    table = _table(rules, name, "[rules]")
    _known(table, ("cap", *reversed(_LIMITS[section]), "criteria"), f"[{section}]")
    limits, cap = _limits(table, section, decimals)
    listed = table.get("criteria", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise ConfigError(
            f"[{section}]: expected criteria to be a list of {{ name, feature, operator, value, points }}, found "
            f"{listed!r}. Write them as the default card does."
        )
    criteria = []
    for number, item in enumerate(listed, 1):
        try:
            criterion = _criterion(item, decays=name == "engagement", decimals=decimals)
            if criterion.name in taken:
                raise ConfigError("expected a name of its own, found one that another part bears. Rename it.")
        except ConfigError as error:
            wrong.append(f"{_place(name, number, item.get('name'))}: {error}")
        else:
            taken.add(criterion.name)
            criteria.append(criterion)
    return Group(criteria=tuple(criteria), limits=limits, cap=cap)


def _criterion(table: Mapping[str, Any], *, decays: bool, decimals: int) -> Criterion:
    _known(table, ("name", "feature", "operator", "value", "points", "decay"), "")
    name, feature, operator = (_text(table, key) for key in ("name", "feature", "operator"))
    if operator not in OPERATORS:
        raise ConfigError(
            f"expected an operator among {', '.join(OPERATORS)}, found {operator!r}."
            + (_near(operator, OPERATORS) or " Write one of them.")
        )
    value = table.get("value")
    value = tuple(value) if isinstance(value, list) else value
    if not _is_value(operator, value):
        found = "none" if value is None else repr(table["value"])
        raise ConfigError(
            f"expected the value of {operator} to be {OPERATORS[operator][0]}, found {found}. Mend the value, or take "
            "another operator."
        )
    decay = None
    if "decay" in table:
        if not decays:
            raise ConfigError("expected no decay, for what a lead is does not fade; found one. Take it out.")
        decay = _decay(_table(table, "decay", ""))
    points = _points(table, "points", "", decimals)
    return Criterion(name=name, feature=feature, operator=operator, value=value, points=points, decay=decay)


def _decay(table: Mapping[str, Any]) -> Decay:
    _known(table, ("by", "half_life_days", "zero_after_days"), "decay")
    days = {key: value for key, value in table.items() if key != "by"}
    if len(days) != 1 or not all(_is_number(value) and 0.1 <= value <= MOST_DAYS for value in days.values()):
        raise ConfigError(
            f"expected decay to state half_life_days or zero_after_days, one of them, from 0.1 to {MOST_DAYS:,}; found "
            f'{days or "none"}. Write decay = {{ by = "days_since_…", half_life_days = 30 }}.'
        )
    return Decay(by=_text(table, "by"), **days)


def _limits(table: Mapping[str, Any], section: str, decimals: int) -> tuple[tuple[Decimal, Decimal], Decimal | None]:
    """The lower and the upper limit, and the cap, of a section."""
    place = f"[{section}]: "
    low_key, high_key = _LIMITS[section]
    low, high = _points(table, low_key, place, decimals), _points(table, high_key, place, decimals)
    if not low < high:
        raise ConfigError(
            f"{place}expected {low_key} to be below {high_key}, found {low} and {high}: nobody would stand between. "
            "Lower the first or raise the second."
        )
    if "cap" not in table:
        return (low, high), None
    cap = _points(table, "cap", place, decimals)
    if cap < 0:
        raise ConfigError(f"{place}expected cap to be 0 or more, found {cap}. Raise it, or take it out for no cap.")
    if high > cap:
        raise ConfigError(
            f"{place}expected {high_key} to be at most the cap, found {high} above {cap}: nobody could reach it. Lower "
            f"{high_key} or raise the cap."
        )
    return (low, high), cap


def _floor(rules: Mapping[str, Any], mql_points: Decimal, decimals: int) -> Decimal | None:
    if "floor" not in rules:
        return None
    floor = _points(rules, "floor", "[rules]: ", decimals)
    if not floor < mql_points:
        raise ConfigError(
            f"[rules]: expected floor to be below mql_points, found {floor} and {mql_points}: everybody would be an "
            "mql. Lower it, or take it out for no floor."
        )
    return floor


def _points(table: Mapping[str, Any], key: str, place: str, decimals: int) -> Decimal:
    value = table.get(key)
    if not _is_number(value):
        found = "nothing" if key not in table else repr(value)
        raise ConfigError(f"{place}expected {key} to be a number, found {found}. Write {key} = 10.")
    # By way of its text: the double that 0.1 is read as has 55 decimals.
    exact = Decimal(str(value))
    if abs(exact) > MOST_POINTS:
        raise ConfigError(
            f"{place}expected {key} to lie within ±{MOST_POINTS:,}, found {value}. Write a smaller number."
        )
    if exact != round(exact, decimals):
        raise ConfigError(
            f"{place}expected {key} to have at most {decimals} decimals, as [rules] decimals says, found {value}. "
            "Round it, or raise decimals (2 at most)."
        )
    return exact


def _suits(criterion: Criterion, known: Mapping[str, Column]) -> None:
    """Refuse a criterion whose feature nobody knows, or that does not suit its column."""
    for name in criterion.features:
        if name not in known:
            raise ConfigError(
                f"expected a feature that leadscore or this store knows, found {name!r}.{_near(name, known)} A model "
                "card lists them all; events and attributes of your own have features once they are imported."
            )
    column, operator, value = known[criterion.feature], criterion.operator, criterion.value
    says = f"{column.name} ({'texts' if column.type == 'categorical' else f'numbers, {column.unit}'})"
    fitting = [name for name, (_, for_type) in OPERATORS.items() if for_type in ("", column.type)]
    if operator not in fitting:
        raise ConfigError(
            f"expected an operator for {says}: {', '.join(fitting)}; found {operator}. Choose one of them."
        )
    if operator in ("is", "is_not"):
        boolean = isinstance(column.source, Attribute) and column.source.type == "boolean"
        if isinstance(value, str) != (column.type == "categorical") or (isinstance(value, bool) and not boolean):
            raise ConfigError(f"expected a value for {says}, found {value!r}. Mend the value or the feature.")
    if column.name in VOCABULARIES and value is not None:
        for text in value if isinstance(value, tuple) else (value,):
            if fold(str(text)) not in VOCABULARIES[column.name]:
                raise ConfigError(
                    f"expected {column.name} to be one of {', '.join(VOCABULARIES[column.name])}; found {text!r}, "
                    f"which no lead ever has.{_near(str(text), VOCABULARIES[column.name])}"
                )
    if criterion.decay is not None and not _counts_days_since(known[criterion.decay.by]):
        ages = [name for name, other in known.items() if _counts_days_since(other)]
        raise ConfigError(
            f"expected decay to go by days since something, found {criterion.decay.by}, which is not. Choose "
            f"among {', '.join(ages)}; or count in a window instead, such as content_downloads_30d."
        )


def _declared(of: Catalogue) -> dict[str, Column]:
    """Every column that a card may name: the families', and those of this store's own kinds, rare ones too."""
    columns = [*(column for family in FAMILIES for column in family.columns), *of.columns]
    rare = set(of.kinds.values()) - set(KINDS) - set(of.own_kinds)
    columns += behavioural.of_own_kinds(rare, taken=frozenset(column.name for column in columns))
    return {column.name: column for column in columns}


def _counts_days_since(column: Column) -> bool:
    source = column.source
    if isinstance(source, Primitive):
        return source.op in (Op.SINCE_FIRST, Op.SINCE_LAST)
    return isinstance(source, Moment) or (isinstance(source, Attribute) and source.type == "date")


def _is_value(operator: str, value: Any) -> bool:
    if operator in ("is_known", "is_missing"):
        return value is None
    if operator == "between":
        return isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]
    if operator in ("is_one_of", "is_none_of"):
        return isinstance(value, tuple) and bool(value) and all(isinstance(text, str) for text in value)
    return _is_number(value) or (operator in ("is", "is_not") and isinstance(value, str | bool))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if key not in table else repr(value)
        raise ConfigError(f'expected {key} to be a text, found {found}. Write {key} = "…".')
    return value


def _table(table: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    value = table.get(key)
    if not isinstance(value, dict):
        found = "nothing" if key not in table else repr(value)
        raise ConfigError(
            f"{place}: expected a table {key}, found {found}. Write it as the default card does.".removeprefix(": ")
        )
    return value


def _known(table: Mapping[str, Any], keys: Collection[str], place: str) -> None:
    for key in table:
        if key not in keys:
            near = get_close_matches(key, keys, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Valid here: {', '.join(keys)}."
            raise ConfigError(f"{place}: there is no key {key}. {hint}".removeprefix(": "))


def _near(text: str, among: Collection[str]) -> str:
    near = get_close_matches(fold(text), among, n=3)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _place(group: str, number: int, name: object) -> str:
    return f"criterion {number} of [rules.{group}], {name!r}"
