"""The least rights that each job needs on PostgreSQL, as SQL for the owner of the schema to run.

What is granted is what the code does, statement by statement; the tests run each job under its role. The owner makes
the tables, promotes and rolls back; nobody else can.
"""

from collections.abc import Mapping
from typing import Final

from features.errors import ConfigError
from pipelines.engine import SCHEMA
from pipelines.mapped_tables import NAME, MappedTable, check_names, quoted

#: Role -> what it is for.
ROLES: Final = {
    "ingest": "imports files ('leadscore import'); reads of leads only what it must compare",
    "train": "trains and tests ('leadscore train', 'backtest'); sees no contacts",
    "score": "scores every night ('leadscore score', 'status', 'explain'); sees no contacts, changes nothing published",
    "report": "reports to marketing ('leadscore compare', 'explain', 'funnel', 'economics', 'next', 'rules'); reads \
alone, and no contacts",
    "privacy": "answers and forgets people: reads, objects, erases; scores and trains nothing",
    "review": "reads and reviews cards ('leadscore card', 'review', 'reviews', 'promote --dry-run'); promotes nothing",
    "read": "reads what is published (current_scores), and nothing else",
}
_INPUT: Final = ("leads", "profiles", "events", "stage_changes", "rule_points", "objections")
_ENDING: Final = "status, ended_at, message"
_BEGIN: Final = (
    "run_id, job, mode, as_of, model_version, release_digest, config_digest, status, started_at, host, pid, fence, "
    "flags"
)
#: A job's own row: begun, and closed however it ends; what a run that died had staged is swept by whoever closes it.
_LEDGER: Final = (
    f"INSERT ({_BEGIN}) ON runs",
    "SELECT ON runs",
    f"UPDATE ({_ENDING}, as_of, model_version, release_digest, quarantined, flags) ON runs",
    "DELETE, SELECT (run_id) ON scores_staging",
)
#: Role -> its rights on our own tables, as GRANT has them.
_RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "ingest": (
        *(f"INSERT, SELECT ON {name}" for name in (*_INPUT, "contacts", "channel_costs", "attributes")),
        "INSERT, SELECT, UPDATE (loaded, quarantined) ON imports",
        "INSERT, DELETE, SELECT (source_id) ON quarantine",
        "SELECT (lead_id) ON tombstones",
        *_LEDGER,
    ),
    "train": (
        *(f"SELECT ON {name}" for name in (*_INPUT, "channel_costs", "attributes")),
        "SELECT (lead_id) ON tombstones",
        "SELECT ON releases, promotions, published, publications, scores, current_scores",
        "INSERT, UPDATE ON releases",
        # A version's number that is given out anew takes with it what the former one foretold.
        "INSERT, SELECT ON out_of_time",
        "SELECT ON reviews",
        *_LEDGER,
    ),
    "score": (
        *(f"SELECT ON {name}" for name in (*_INPUT, "attributes")),
        "SELECT (lead_id) ON tombstones",
        "SELECT, UPDATE (checked_at) ON releases",
        "SELECT ON promotions",
        "INSERT, SELECT, DELETE ON scores_staging",
        "INSERT, SELECT ON scores",
        "INSERT, SELECT, UPDATE (run_id, fence, published_at) ON published",
        "INSERT, SELECT ON publications",
        f"INSERT ({_BEGIN}) ON runs",
        "SELECT ON runs",
        f"UPDATE ({_ENDING}, leads_in, scored, excluded, quarantined, flags) ON runs",
        # Not what the rows held.
        "SELECT (source_id, line, reason) ON quarantine",
        "SELECT ON current_scores",
    ),
    "report": (
        *(f"SELECT ON {name}" for name in (*_INPUT, "channel_costs", "attributes")),
        "SELECT (lead_id) ON tombstones",
        "SELECT ON runs, published, scores, current_scores",
        "SELECT ON releases, promotions",
        # What versions foretold of past leads: by it two of them are compared.
        "SELECT ON out_of_time",
    ),
    "privacy": (
        *(
            f"SELECT, DELETE ON {name}"
            for name in (*_INPUT, "contacts", "scores", "scores_staging", "out_of_time", "quarantine")
        ),
        "INSERT, UPDATE ON objections",
        "INSERT, SELECT, DELETE ON tombstones",
        "SELECT ON published, publications, imports, attributes, current_scores",
        *_LEDGER,
    ),
    "review": (
        "SELECT ON releases, promotions",
        # What versions foretold of past leads, and what came of it: ids, probabilities and outcomes.
        "SELECT ON out_of_time",
        "INSERT, SELECT ON reviews",
        *_LEDGER,
    ),
    "read": ("SELECT ON current_scores",),
}
_READS_LEADS: Final = ("train", "score", "report")
_OFFERS: Final = ("ingest", "train")


def grants(roles: Mapping[str, str], tables: Mapping[str, MappedTable] | None = None) -> str:
    """The SQL that gives each role its rights, and takes from it and from PUBLIC every other one on our schema.

    Parameters
    ----------
    roles : ingest, train, score, report, privacy, review or read -> the name of the database's role for it
    tables : input tables that are read out of a company's own

    Raises
    ------
    ConfigError
        A name that is none, or one role for two purposes: it could do what neither may.

    Examples
    --------
    >>> print(grants({"read": "bi"}).splitlines()[-2])
    GRANT SELECT ON leadscore."current_scores" TO "bi";
    >>> grants({"read": "bi; DROP SCHEMA leadscore"})
    Traceback (most recent call last):
    features.errors.ConfigError: The role to read must be a letter or _ and then at most 62 letters, digits or _; \
found 'bi; DROP SCHEMA leadscore'. Make a role with such a name.
    """
    _check(roles)
    mapped = tables or {}
    check_names(mapped)
    lines = [
        f"-- The rights of leadscore's roles. Run it as the owner of the schema {SCHEMA}, once there is a store, and",
        "-- again after every update of leadscore; running it twice changes nothing. The owner promotes and rolls "
        "back.",
        "-- Roles are made by you, each with a password of its own, for example:",
        *(f"--   CREATE ROLE {quoted(role)} LOGIN PASSWORD '…';" for role in roles.values()),
        "-- Whether everybody may connect, or make tables elsewhere, is the database's to say; strictly, as its owner:",
        "--   REVOKE ALL ON DATABASE … FROM PUBLIC;  REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
        "BEGIN;",
        *_nothing_for("PUBLIC"),
        *(line for role in roles.values() for line in _nothing_for(quoted(role))),
    ]
    for purpose, role in roles.items():
        lines += ["", f"-- {role}: {ROLES[purpose]}.", *_own(purpose, role)]
    lines.append("COMMIT;")
    readers = [roles[purpose] for purpose in _READS_LEADS if purpose in roles]
    if mapped and readers:
        lines += ["", "-- Tables of your own, for whoever owns them to grant: only the columns that are read."]
        lines += [line for role in readers for name in sorted(mapped) for line in _theirs(mapped[name], role)]
    return "\n".join(lines) + "\n"


def _check(roles: Mapping[str, str]) -> None:
    for purpose, role in roles.items():
        if purpose not in ROLES:
            raise ConfigError(f"There is no role {purpose!r}; the roles are: {', '.join(ROLES)}.")
        if not NAME.fullmatch(role):
            raise ConfigError(
                f"The role to {purpose} must be a letter or _ and then at most 62 letters, digits or _; found "
                f"{role[:90]!r}. Make a role with such a name."
            )
        if role.lower() in ("public", "none", "current_user", "session_user", "current_role"):
            raise ConfigError(f"The role to {purpose} must be a role of its own; found {role}.")
    names = list(roles.values())
    for role in names:
        if names.count(role) > 1:
            raise ConfigError(f"{role} is named for two purposes: it could do what neither may. Name a role for each.")


def _nothing_for(role: str) -> list[str]:
    return [
        f"REVOKE ALL ON SCHEMA {SCHEMA} FROM {role};",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM {role};",
        f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM {role};",
    ]


def _own(purpose: str, role: str) -> list[str]:
    to = quoted(role)
    lines = [
        _on_database("CONNECT", role),
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {to};",
        f"GRANT EXECUTE ON FUNCTION {SCHEMA}.epoch_us(TIMESTAMPTZ) TO {to};",
        f'GRANT SELECT (number) ON {SCHEMA}."schema_migrations" TO {to};',
    ]
    if purpose in _OFFERS:
        # A batch of rows comes in through a temporary table.
        lines.append(_on_database("TEMPORARY", role))
    for right in _RIGHTS[purpose]:
        what, _, names = right.partition(" ON ")
        on = ", ".join(f"{SCHEMA}.{quoted(name)}" for name in names.split(", "))
        lines.append(f"GRANT {what} ON {on} TO {to};")
    return lines


def _on_database(right: str, role: str) -> str:
    """GRANT knows no word for "this database"; it is the database's owner's to give, where not everybody has it."""
    return (
        f"DO $$ BEGIN IF NOT has_database_privilege('{role}', current_database(), '{right}') THEN "
        f"EXECUTE format('GRANT {right} ON DATABASE %I TO %I', current_database(), '{role}'); END IF; END $$;"
    )


def _theirs(mapped: MappedTable, role: str) -> list[str]:
    schema = mapped.table.split(".")[0]
    columns = ", ".join(quoted(name) for name in sorted({*mapped.columns.values(), *mapped.attributes}))
    return [
        f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(role)};",
        f"GRANT SELECT ({columns}) ON {quoted(mapped.table)} TO {quoted(role)};",
    ]
