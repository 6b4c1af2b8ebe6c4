"""The ordered changes that made the store's tables, each applied in one transaction with its own record.

A change is never edited once it has been released: a new one is added at the end. The statements keep to the SQL
that DuckDB and PostgreSQL share. Times are TIMESTAMPTZ (UTC, microseconds), JSON is kept as text, identifiers are
case-sensitive text.
"""

from dataclasses import dataclass
from typing import Any, Final

from features.errors import StoreUnreachable


@dataclass(frozen=True)
class Migration:
    """One numbered change; its number is its place in `MIGRATIONS`, counted from 1."""

    name: str
    statements: tuple[str, ...]


LEDGER: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT current_timestamp
)"""

MIGRATIONS: Final = (
    Migration(
        "what imports fill: leads and their history",
        (
            """CREATE TABLE leads (
                lead_id TEXT PRIMARY KEY, created_at TIMESTAMPTZ NOT NULL, known_at TIMESTAMPTZ NOT NULL)""",
            # Personal data: never read by features, training or reports.
            """CREATE TABLE contacts (
                lead_id TEXT PRIMARY KEY, email TEXT, full_name TEXT, company_name TEXT, phone TEXT)""",
            """CREATE TABLE profiles (
                lead_id TEXT NOT NULL, known_at TIMESTAMPTZ NOT NULL, source_channel TEXT,
                direction TEXT CHECK (direction IN ('inbound', 'outbound')), job_title TEXT, industry TEXT,
                company_size TEXT, country TEXT, language TEXT, email_class TEXT, attributes TEXT,
                PRIMARY KEY (lead_id, known_at))""",
            """CREATE TABLE events (
                event_id TEXT PRIMARY KEY, lead_id TEXT NOT NULL, occurred_at TIMESTAMPTZ NOT NULL,
                known_at TIMESTAMPTZ NOT NULL, type TEXT NOT NULL, value DOUBLE PRECISION)""",
            """CREATE TABLE stage_changes (
                lead_id TEXT NOT NULL,
                stage TEXT NOT NULL CHECK (stage IN ('lead', 'mql', 'sal', 'sql', 'pql', 'opportunity', 'customer',
                    'recycled', 'disqualified')),
                entered_at TIMESTAMPTZ NOT NULL, known_at TIMESTAMPTZ NOT NULL, amount DOUBLE PRECISION, reason TEXT,
                PRIMARY KEY (lead_id, stage, entered_at))""",
            """CREATE TABLE rule_points (
                lead_id TEXT NOT NULL, known_at TIMESTAMPTZ NOT NULL, points DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (lead_id, known_at))""",
            """CREATE TABLE channel_costs (
                channel TEXT NOT NULL, month DATE NOT NULL, cost DOUBLE PRECISION NOT NULL CHECK (cost >= 0),
                PRIMARY KEY (channel, month))""",
            "CREATE TABLE objections (lead_id TEXT PRIMARY KEY, since TIMESTAMPTZ NOT NULL)",
            # What the declared attributes of `profiles` are: numeric, categorical, boolean or date.
            """CREATE TABLE attributes (
                name TEXT PRIMARY KEY,
                type TEXT NOT NULL CHECK (type IN ('numeric', 'categorical', 'boolean', 'date', 'ignored')),
                about TEXT)""",
            """CREATE TABLE imports (
                import_id TEXT PRIMARY KEY, file TEXT NOT NULL, digest TEXT NOT NULL, mapping TEXT NOT NULL,
                imported_at TIMESTAMPTZ NOT NULL, file_rows BIGINT NOT NULL, loaded BIGINT NOT NULL,
                quarantined BIGINT NOT NULL)""",
            # Rows that could not be loaded or scored: where they stood and why. `content` is the row as it was read.
            """CREATE TABLE quarantine (
                source_id TEXT NOT NULL, line BIGINT NOT NULL, reason TEXT NOT NULL, content TEXT,
                PRIMARY KEY (source_id, line))""",
            "CREATE TABLE tombstones (lead_id TEXT PRIMARY KEY, erased_at TIMESTAMPTZ NOT NULL)",
        ),
    ),
    Migration(
        "what leadscore writes: runs, scores and what is published",
        (
            """CREATE TABLE runs (
                run_id TEXT PRIMARY KEY, job TEXT NOT NULL, as_of TIMESTAMPTZ, model_version TEXT, release_digest TEXT,
                config_digest TEXT, status TEXT NOT NULL, started_at TIMESTAMPTZ NOT NULL, ended_at TIMESTAMPTZ,
                leads_in BIGINT, scored BIGINT, excluded TEXT, quarantined TEXT, message TEXT)""",
            """CREATE TABLE scores (
                run_id TEXT NOT NULL, lead_id TEXT NOT NULL, as_of TIMESTAMPTZ NOT NULL,
                probability DOUBLE PRECISION NOT NULL CHECK (probability >= 0 AND probability <= 1),
                probability_low DOUBLE PRECISION NOT NULL CHECK (probability_low >= 0 AND probability_low <= 1),
                probability_high DOUBLE PRECISION NOT NULL CHECK (probability_high >= 0 AND probability_high <= 1),
                percentile DOUBLE PRECISION NOT NULL, band TEXT NOT NULL, recommended_stage TEXT NOT NULL,
                stage_reason TEXT NOT NULL, needs_confirmation BOOLEAN NOT NULL, reasons TEXT NOT NULL,
                points DOUBLE PRECISION, points_stage TEXT, model_version TEXT NOT NULL,
                PRIMARY KEY (run_id, lead_id))""",
            """CREATE TABLE scores_staging (
                run_id TEXT NOT NULL, lead_id TEXT NOT NULL, as_of TIMESTAMPTZ NOT NULL,
                probability DOUBLE PRECISION, probability_low DOUBLE PRECISION, probability_high DOUBLE PRECISION,
                percentile DOUBLE PRECISION, band TEXT, recommended_stage TEXT, stage_reason TEXT,
                needs_confirmation BOOLEAN, reasons TEXT, points DOUBLE PRECISION, points_stage TEXT,
                model_version TEXT)""",
            # One row per as_of: which run counts. `fence` grows with every publication of that as_of.
            """CREATE TABLE published (
                as_of TIMESTAMPTZ PRIMARY KEY, run_id TEXT NOT NULL, fence BIGINT NOT NULL,
                published_at TIMESTAMPTZ NOT NULL)""",
            # The digest under which a version was registered: the scorer trusts this one and no other.
            """CREATE TABLE releases (
                model_version TEXT PRIMARY KEY, digest TEXT NOT NULL, status TEXT NOT NULL,
                registered_at TIMESTAMPTZ NOT NULL, promoted_at TIMESTAMPTZ, facts TEXT NOT NULL)""",
            # What everybody reads: the newest published score of each lead that still stands in that run.
            """CREATE VIEW current_scores AS
                SELECT s.* FROM scores s JOIN published p ON p.run_id = s.run_id AND p.as_of = s.as_of
                WHERE p.as_of = (SELECT max(as_of) FROM published)""",
        ),
    ),
)


def migrate(connection: Any, *, where: str) -> list[str]:
    """Bring the store up to this program's tables; return the names of the changes applied now.

    Raises
    ------
    StoreUnreachable
        When a newer program made the store: it may hold what this one would not understand.
    """
    connection.execute(LEDGER)
    applied = _applied(connection)
    if applied > len(MIGRATIONS):
        raise StoreUnreachable(
            f"The store {where} was made by a newer leadscore: it has {applied} migrations, this program knows "
            f"{len(MIGRATIONS)}. Nothing was changed. Update leadscore, or open another store."
        )
    pending = list(enumerate(MIGRATIONS, start=1))[applied:]
    for number, migration in pending:
        connection.execute("BEGIN TRANSACTION")
        try:
            for statement in migration.statements:
                connection.execute(statement)
            connection.execute("INSERT INTO schema_migrations (number, name) VALUES (?, ?)", [number, migration.name])
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    return [migration.name for _, migration in pending]


def check_current(connection: Any, *, where: str) -> None:
    """Refuse to read a store whose tables are older or newer than this program's.

    Raises
    ------
    StoreUnreachable
    """
    exists = connection.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_name = 'schema_migrations'"
    ).fetchall()
    applied = _applied(connection) if exists[0][0] else 0
    if applied != len(MIGRATIONS):
        age = "a newer" if applied > len(MIGRATIONS) else "an older"
        raise StoreUnreachable(
            f"The store {where} was made by {age} leadscore: it has {applied} migrations, this program knows "
            f"{len(MIGRATIONS)}. " + ("Update leadscore." if age == "a newer" else "Run any command that writes.")
        )


def _applied(connection: Any) -> int:
    # All of the result is fetched: DuckDB does nothing else for a connection that has some left to give.
    rows = connection.execute("SELECT coalesce(max(number), 0) FROM schema_migrations").fetchall()
    return int(rows[0][0])
