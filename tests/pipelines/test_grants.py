"""The rights of each role: its own job runs to the end under it, and everything else is refused."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import errors

from features.errors import AuditRefused, ConfigError, InputError, StoreFailed
from pipelines import __main__, champion, judging, ledger, out_of_time, reviewing
from pipelines.checking_rules import check_rules
from pipelines.economics import report as economics
from pipelines.erase import erase
from pipelines.explaining import explanation
from pipelines.funnel import Asked
from pipelines.funnel import report as funnel
from pipelines.grants import ROLES, grants
from pipelines.importing import import_file
from pipelines.mapping import load_mapping
from pipelines.next_steps import next_steps_of
from pipelines.promote import promote
from pipelines.score import cache_of
from pipelines.score import run as score
from pipelines.store import LeadStore
from pipelines.train import train
from tests.pipelines.company import MAPPED, content, fill_company
from tests.pipelines.conftest import NOW, World, second_version
from tests.postgres import Server

NUMBERS = count(1)
PASSWORD = "only-for-tests"


class Roles:
    """A database with a trained store, and a role for each purpose."""

    def __init__(self, server: Server, database: str, world: World) -> None:
        self.server, self.database = server, database
        self.owner = server.url(database)
        self.world = replace(world, url=self.url("score", of=(number := next(NUMBERS))))
        self.names = {purpose: f"ls_{purpose}_{number}" for purpose in ROLES}
        self.run(*(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'" for name in self.names.values()))
        # What a company may have granted carelessly before is taken back.
        self.run(
            "GRANT ALL ON ALL TABLES IN SCHEMA leadscore TO PUBLIC",
            f"GRANT ALL ON leadscore.leads TO {self.names['read']}",
        )
        self.run(grants(self.names))

    def run(self, *statements: str) -> None:
        """As the owner."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def url(self, purpose: str, *, of: int | None = None) -> str:
        name = f"ls_{purpose}_{of}" if of is not None else self.names[purpose]
        split = urlsplit(self.owner)
        return f"postgresql://{name}:{quote(PASSWORD)}@{split.hostname}:{split.port}/{self.database}"

    def open(self, purpose: str, **options: object) -> LeadStore:
        return LeadStore.open(self.url(purpose), **options)  # type: ignore[arg-type]

    def refuses(self, purpose: str, statement: str) -> None:
        with psycopg.connect(self.url(purpose)) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement.encode())

    def rights(self) -> set[tuple[str, ...]]:
        """Every right on a table of ours or its columns that is not the owner's."""
        query = (
            "SELECT grantee, table_name, '', privilege_type FROM information_schema.table_privileges WHERE "
            "table_schema = 'leadscore' AND grantee <> current_user UNION ALL SELECT grantee, table_name, column_name, "
            "privilege_type FROM information_schema.column_privileges WHERE table_schema = 'leadscore' AND grantee <> "
            "current_user"
        )
        purposes = {name: purpose for purpose, name in self.names.items()}
        with psycopg.connect(self.owner) as connection:
            return {(purposes.get(who, who), *what) for who, *what in connection.execute(query).fetchall()}

    def drop(self) -> None:
        self.server.drop_database(self.database)
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            for name in self.names.values():
                connection.execute(f"DROP ROLE {name}".encode())


@pytest.fixture
def roles(world: World, postgres_server: Server, trained_on_postgres: str) -> Iterator[Roles]:
    name = f"granted_{next(NUMBERS)}"
    postgres_server.create_database(name, trained_on_postgres)
    made = Roles(postgres_server, name, world)
    yield made
    made.drop()


@pytest.fixture(scope="module")
def settled(trained: World, postgres_server: Server, trained_on_postgres: str) -> Iterator[Roles]:
    """For asking what is refused: nothing changes."""
    postgres_server.create_database("settled", trained_on_postgres)
    made = Roles(postgres_server, "settled", trained)
    made.run("CREATE SCHEMA other", "CREATE TABLE other.secret (x int)")
    yield made
    made.drop()


def test_the_night_runs_under_its_role(roles: Roles) -> None:
    # One that died the night before is swept; the staged rows of it too.
    roles.run(
        "INSERT INTO leadscore.runs (run_id, job, status, started_at) VALUES ('dead', 'score', 'running', now())",
        "INSERT INTO leadscore.scores_staging (run_id, lead_id, as_of) VALUES ('dead', 'x', now())",
    )
    report = roles.world.score(days_later=1)
    assert report.status == "published"
    assert report.scored > 1000
    assert roles.world.score(days_later=1).status == "unchanged"
    # Published before in the same place: the pointer moves on.
    assert (
        roles.world.score(days_later=1, settings=roles.world.settings(score__reasons=3), supersede="why").status
        == "published"
    )
    with pytest.raises(AuditRefused):
        roles.world.score(
            days_later=2,
            settings=roles.world.settings(score__least_volume_share=1.0, score__most_mean_factor=1.0000001),
        )
    with roles.open("score") as opened:
        assert opened.rows("SELECT count(*) FROM scores_staging") == [(0,)]
        statuses = dict(opened.rows("SELECT run_id, status FROM runs"))
        assert statuses["dead"] == "failed"
        assert opened.rows("SELECT count(line) FROM quarantine") == [(0,)]
        lead = opened.rows("SELECT lead_id FROM current_scores LIMIT 1")[0][0]
        assert opened.rows("SELECT reasons FROM current_scores WHERE lead_id = $1", [lead])


CANNOT = {
    "score": [
        "SELECT * FROM leadscore.contacts", "SELECT email FROM leadscore.contacts",
        "DELETE FROM leadscore.scores", "UPDATE leadscore.scores SET probability = 1", "TRUNCATE leadscore.scores",
        "UPDATE leadscore.leads SET created_at = now()", "DELETE FROM leadscore.leads",
        "INSERT INTO leadscore.leads VALUES ('x', now(), now())", "DELETE FROM leadscore.published",
        "UPDATE leadscore.publications SET reason = ''", "UPDATE leadscore.releases SET digest = ''",
        "UPDATE leadscore.releases SET status = 'champion'", "INSERT INTO leadscore.promotions DEFAULT VALUES",
        "UPDATE leadscore.runs SET run_id = ''", "DELETE FROM leadscore.runs", "DROP TABLE leadscore.scores",
        "DROP SCHEMA leadscore CASCADE", "ALTER TABLE leadscore.scores ADD COLUMN x int",
        "CREATE TABLE leadscore.x (x int)", "CREATE SCHEMA x", "CREATE ROLE x", "CREATE EXTENSION file_fdw",
        "SELECT content FROM leadscore.quarantine", "SELECT * FROM leadscore.quarantine",
        "SELECT * FROM leadscore.imports", "COPY leadscore.leads TO PROGRAM 'true'", "COPY leadscore.leads TO '/tmp/x'",
        "SELECT pg_read_file('/etc/passwd')", "SELECT * FROM other.secret", "SELECT * FROM pg_authid",
        "CREATE OR REPLACE VIEW leadscore.current_scores AS SELECT 1", "SELECT erased_at FROM leadscore.tombstones",
    ],
    "ingest": [
        "SELECT * FROM leadscore.scores", "SELECT * FROM leadscore.current_scores",
        "UPDATE leadscore.leads SET known_at = now()", "DELETE FROM leadscore.events",
        "SELECT content FROM leadscore.quarantine", "UPDATE leadscore.imports SET digest = ''",
        "INSERT INTO leadscore.published VALUES (now(), '', 1, now())", "DELETE FROM leadscore.tombstones",
        "SELECT * FROM leadscore.releases", "CREATE TABLE leadscore.x (x int)", "SELECT * FROM other.secret",
    ],
    "train": [
        "SELECT * FROM leadscore.contacts", "SELECT * FROM leadscore.quarantine",
        "INSERT INTO leadscore.promotions DEFAULT VALUES",
        "INSERT INTO leadscore.leads VALUES ('x', now(), now())", "DELETE FROM leadscore.releases",
        "INSERT INTO leadscore.scores DEFAULT VALUES", "UPDATE leadscore.published SET run_id = ''",
    ],
    "report": [
        "SELECT * FROM leadscore.contacts", "SELECT * FROM leadscore.quarantine", "SELECT * FROM leadscore.imports",
        "INSERT INTO leadscore.runs DEFAULT VALUES", "DELETE FROM leadscore.scores", "CREATE TABLE leadscore.x (x int)",
        "UPDATE leadscore.channel_costs SET cost = 0", "UPDATE leadscore.published SET run_id = ''",
        "SELECT erased_at FROM leadscore.tombstones", "SELECT * FROM other.secret",
    ],
    "privacy": [
        "INSERT INTO leadscore.scores DEFAULT VALUES", "UPDATE leadscore.scores SET probability = 1",
        "INSERT INTO leadscore.leads VALUES ('x', now(), now())", "UPDATE leadscore.published SET run_id = ''",
        "INSERT INTO leadscore.promotions DEFAULT VALUES", "SELECT * FROM other.secret",
    ],
    "review": [
        "SELECT * FROM leadscore.leads", "SELECT * FROM leadscore.contacts", "SELECT * FROM leadscore.profiles",
        "SELECT * FROM leadscore.scores", "SELECT * FROM leadscore.current_scores",
        "INSERT INTO leadscore.promotions DEFAULT VALUES", "UPDATE leadscore.releases SET status = 'champion'",
        "UPDATE leadscore.reviews SET decision = 'approved'", "DELETE FROM leadscore.reviews",
        "DELETE FROM leadscore.out_of_time", "UPDATE leadscore.out_of_time SET converted = true",
        "UPDATE leadscore.published SET run_id = ''", "SELECT * FROM other.secret", "CREATE TABLE leadscore.x (x int)",
    ],
    "read": [
        "SELECT * FROM leadscore.scores", "SELECT * FROM leadscore.published", "SELECT * FROM leadscore.leads",
        "SELECT * FROM leadscore.contacts", "SELECT * FROM leadscore.objections",
        "DELETE FROM leadscore.current_scores",
        "SELECT * FROM leadscore.runs", "CREATE TABLE leadscore.x (x int)",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("purpose", "statement"), [(p, s) for p, statements in CANNOT.items() for s in statements])
def test_what_is_not_its_job_is_refused(settled: Roles, purpose: str, statement: str) -> None:
    settled.refuses(purpose, statement)


def test_what_is_granted_is_granted_to_nobody_else_and_only_once(settled: Roles) -> None:
    before = settled.rights()
    settled.run(grants(settled.names))
    assert settled.rights() == before
    assert {who for who, *_ in before} == set(ROLES)
    assert {what for _, *_, what in before} == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    whole = {right for right in before if right[2] == ""}
    assert {right for right in whole if right[0] == "read"} == {("read", "current_scores", "", "SELECT")}
    assert {what for who, *_, what in before if who == "report"} == {"SELECT"}
    assert {who for who, table, *_ in before if table == "contacts"} == {"ingest", "privacy"}
    assert {who for who, table, column, _ in before if table == "quarantine" and column in ("", "content")} == {
        "ingest", "privacy",
    }  # fmt: skip
    assert ("ingest", "quarantine", "content", "SELECT") not in before
    assert {(who, what) for who, table, _, what in before if table == "promotions"} <= {
        ("train", "SELECT"), ("score", "SELECT"), ("report", "SELECT"), ("review", "SELECT"),
    }  # fmt: skip
    assert {(who, what) for who, table, _, what in before if table == "reviews"} == {
        ("review", "SELECT"), ("review", "INSERT"), ("train", "SELECT"),
    }  # fmt: skip
    assert {(who, what) for who, table, _, what in before if table == "scores" and what != "SELECT"} == {
        ("score", "INSERT"), ("privacy", "DELETE"),
    }  # fmt: skip


@pytest.mark.parametrize("purpose", ROLES)
def test_a_store_opens_for_every_role(settled: Roles, purpose: str) -> None:
    for read_only in (True, False):
        with settled.open(purpose, read_only=read_only) as opened:
            assert opened.rows("SELECT epoch_us(TIMESTAMPTZ '1970-01-01 00:00:01+00')") == [(1_000_000,)]


def test_who_reads_sees_what_is_published(settled: Roles) -> None:
    with settled.open("read", read_only=True) as opened:
        ((leads,),) = opened.rows("SELECT count(*) FROM current_scores")
        assert leads > 1000
        lead = opened.rows("SELECT lead_id FROM current_scores LIMIT 1")[0][0]
        assert opened.rows("SELECT reasons FROM current_scores WHERE lead_id = $1", [lead])
        with pytest.raises(StoreFailed, match=r"permission denied for table scores .*leadscore store grants"):
            opened.rows("SELECT * FROM scores")


def test_reports_are_made_under_their_role(settled: Roles) -> None:
    world = settled.world
    money = {"customer_value": 1000.0, "sales_touch_cost": 20.0, "nurture_touch_cost": 2.0}
    settings = world.settings(**{f"economics__{key}": value for key, value in money.items()})
    with settled.open("report", read_only=True) as opened:
        found = economics(opened, settings)
        assert len(next_steps_of(opened, settings).leads) == found["leads"] + found["left_aside"]
        assert funnel(opened, settings, Asked(), as_of=world.as_of).total.leads > 1000
        lead = opened.rows("SELECT lead_id FROM current_scores LIMIT 1")[0][0]
        assert explanation(opened, settings, world.tracking, lead)["notes"] == []
        # What 'compare' reads: what versions foretold, and the points; with 'rules', the leads themselves.
        one = champion.registered(opened, str(world.report.version))
        assert len(out_of_time.recall(opened, one.digest)) > 0
        assert opened.rows("SELECT count(*) FROM rule_points")
        assert check_rules(opened, settings, None, as_of=None)["leads"] > 1000


FILE = "lead_id,created_at,email,job_title,branch\nnew-1,2025-01-01T10:00Z,a@b.example,CTO,x\nnew-2,nonsense,,,y\n"


def test_an_import_runs_under_its_role(roles: Roles, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(FILE)
    mapping = load_mapping("generic")
    with roles.open("ingest") as opened:
        for new in (1, 0):
            with ledger.recorded(opened, "import", clock=lambda: NOW) as run:
                report = import_file(opened, file, mapping, now=NOW)
                run.message = "done"
            assert (report.loaded, report.quarantined, report.new["leads"]) == (1, 1, new)
        with pytest.raises(InputError, match="1"), ledger.recorded(opened, "import", clock=lambda: NOW):
            import_file(opened, file, mapping, now=NOW, max_rejects=0)


def test_training_runs_under_its_role(roles: Roles) -> None:
    settings = roles.world.settings(model__seed=8)
    with roles.open("train") as opened, ledger.recorded(opened, "train", clock=lambda: NOW) as run:
        report = train(opened, settings, roles.world.tracking(), as_of=None, now=NOW)
        assert report.version not in (None, roles.world.report.version)
        run.model_version = report.version
    with roles.open("train") as opened:
        assert opened.rows("SELECT status FROM releases WHERE model_version = $1", [report.version]) == [("candidate",)]


def test_a_card_is_reviewed_under_its_role_and_promoted_under_another(roles: Roles) -> None:
    world, version = roles.world, second_version(replace(roles.world, url=roles.owner))
    settings, tracking = world.settings(), world.tracking()
    cache = cache_of(settings)
    with roles.open("review") as opened:
        with ledger.recorded(opened, "review", clock=lambda: NOW) as run:
            done = reviewing.approve(opened, tracking, cache, version=version, by="Ada", note="read", now=NOW)
            run.message = done.review.decision
        assert [r["stands"] for r in reviewing.still_standing(opened, tracking, cache)] == [True, True]
        judged = judging.judge(opened, tracking, cache, settings, version, keep=False)
        assert {check.name for check in judged.checks} >= {"champion", "card approved", "files as registered"}
        with pytest.raises(StoreFailed, match="permission denied for table"):
            promote(opened, tracking, cache, settings, version=version, now=NOW, force_reason="I may not")
    with LeadStore.open(roles.owner) as opened:
        assert promote(opened, tracking, cache, settings, version=version, now=NOW, force_reason="small").before == "1"


def test_a_lead_is_forgotten_under_its_role(roles: Roles) -> None:
    with roles.open("privacy") as opened:
        lead = opened.rows("SELECT lead_id FROM current_scores LIMIT 1")[0][0]
        with ledger.recorded(opened, "erase", clock=lambda: NOW):
            receipt = erase(opened, lead, now=NOW)
        assert {"leads", "scores", "profiles"} <= set(receipt.erased)
        assert opened.rows("SELECT 1 FROM current_scores WHERE lead_id = $1", [lead]) == []


def test_a_company_s_own_tables_are_read_with_select_alone(roles: Roles) -> None:
    with LeadStore.open(roles.owner) as filling:
        for name in MAPPED:
            filling.change(f"DELETE FROM {name}")
        fill_company(filling, roles.world.simulated.tables(), id_type="TEXT")
        before = content(filling)
    world = roles.world
    with (
        pytest.raises(StoreFailed, match="permission denied for schema crm"),
        roles.open("score", tables=MAPPED) as opened,
    ):
        opened.inventory()
    roles.run(grants(roles.names, MAPPED), grants(roles.names, MAPPED))
    with roles.open("score", tables=MAPPED) as opened:
        report = score(opened, world.settings(), world.tracking(), as_of=world.as_of.replace(hour=1), clock=lambda: NOW)
        assert (report.status, report.leads_in) == ("published", world.scored.leads_in)
    for statement in (
        'SELECT email FROM crm."People"', 'SELECT * FROM crm."People"', "INSERT INTO crm.optouts VALUES ('x', now())",
        "UPDATE crm.deals SET state = ''", "DELETE FROM crm.deals", "DROP VIEW crm.acts",
        "SELECT * FROM crm.activities",
    ):  # fmt: skip
        roles.refuses("score", statement)
    roles.refuses("ingest", "SELECT state FROM crm.deals")
    with LeadStore.open(roles.owner) as opened:
        assert content(opened) == before


def test_the_owner_of_the_schema_needs_no_more_rights(postgres_server: Server, postgres_url: str) -> None:
    database = postgres_url.rpartition("/")[2]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE builder LOGIN PASSWORD '{PASSWORD}'".encode())
        connection.execute("CREATE ROLE visitor")
        connection.execute(f"GRANT CREATE ON DATABASE {database} TO builder".encode())
    url = f"postgresql://builder:{PASSWORD}@127.0.0.1:{postgres_server.port}/{database}"
    LeadStore.open(url, create=True).close()
    with psycopg.connect(url) as connection:
        connection.execute(grants({"ingest": "visitor"}).encode())
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY builder, visitor")
        connection.execute("DROP ROLE builder, visitor")


@pytest.mark.parametrize(
    "name",
    ["", 'a"b', "a b", "a;b", "a--b", "x; DROP TABLE leads", "ünï", "a" * 64, "1a", "a'b", "a.b", "$1", "a\nb", "a\n"],
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="The role to score must be a letter or _"):
        grants({"score": name})


def test_who_could_do_too_much_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be a role of its own; found Public"):
        grants({"read": "Public"})
    with pytest.raises(ConfigError, match="bob is named for two purposes"):
        grants({"read": "bob", "score": "bob"})
    with pytest.raises(ConfigError, match="no role 'write'; the roles are: ingest, train"):
        grants({"write": "bob"})


def leadscore(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["leadscore", "store", "grants", *arguments])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    return int(ended.value.code or 0)


def test_the_command_prints_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert leadscore(monkeypatch) == 0
    assert capsys.readouterr().out == grants({purpose: f"ls_{purpose}" for purpose in ROLES})
    assert leadscore(monkeypatch, "--role-prefix", "x_") == 0
    assert capsys.readouterr().out == grants({purpose: f"x_{purpose}" for purpose in ROLES})
    text = '[store.tables.objections]\ntable = "crm.optouts"\n[store.tables.objections.columns]\nlead_id = "user"\n'
    (tmp_path / "leadscore.toml").write_text(text)
    assert leadscore(monkeypatch, "--score", "night", "--read", "Bi") == 0
    out = capsys.readouterr().out
    assert 'GRANT SELECT ("user") ON "crm"."optouts" TO "night";' in out
    assert '"Bi"' in out
    assert "privacy" not in out
    assert leadscore(monkeypatch, "--score", "night", "--role-prefix", "x_") == 2
