"""Which of the declared columns a store can fill, and why not the others.

A `Catalogue` is a pure function of what the store holds and of config, and is written into every release: so the
night computes exactly the columns the model was trained with, whatever the store has learned since.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from features import behavioural, demographic, engagement
from features.declare import Column, Combination, Family, Primitive, Profile
from features.errors import ConfigError
from features.kinds import KINDS
from features.tables import PROFILE_COLUMNS

FAMILIES: Final = (demographic.FAMILY, behavioural.FAMILY, engagement.FAMILY)

#: A store's own kind gets columns only when it is common enough to learn from, and not more than so many of them do.
OWN_KIND_MIN_EVENTS: Final = 50
OWN_KINDS_MOST: Final = 40
_EXCLUDED: Final = "excluded by configuration"


@dataclass(frozen=True)
class Catalogue:
    """The columns a store can fill, and those it cannot."""

    columns: tuple[Column, ...]
    left_out: Mapping[str, str]
    """Column, excluded attribute, or rare kind -> why it is not there."""
    kinds: Mapping[str, str]
    """Event type -> kind, for the types that are read; events of other types are not seen."""
    attributes: Mapping[str, str]
    """Declared attributes that are read: name -> type."""
    profile_columns: tuple[str, ...]
    own_kinds: tuple[str, ...]
    """The store's own kinds that have columns."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)


def catalogue(
    *,
    kinds: Mapping[str, str],
    type_counts: Mapping[str, int],
    profile_columns: Collection[str],
    attributes: Mapping[str, str],
    own_kinds: Collection[str] | None = None,
    exclude: Collection[str] = (),
    families: Sequence[Family] = FAMILIES,
) -> Catalogue:
    """Find out which columns a store can fill.

    Parameters
    ----------
    kinds : event type -> kind (see `features.kinds.kinds_of`); the kind "ignored" leaves a type out
    type_counts : event type -> how many events of it the store holds
    profile_columns : the profile columns that are filled for some lead
    attributes : declared attributes, name -> type
    own_kinds : the store's own kinds that get columns, as a release knows them; None chooses the common ones
    exclude : columns or attributes not to use

    Raises
    ------
    ValueError
        Two declarations produce a column of one name.
    """
    read = {name: kind for name, kind in kinds.items() if kind != "ignored"}
    present = frozenset(read.values())
    fixed = [column for family in families for column in family.columns]
    own = _own_kinds(read, type_counts) if own_kinds is None else sorted(own_kinds)
    columns = [*fixed, *behavioural.of_own_kinds(own, taken=frozenset(column.name for column in fixed))]
    used = {name: kind for name, kind in attributes.items() if name not in exclude and kind != "ignored"}
    columns += demographic.declared(used, taken=frozenset(column.name for column in columns))
    repeated = [name for name, times in Counter(column.name for column in columns).items() if times > 1]
    if repeated:
        raise ValueError(f"Two declarations produce a column of one name: {', '.join(sorted(repeated))}")
    kept: list[Column] = []
    left_out = {name: _EXCLUDED for name in attributes if name in exclude}
    for column in columns:
        fitted = _fitted(column, present, frozenset(profile_columns), {c.name for c in kept})
        if column.name in exclude:
            left_out[column.name] = _EXCLUDED
        elif isinstance(fitted, str):
            left_out[column.name] = fitted
        else:
            kept.append(fitted)
    for kind in sorted(present - set(KINDS) - set(own)):
        left_out[kind] = f"fewer than {OWN_KIND_MIN_EVENTS} events of this type, or too many types"
    profile = tuple(name for name in PROFILE_COLUMNS if name in profile_columns)
    return Catalogue(tuple(kept), left_out, read, used, profile, tuple(own))


def check_excluded(exclude: Collection[str], *, of: Catalogue) -> None:
    """Refuse a name to be left out that no feature and no attribute bears: it would go on being used.

    A feature that this store cannot fill anyway is fine, and so is one of a kind that is too rare to have columns yet.

    Parameters
    ----------
    exclude : the names, as `of` was made with

    Raises
    ------
    ConfigError
        Naming each such name and the nearest there are.

    Examples
    --------
    >>> def without(*names: str) -> None:
    ...     columns = catalogue(kinds={}, type_counts={}, profile_columns=[], attributes={"euribor": "numeric"},
    ...                         exclude=names)
    ...     check_excluded(names, of=columns)
    >>> without("euribor", "webinars_7d")
    >>> without("euribr")
    Traceback (most recent call last):
    ...
    features.errors.ConfigError: ... no feature and no attribute is called 'euribr' (did you mean euribor?)...
    >>> without("job_title")
    Traceback (most recent call last):
    ...
    features.errors.ConfigError: ... 'job_title' (read from it: job_function, seniority, seniority_rank)...
    """
    fixed = [column for family in FAMILIES for column in family.columns]
    rare = set(of.kinds.values()) - set(KINDS) - set(of.own_kinds)
    spare = {column.name for column in behavioural.of_own_kinds(rare, taken=frozenset(c.name for c in fixed))}
    unknown = [name for name in exclude if of.left_out.get(name) != _EXCLUDED and name not in spare]
    if not unknown:
        return
    there = sorted({*of.names, *of.left_out, *spare, *of.attributes})
    told = []
    for name in unknown:
        read = [c.name for c in fixed if isinstance(c.source, Profile) and c.source.column == name]
        near = get_close_matches(name, there, n=3)
        if read:
            told.append(f"{name!r} (read from it: {', '.join(read)})")
        else:
            told.append(f"{name!r}" + (f" (did you mean {' or '.join(near)}?)" if near else ""))
    raise ConfigError(
        f"[features] exclude: no feature and no attribute is called {', nor '.join(told)}. Nothing is left out by such "
        "a name; mend it. The model card lists the features, the import says what attributes are called."
    )


def _own_kinds(kinds: Mapping[str, str], type_counts: Mapping[str, int]) -> list[str]:
    counts: Counter[str] = Counter()
    for name, kind in kinds.items():
        if kind not in KINDS:
            counts[kind] += type_counts.get(name, 0)
    common = [(-count, kind) for kind, count in counts.items() if count >= OWN_KIND_MIN_EVENTS]
    return sorted(kind for _, kind in sorted(common)[:OWN_KINDS_MOST])


def _fitted(
    column: Column, present: frozenset[str], profile_columns: frozenset[str], kept: Collection[str]
) -> Column | str:
    """The column as this store can fill it, or why it cannot."""
    source = column.source
    if isinstance(source, Primitive):
        narrowed = _narrowed(source, present)
        return replace(column, source=narrowed) if narrowed else _no_events([source])
    if isinstance(source, Profile):
        return column if source.column in profile_columns else f"no lead has a value for {source.column}"
    if isinstance(source, Combination):
        inputs = [
            _narrowed(i, present) if isinstance(i, Primitive) else i if i in kept else None for i in source.inputs
        ]
        found = tuple(i for i in inputs if i is not None)
        if not found or (source.needs_all and len(found) < len(inputs)):
            missing = [i for i, narrowed in zip(source.inputs, inputs, strict=True) if narrowed is None]
            return _no_events(missing)
        return replace(column, source=replace(source, inputs=found))
    return column


def _narrowed(primitive: Primitive, present: frozenset[str]) -> Primitive | None:
    kinds = primitive.kinds if "*" in primitive.kinds else tuple(k for k in primitive.kinds if k in present)
    return replace(primitive, kinds=kinds) if kinds and present else None


def _no_events(missing: Sequence[str | Primitive]) -> str:
    names = [", ".join(m.kinds) if isinstance(m, Primitive) else m for m in missing]
    return f"the store has no {' and no '.join(names)}"
