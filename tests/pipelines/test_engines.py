"""Two engines, one store: what goes in comes out to the bit; the same work gives the same release and scores."""

import math
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigError, LockHeld, StoreFailed, StoreLost, StoreUnreachable
from features.tables import MICROSECONDS_PER_DAY
from pipelines import config, demo, store
from pipelines.engine import Engine
from pipelines.score import cache_of
from pipelines.score import run as score
from pipelines.store import LeadStore
from pipelines.store_url import parsed
from pipelines.synthetic import simulate
from pipelines.tracking import Tracking
from pipelines.train import train
from tests.conftest import fresh_store
from tests.features.data import few_examples
from tests.pipelines.conftest import NOW, SMALL
from tests.postgres import Server
from tests.signed import approve_and_promote

TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [("t", pa.string()), ("i", pa.int64()), ("f", pa.float64()), ("b", pa.bool_()), ("m", TIME), ("d", pa.date32())]
)


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with fresh_store(request, tmp_path_factory) as url, LeadStore.open(url, create=True) as opened:
        opened.change("CREATE TABLE bits (t TEXT, i BIGINT, f DOUBLE PRECISION, b BOOLEAN, m TIMESTAMPTZ, d DATE)")
        yield opened.engine


texts = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6),
    st.sampled_from(
        ["", "NULL", "\\N", "\\.", '"', '""', "a\nb", "a\r\nb", ",", "'", "$1", "%s", "\\", " ", "t", "nan"]
    ),
)
rows = st.fixed_dictionaries(
    {
        "t": st.none() | texts,
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "f": st.none() | st.floats() | st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]),
        "b": st.none() | st.booleans(),
        "m": st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
        "d": st.none() | st.dates(),
    }
)


def bits(value: Any) -> Any:
    """A float by its bits; every NaN is one."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack(">d", value)
    return value


@few_examples
@given(drawn=st.lists(rows, min_size=1, max_size=6))
def test_rows_come_out_as_they_went_in(engine: Engine, drawn: list[dict[str, Any]]) -> None:
    engine.change("DELETE FROM bits")
    table = pa.Table.from_pylist([row | {"i": row["i"]} for row in drawn], schema=SCHEMA)
    engine.load("bits", table)
    with engine.offered("given_rows", table.append_column("n", pa.array(range(len(drawn)), pa.int64()))):
        offered = engine.arrow("SELECT * FROM given_rows ORDER BY n").drop_columns("n")
    found = engine.arrow("SELECT * FROM bits")
    assert found.schema.names == SCHEMA.names
    assert {str(field.type) for field in found.schema} == {str(field.type) for field in SCHEMA}

    def plain(of: pa.Table) -> list[tuple[Any, ...]]:
        return [tuple(bits(value) for value in row.values()) for row in of.to_pylist()]

    assert plain(offered) == plain(table)
    assert sorted(map(str, plain(found))) == sorted(map(str, plain(table)))


@few_examples
@given(value=texts, number=st.integers(-(2**62), 2**62))
def test_parameters_are_values_and_never_sql(engine: Engine, value: str, number: int) -> None:
    engine.change("DELETE FROM bits")
    assert engine.change("INSERT INTO bits (t, i) VALUES ($1, $2)", [value, number]) == 1
    assert engine.rows("SELECT i FROM bits WHERE t = $1 AND i = $2", [value, number]) == [(number,)]
    assert engine.arrow("SELECT t, i FROM bits WHERE t = $1 AND i = $2", [value, number]).to_pylist() == [
        {"t": value, "i": number}
    ]
    assert engine.change("DELETE FROM bits WHERE t = $1", [value + "x"]) == 0


@few_examples
@given(drawn=st.lists(texts, max_size=8))
def test_text_is_ordered_byte_by_byte(engine: Engine, drawn: list[str]) -> None:
    with engine.offered("words", pa.table({"t": pa.array(drawn, pa.string())})):
        found = [text for (text,) in engine.rows("SELECT t FROM words ORDER BY t")]
    assert found == sorted(drawn, key=str.encode)


def test_an_empty_result_has_its_columns(engine: Engine) -> None:
    found = engine.arrow("SELECT * FROM bits WHERE false")
    assert (found.num_rows, found.column_names) == (0, SCHEMA.names)


# The same work on both -----------------------------------------------------------------------------------------------


def test_the_same_leads_give_the_same_release_and_the_same_scores(tmp_path: Path, postgres_url: str) -> None:
    simulated = simulate(leads=1500, seed=3)
    digests, scores = [], []
    for n, url in enumerate((str(tmp_path / "leads.duckdb"), postgres_url)):
        folder = tmp_path / str(n)
        flags = SMALL | {
            "store.url": url,
            "tracking.uri": f"sqlite:///{folder / 'mlflow.db'}",
            "release.cache": str(folder),
        }
        settings = config.load(environment={}, flags=flags)
        tracking = Tracking(uri=settings.tracking.uri, experiment="leadscore", model_name="leadscore")
        with LeadStore.open(url, create=True) as opened:
            demo.fill(opened, simulated)
            report = train(opened, settings, tracking, as_of=None, now=NOW)
            digests.append(report.digest)
            approve_and_promote(opened, tracking, cache_of(settings), settings, version=report.version, now=NOW)
            end = opened.inventory().known_until // MICROSECONDS_PER_DAY
            as_of = datetime.fromtimestamp(end * 86_400, tz=UTC)
            score(opened, settings, tracking, as_of=as_of, clock=lambda: NOW)
            columns = "lead_id, epoch_us(as_of) AS as_of, probability, probability_low, probability_high, percentile, "
            columns += "band, recommended_stage, stage_reason, needs_confirmation, reasons, points, model_version"
            scores.append(opened.arrow(f"SELECT {columns} FROM current_scores ORDER BY lead_id"))
    assert digests[0] is not None
    assert digests[0] == digests[1]
    assert scores[0].num_rows > 500
    assert scores[0].to_pylist() == scores[1].to_pylist()


# PostgreSQL's own ----------------------------------------------------------------------------------------------------


def test_a_password_is_shown_nowhere(postgres_server: Server) -> None:
    secret = "s3cr3t-word"
    for url in (
        f"postgresql://me:{secret}@127.0.0.1:1/leads",
        f"postgresql://me:{secret}@127.0.0.1:{postgres_server.port}/leads",
        f"postgresql://me:{secret}@{secret}@host/leads",
        f"postgresql://me:{secret}@host:{secret}/leads",
        f"postgresql://me:{secret} x@host/leads",
        f"postgresql://me:{secret}@host",
        f"postgresql://me:{secret}/x@host/leads",
        f"mysql://me:{secret}@host/leads",
    ):
        with pytest.raises((ConfigError, StoreUnreachable)) as refused:
            LeadStore.open(url)
        assert secret not in str(refused.value)
        assert refused.value.__cause__ is None, "the server's own words may repeat it"
        assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert parsed("postgresql://me:pw@h:5/d?sslmode=require").shown == "postgresql://me@h:5/d"


def test_a_connection_that_was_cut_is_lost_and_made_again(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RECONNECT_PAUSES", (0.01, 0.1))
    with LeadStore.open(postgres_url, create=True) as opened, LeadStore.open(postgres_url) as other:
        (pid,) = opened.rows("SELECT pg_backend_pid()")[0]
        other.rows("SELECT pg_terminate_backend($1)", [pid])
        with pytest.raises(StoreLost, match=r"broke .*run the command again"):
            opened.rows("SELECT 1")
        opened.reconnect()
        assert opened.inventory().leads == 0


def test_a_server_that_restarts_is_waited_for(postgres_server: Server, postgres_url: str) -> None:
    with LeadStore.open(postgres_url, create=True) as opened:
        postgres_server.restart("immediate")
        with pytest.raises(StoreLost):
            opened.rows("SELECT 1")
        opened.reconnect()
        assert opened.inventory().leads == 0


def test_a_snapshot_does_not_see_what_is_committed_later(postgres_url: str) -> None:
    with LeadStore.open(postgres_url, create=True) as opened, LeadStore.open(postgres_url) as other:
        with opened.snapshot() as frozen:
            assert frozen.rows("SELECT count(*) FROM tombstones") == [(0,)]
            other.change("INSERT INTO tombstones VALUES ('a', $1)", [NOW])
            assert frozen.rows("SELECT count(*) FROM tombstones") == [(0,)]
            with pytest.raises(StoreFailed, match="read-only"):
                frozen.change("DELETE FROM tombstones")
        assert opened.rows("SELECT count(*) FROM tombstones") == [(1,)]


def test_one_program_at_a_time_has_a_lock(postgres_url: str) -> None:
    with LeadStore.open(postgres_url, create=True) as one, LeadStore.open(postgres_url) as two:
        assert one.engine.take_lock("score")
        assert not two.engine.take_lock("score")
        assert two.engine.take_lock("another")
        one.engine.release_lock("score")
        assert two.engine.take_lock("score")


def test_what_another_transaction_holds_is_an_error_that_says_so(postgres_url: str) -> None:
    with LeadStore.open(postgres_url, create=True) as one, LeadStore.open(postgres_url) as two:
        two.rows("SET lock_timeout = 100")
        locked, done = threading.Event(), threading.Event()

        def hold() -> None:
            with one.transaction():
                one.rows("LOCK TABLE runs")
                locked.set()
                done.wait(10)

        thread = threading.Thread(target=hold)
        thread.start()
        try:
            assert locked.wait(10)
            with pytest.raises(LockHeld, match="run the command again"):
                two.change("DELETE FROM runs")
        finally:
            done.set()
            thread.join()


def test_a_statement_that_took_too_long_is_an_error_that_says_so(postgres_url: str) -> None:
    with LeadStore.open(postgres_url, create=True) as opened:
        opened.rows("SET statement_timeout = 50")
        with pytest.raises(StoreFailed, match=r"statement timeout \[57014\]"):
            opened.rows("SELECT pg_sleep(5)")
        assert opened.rows("SELECT 1") == [(1,)]


def test_the_server_s_own_settings_change_nothing(postgres_server: Server, postgres_url: str) -> None:
    """Zone, date style, float digits and search path of the database are all unlike ours."""
    with LeadStore.open(postgres_url, create=True) as opened:
        ((name,),) = opened.rows("SELECT current_database()")
        for setting in (
            "TimeZone = 'Asia/Tokyo'",
            "DateStyle = 'German'",
            "extra_float_digits = -5",
            "search_path = x",
        ):
            opened.change(f"ALTER DATABASE {name} SET {setting}")
    with LeadStore.open(postgres_url) as opened:
        assert opened.arrow(
            "SELECT 0.1::float8 + 0.2::float8 AS f, TIMESTAMPTZ '2025-01-02 03:04:05Z' AS m, DATE '2025-01-02' AS d"
        ).to_pylist() == [
            {"f": 0.1 + 0.2, "m": datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), "d": datetime(2025, 1, 2).date()}  # noqa: DTZ001
        ]
        assert opened.inventory().leads == 0
