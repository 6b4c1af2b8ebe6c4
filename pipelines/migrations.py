"""The ordered changes that made the store's tables, each applied in one transaction with its own record.

A change is never edited once it has been released: a new one is added at the end. The statements keep to the SQL
that DuckDB and PostgreSQL share; what only one needs (PostgreSQL's indexes) is said apart. All tables live in the
schema `leadscore`. Times are TIMESTAMPTZ (UTC, microseconds), JSON is kept as text, identifiers are case-sensitive
text.
"""

from dataclasses import dataclass
from typing import Final

from features.errors import StoreUnreachable
from pipelines.engine import SCHEMA, Engine
from pipelines.failpoints import reached

LEDGER_TABLE: Final = "schema_migrations"


@dataclass(frozen=True)
class Migration:
    """One numbered change; its number is its place in `MIGRATIONS`, counted from 1."""

    name: str
    statements: tuple[str, ...]
    before_on_postgres: tuple[str, ...] = ()
    after_on_postgres: tuple[str, ...] = ()


LEDGER: Final = f"""
CREATE TABLE IF NOT EXISTS {LEDGER_TABLE} (
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
        # DuckDB has it built in.
        before_on_postgres=(
            """CREATE FUNCTION leadscore.epoch_us(TIMESTAMPTZ) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
                'SELECT round(extract(epoch FROM $1) * 1000000)::bigint'""",
        ),
        # A range of leads is read by lead_id; DuckDB finds it by its own block statistics.
        after_on_postgres=("CREATE INDEX events_of_a_lead ON events (lead_id, occurred_at)",),
    ),
    Migration(
        "what leadscore writes: runs, scores and what is published",
        (
            # One row per job that writes. `fence` is what `published` said of its as_of when the run began.
            """CREATE TABLE runs (
                run_id TEXT PRIMARY KEY, job TEXT NOT NULL, mode TEXT, as_of TIMESTAMPTZ, model_version TEXT,
                release_digest TEXT, config_digest TEXT, status TEXT NOT NULL, started_at TIMESTAMPTZ NOT NULL,
                ended_at TIMESTAMPTZ, host TEXT, pid BIGINT, fence BIGINT, leads_in BIGINT, scored BIGINT,
                excluded TEXT, quarantined TEXT, flags TEXT, message TEXT)""",
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
            # One row per as_of: which run counts; none where it was withdrawn. `fence` grows with every change.
            """CREATE TABLE published (
                as_of TIMESTAMPTZ PRIMARY KEY, run_id TEXT, fence BIGINT NOT NULL,
                published_at TIMESTAMPTZ NOT NULL)""",
            # Every state that `published` was ever in.
            """CREATE TABLE publications (
                as_of TIMESTAMPTZ NOT NULL, fence BIGINT NOT NULL, run_id TEXT, published_at TIMESTAMPTZ NOT NULL,
                reason TEXT NOT NULL, PRIMARY KEY (as_of, fence))""",
            # The digest under which a version was registered: the scorer trusts this one and no other.
            # `checked_at`: when its files were last fetched from the registry and found to be these.
            """CREATE TABLE releases (
                model_version TEXT PRIMARY KEY, digest TEXT NOT NULL, status TEXT NOT NULL,
                registered_at TIMESTAMPTZ NOT NULL, promoted_at TIMESTAMPTZ, checked_at TIMESTAMPTZ,
                facts TEXT NOT NULL)""",
            # Every change of champion, in order; the last one counts.
            """CREATE TABLE promotions (
                number BIGINT PRIMARY KEY, model_version TEXT NOT NULL, digest TEXT NOT NULL,
                promoted_at TIMESTAMPTZ NOT NULL, action TEXT NOT NULL, reason TEXT NOT NULL)""",
            # What everybody reads: the scores of the newest as_of that is published, less the leads that have objected
            # or were erased since.
            """CREATE VIEW current_scores AS
                SELECT s.* FROM leadscore.scores s
                WHERE s.run_id = (
                    SELECT run_id FROM leadscore.published WHERE run_id IS NOT NULL ORDER BY as_of DESC LIMIT 1)
                AND s.lead_id NOT IN (SELECT lead_id FROM leadscore.objections)
                AND s.lead_id NOT IN (SELECT lead_id FROM leadscore.tombstones)""",
        ),
    ),
    Migration(
        "what a version is judged by: its predictions on later leads, and its reviews",
        (
            # What the training procedure of a release foretold of leads it had not seen yet: one row per snapshot. By
            # digest: a version's number can be given out anew.
            """CREATE TABLE out_of_time (
                release_digest TEXT NOT NULL, lead_id TEXT NOT NULL, as_of TIMESTAMPTZ NOT NULL,
                probability DOUBLE PRECISION NOT NULL CHECK (probability >= 0 AND probability <= 1),
                converted BOOLEAN NOT NULL, PRIMARY KEY (release_digest, lead_id, as_of))""",
            # Every decision on a version's card, in order; the last one counts, for the card with that digest only.
            """CREATE TABLE reviews (
                number BIGINT PRIMARY KEY, model_version TEXT NOT NULL, card_digest TEXT NOT NULL,
                decision TEXT NOT NULL CHECK (decision IN ('approved', 'refused')), reviewer TEXT NOT NULL,
                note TEXT NOT NULL, reviewed_at TIMESTAMPTZ NOT NULL)""",
        ),
    ),
)


def migrate(engine: Engine) -> list[str]:
    """Bring the store up to this program's tables; return the names of the changes applied now.

    A program that is killed in between leaves whole changes behind it, and the next one goes on from there.

    Raises
    ------
    StoreUnreachable
        When a newer program made the store: it may hold what this one would not understand.
    """
    done: list[str] = []
    # Asked for before anything is written, so that a role without the right to make tables can open a store.
    while not engine.has_table(LEDGER_TABLE) or _applied(engine) != len(MIGRATIONS):
        with engine.transaction():
            engine.serialised()
            engine.use_schema()
            engine.change(engine.spelled(LEDGER))
            applied = _applied(engine)
            if applied > len(MIGRATIONS):
                raise StoreUnreachable(
                    f"The store {engine.where} was made by a newer leadscore: it has {applied} migrations, this "
                    f"program knows {len(MIGRATIONS)}. Nothing was changed. Update leadscore, or open another store."
                )
            if applied == len(MIGRATIONS):
                break  # another program was here first
            _apply(engine, applied + 1, MIGRATIONS[applied])
        reached("migrate: after a commit")
        done.append(MIGRATIONS[applied].name)
    return done


def check_current(engine: Engine) -> None:
    """Refuse to read a store whose tables are older or newer than this program's.

    Raises
    ------
    StoreUnreachable
    """
    if not engine.has_table(LEDGER_TABLE):
        raise no_store(engine)
    applied = _applied(engine)
    if applied != len(MIGRATIONS):
        age = "a newer" if applied > len(MIGRATIONS) else "an older"
        raise StoreUnreachable(
            f"The store {engine.where} was made by {age} leadscore: it has {applied} migrations, this program knows "
            f"{len(MIGRATIONS)}. " + ("Update leadscore." if age == "a newer" else "Run any command that writes.")
        )


def no_store(engine: Engine) -> StoreUnreachable:
    """What to say of a database without our tables."""
    return StoreUnreachable(
        f"{engine.where} holds no lead store: there is no table {SCHEMA}.{LEDGER_TABLE} in it that this program may "
        "see. Run 'leadscore import FILE --mapping NAME' to make one, or name another with --store or LEADSCORE_STORE."
    )


def _apply(engine: Engine, number: int, migration: Migration) -> None:
    on_postgres = engine.name == "postgres"
    statements = [
        *(migration.before_on_postgres if on_postgres else ()),
        *migration.statements,
        *(migration.after_on_postgres if on_postgres else ()),
    ]
    for statement in statements:
        engine.change(engine.spelled(statement))
        reached("migrate: after a statement")
    engine.change(f"INSERT INTO {LEDGER_TABLE} (number, name) VALUES ($1, $2)", [number, migration.name])


def _applied(engine: Engine) -> int:
    return int(engine.rows(f"SELECT coalesce(max(number), 0) FROM {LEDGER_TABLE}")[0][0])
