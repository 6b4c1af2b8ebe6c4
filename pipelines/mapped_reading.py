"""How a table of a company's own is read as one of ours: its columns looked up in the catalogue, cast, and counted.

There is no view and no copy: a mapped table is a subquery that stands after FROM.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from features.errors import ConfigError, InputError
from features.tables import STAGES
from pipelines.attributes import attribute_names
from pipelines.engine import SCHEMA, Engine
from pipelines.mapped_tables import MAPPABLE, MappedTable, check_names, literal, nearest, quoted

_MOMENTS: Final = {"created_at", "known_at", "occurred_at", "entered_at", "since"}
_NUMBERS: Final = {"value", "points", "amount"}
#: Their types, as the catalogues name them without length or precision, by what can be made of them.
_TYPES: Final = {
    "number": {
        "smallint", "integer", "bigint", "numeric", "decimal", "real", "float", "double", "double precision",
        "tinyint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint",
    },
    "boolean": {"boolean"},
    "date": {"date"},
    "local": {"timestamp", "timestamp without time zone", "timestamp_s", "timestamp_ms", "timestamp_ns"},
    "moment": {"timestamp with time zone"},
}  # fmt: skip
_ATTRIBUTE_KINDS: Final = {
    "number": "numeric",
    "boolean": "boolean",
    **dict.fromkeys(("date", "local", "moment"), "date"),
}
_COLUMNS: Final = {
    "duckdb": "SELECT column_name, data_type FROM information_schema.columns WHERE table_catalog = current_database() "
    "AND table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
    "postgres": "SELECT a.attname::text, format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, "
    "NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_type t ON t.oid = a.atttypid WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN "
    "('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
}
_TABLES: Final = {
    "duckdb": "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_catalog = "
    "current_database() AND table_schema <> $1 ORDER BY 1",
    "postgres": "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ($1, 'pg_catalog', 'information_schema', "
    "'pg_toast') ORDER BY 1",
}


@dataclass(frozen=True)
class Source:
    """An input table that is read out of one of theirs."""

    name: str
    theirs: str
    attributes: Mapping[str, str]
    """Declared attribute -> type, by their catalogue."""
    rows: str
    """SELECT of every row of theirs as a row of ours, and of `_stage`, their own word, where there are stages."""
    columns: tuple[str, ...]
    needed: tuple[str, ...]
    """Columns without which a row says nothing."""

    @property
    def after_from(self) -> str:
        """What stands after FROM: our columns of their whole rows, less the leads that were erased."""
        kept = f"{self._whole} AND lead_id NOT IN (SELECT lead_id FROM {SCHEMA}.tombstones)"
        if self.name == "stage_changes":
            kept += " AND stage IS NOT NULL"
        rows = f"SELECT {', '.join(self.columns)} FROM ({self.rows}) AS theirs WHERE {kept}"
        if self.name == "objections":
            # What a person told us counts as well as what is in their table.
            both = f"SELECT lead_id, since FROM {SCHEMA}.objections UNION ALL {rows}"
            rows = f"SELECT lead_id, min(since) AS since FROM ({both}) AS told GROUP BY lead_id"
        return f"({rows}) AS {self.name}"

    def left_out(self, engine: Engine) -> list[str]:
        """One sentence for each reason for which rows of theirs are not read, with how many there are.

        Raises
        ------
        InputError
            Rows share what must be one row's own.
        """
        said = []
        ((broken,),) = engine.rows(f"SELECT count(*) FROM ({self.rows}) AS theirs WHERE ({self._whole}) IS NOT TRUE")
        if broken:
            needed = " or no ".join(self.needed).replace("_stage", "stage")
            said.append(f"{self.theirs}: {broken:,} rows left out: they have no {needed}.")
        if self.name == "stage_changes":
            said += [
                f"{self.theirs}: {count:,} rows left out: [store.tables.stage_changes.stages] does not say what "
                f"{stage!r} is."
                for stage, count in engine.rows(
                    f"SELECT _stage, count(*) FROM ({self.rows}) AS theirs WHERE {self._whole} AND stage IS NULL "
                    "GROUP BY _stage ORDER BY 2 DESC, 1"
                )
            ]
        self._refuse_shared_keys(engine)
        return said

    @property
    def _whole(self) -> str:
        """The condition that nothing needed is missing; a moment must be finite as well."""
        return " AND ".join(f"isfinite({c})" if c in _MOMENTS else f"{c} IS NOT NULL" for c in self.needed)

    def _refuse_shared_keys(self, engine: Engine) -> None:
        names = ", ".join(MAPPABLE[self.name].key)
        if not names:
            return
        shared = f"SELECT {names} FROM {self.after_from} GROUP BY {names} HAVING count(*) > 1"
        ((twice,),) = engine.rows(f"SELECT count(*) FROM ({shared}) AS shared")
        if twice:
            raise InputError(
                f"{self.theirs} is read as {self.name}, of which no two rows may have the same {names}; {twice:,} are "
                "there more than once. Map a view with one row for each."
            )


def sources(engine: Engine, tables: Mapping[str, MappedTable]) -> dict[str, Source]:
    """Look the mapped tables and columns up in the catalogue, and make what reads them.

    Raises
    ------
    ConfigError
        A table or column is not there, or cannot be read as what it is mapped to.
    """
    check_names(tables)
    return {name: _source(engine, name, mapped) for name, mapped in tables.items()}


def _source(engine: Engine, name: str, mapped: MappedTable) -> Source:
    offer, where = MAPPABLE[name], f"[store.tables.{name}]"
    found = _catalogue(engine, where, mapped.table)
    for theirs in [*mapped.columns.values(), *mapped.attributes]:
        if theirs not in found:
            raise ConfigError(f"{where}: {mapped.table} has no column {theirs!r}.{nearest(theirs, found)}")
    read = _Reading(engine, where, mapped, found)
    columns = {ours: read.column(ours, theirs) for ours, theirs in mapped.columns.items()}
    if name == "objections":
        # An objection without a moment was always there.
        since, always = columns.get("since", "NULL"), "TIMESTAMPTZ '1970-01-01 00:00:00+00'"
        columns["since"] = f"CASE WHEN isfinite(CAST({since} AS timestamptz)) THEN {since} ELSE {always} END"
    for optional in offer.optional:
        columns.setdefault(optional, read.missing(optional))
    known = ("known_at",) if offer.known_by else ()
    if offer.known_by:
        columns.setdefault("known_at", columns[offer.known_by])
    if "direction" in columns:
        said = f"lower({columns['direction']})"
        columns["direction"] = f"CASE WHEN {said} IN ('inbound', 'outbound') THEN {said} END"
    attributes = attribute_names(mapped.attributes)
    if name == "profiles":
        columns["attributes"] = read.packed({ours: theirs for theirs, ours in attributes.items()})
    rows = dict(columns)
    if name == "stage_changes":
        rows |= {"_stage": columns["stage"], "stage": _stages(columns["stage"], mapped.stages)}
    table = quoted(mapped.table)
    if engine.name == "duckdb":  # where a database may bear a schema's name
        table = f"{_catalogue_name(engine)}.{table}"
    return Source(
        name=name,
        theirs=mapped.table,
        attributes={ours: read.attribute_kind(theirs) for theirs, ours in attributes.items()},
        rows=f"SELECT {', '.join(f'{sql} AS {ours}' for ours, sql in rows.items())} FROM {table}",
        columns=tuple(columns),
        needed=tuple("_stage" if c == "stage" else c for c in (*offer.required, *known)),
    )


@dataclass(frozen=True)
class _Reading:
    """How columns of theirs are read as ours."""

    engine: Engine
    where: str
    mapped: MappedTable
    found: Mapping[str, str]

    def column(self, ours: str, theirs: str) -> str:
        """A column of theirs as ours is."""
        if ours in _MOMENTS:
            return self._moment(ours, theirs)
        if ours in _NUMBERS:
            if self.kind(theirs) != "number":
                raise self._unlike(ours, theirs, "a number")
            return f"nullif(CAST({quoted(theirs)} AS double precision), CAST('NaN' AS double precision))"
        return self._text(quoted(theirs))

    def missing(self, ours: str) -> str:
        """A column that theirs does not have."""
        return f"CAST(NULL AS {'double precision' if ours in _NUMBERS else 'text'})"

    def packed(self, attributes: Mapping[str, str]) -> str:
        """The attributes as our profiles hold them: a JSON object of texts, names in order, without what is missing."""
        if not attributes:
            return "CAST(NULL AS text)"
        parts = []
        for ours, theirs in sorted(attributes.items()):
            value = quoted(theirs)
            if self.kind(theirs) in ("local", "moment"):
                value = self._moment(ours, theirs)
            parts.append(f"""'"{ours}":' || CAST(to_json(CAST({value} AS text)) AS text)""")
        return self._text(f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'")

    def attribute_kind(self, theirs: str) -> str:
        """numeric, boolean, date or categorical."""
        return _ATTRIBUTE_KINDS.get(self.kind(theirs), "categorical")

    def kind(self, theirs: str) -> str:
        """What can be made of a column's type: number, boolean, date, local, moment or text."""
        plain = re.sub(r"\(.*\)", "", self.found[theirs].lower()).strip()
        return next((kind for kind, types in _TYPES.items() if plain in types), "text")

    def _moment(self, ours: str, theirs: str) -> str:
        kind = self.kind(theirs)
        if kind == "moment":
            return quoted(theirs)
        if kind not in ("date", "local"):
            raise self._unlike(ours, theirs, "a moment (timestamptz; with zone = '…' a timestamp or a date)")
        if self.mapped.zone is None:
            raise ConfigError(
                f"{self.where} {ours} = {theirs!r}: it is a {self.found[theirs].lower()}, and nothing says by which "
                "clock. Add zone = 'Europe/Paris' (or 'UTC', or whichever it is)."
            )
        return f"(CAST({quoted(theirs)} AS timestamp) AT TIME ZONE {literal(self.mapped.zone)})"

    def _text(self, value: str) -> str:
        # Whatever the collation of theirs: ours compares byte by byte.
        return f"CAST({value} AS text)" + (' COLLATE "C"' if self.engine.name == "postgres" else "")

    def _unlike(self, ours: str, theirs: str, expected: str) -> ConfigError:
        return ConfigError(
            f"{self.where} {ours} must be {expected}; {theirs!r} of {self.mapped.table} is "
            f"{self.found[theirs].lower()}. Map another column, or a view that converts it."
        )


def _stages(theirs: str, stages: Mapping[str, str]) -> str:
    listed = stages or {stage: stage for stage in STAGES}
    cases = " ".join(f"WHEN {literal(stage)} THEN {literal(ours)}" for stage, ours in listed.items())
    return f"CASE {theirs} {cases} END"


def _catalogue(engine: Engine, where: str, table: str) -> dict[str, str]:
    """Column -> type of a table or view of theirs."""
    schema, name = table.split(".")
    found = {str(column): str(kind) for column, kind in engine.rows(_COLUMNS[engine.name], [schema, name])}
    if not found:
        others = [str(row[0]) for row in engine.rows(_TABLES[engine.name], [SCHEMA])]
        raise ConfigError(f"{where}: there is no table or view {table} in {engine.where}.{nearest(table, others)}")
    return found


def _catalogue_name(engine: Engine) -> str:
    name = str(engine.rows("SELECT current_database()")[0][0])
    return '"' + name.replace('"', '""') + '"'
