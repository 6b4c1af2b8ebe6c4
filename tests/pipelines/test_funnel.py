"""The funnel of a store: what it reads and when that was known, on both engines, and the command that shows it."""

import csv
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from features.errors import ConfigError, InputError
from pipelines import cli_funnel, config, demo
from pipelines.erase import erase
from pipelines.funnel import Asked, page_of, report, stretch
from pipelines.funnel import periods as periods_of
from pipelines.funnel_report import COLUMNS, rows
from pipelines.store import LeadStore
from pipelines.synthetic import simulate
from serve.funnel_facts import Funnel
from tests.stores import memory_store

START = datetime(2025, 1, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=300)
TIME = pa.timestamp("us", tz="UTC")
SETTINGS = config.load(environment={}, flags={"score.range_leads": 7})


def day(number: float) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=number)


def add(store: LeadStore, table: str, *rows: dict[str, Any]) -> None:
    """Append rows; datetimes are moments, dates days, and None is null."""
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(key for row in rows for key in row):
        values = [row.get(name) for row in rows]
        columns[name] = pa.array(values, TIME if any(isinstance(value, datetime) for value in values) else None)
    store.append(table, pa.table(columns))


def fill(store: LeadStore, *, leads: int = 60) -> None:
    """Leads one per day, of two channels; two in three become MQL after 3 days, of them half customers after 10."""
    people, profiles, stages = [], [], []
    for n in range(leads):
        lead, born = f"L{n:03}", day(n)
        people.append({"lead_id": lead, "created_at": born, "known_at": born})
        attributes = json.dumps({"size": str(n), "partner": "yes" if n % 2 else "no", "region": f"R{n % 3}"})
        channel = ("ads", "mail")[n % 2]
        profiles.append({"lead_id": lead, "known_at": born, "source_channel": channel, "attributes": attributes})
        for stage, after, amount in [("sal", 3, None)] * (n % 3 > 0) + [("customer", 10, 100.0 + n)] * (n % 3 == 1):
            at = born + timedelta(days=after)
            stages.append({"lead_id": lead, "stage": stage, "entered_at": at, "known_at": at, "amount": amount})
    add(store, "leads", *people)
    add(store, "profiles", *profiles)
    add(store, "stage_changes", *stages)
    store.declare_attributes({"size": "numeric", "partner": "boolean", "region": "categorical", "since": "date"})
    add(store, "channel_costs", *[{"channel": "ads", "month": date(2025, m, 1), "cost": 310.0} for m in (1, 2, 3)])
    add(store, "rule_points", {"lead_id": "L000", "known_at": day(299), "points": 1.0})  # known so late


def told(store: LeadStore, *, as_of: datetime = AS_OF, of: config.Settings = SETTINGS, **asked: Any) -> Funnel:
    """The report."""
    return report(store, of, Asked(**asked), as_of=as_of)


@pytest.fixture
def filled(store_url: str) -> Any:
    """The small store on each engine."""
    with LeadStore.open(store_url, create=True) as store:
        fill(store)
        yield store


def test_leads_are_followed_by_channel_and_month_with_their_money(filled: LeadStore) -> None:
    found = told(filled)
    assert found.stages == ("lead", "mql", "customer")  # sal is a way of being qualified; nobody recorded the rest
    assert found.total.reached == {"lead": 60, "mql": 40, "customer": 20}
    assert found.old_enough_days == {"lead": 0.0, "mql": 3.0, "customer": 10.0}
    assert [(group.name, group.leads) for group in found.cuts[0].groups] == [("ads", 30), ("mail", 30)]
    assert [(c.period.name, c.leads) for c in found.total.cohorts[:3]] == [
        ("2025-01", 31),
        ("2025-02", 28),
        ("2025-03", 1),
    ]
    money, value = found.total.money, sum(100.0 + n for n in range(60) if n % 3 == 1)
    assert money is not None
    assert (money.leads, money.cost, money.customers, money.value) == (60, 930.0, 20, value)
    assert found.value_from == "amounts"
    assert [group.money is None for group in found.cuts[0].groups] == [False, True]
    ads = found.cuts[0].groups[0].money
    assert ads is not None
    assert ads.cost == 930.0  # in March it brought no lead, or one: it was spent all the same


def test_columns_of_every_type_can_be_cut_by(filled: LeadStore) -> None:
    found = told(filled, by=["region", "partner", "size", "channel"])
    assert [cut.column for cut in found.cuts] == ["region", "partner", "size", "source_channel"]
    names = [[group.name for group in cut.groups] for cut in found.cuts]
    assert names[:2] == [["R0", "R1", "R2"], ["false", "true"]]
    assert names[2] == ["≤ 14", "14–29", "29–44", "> 44"]
    assert [group.leads for group in found.cuts[2].groups] == [15] * 4


def test_days_and_quarters_bound_what_is_counted(filled: LeadStore) -> None:
    found = told(filled, first=date(2025, 1, 11), last=date(2025, 2, 9), every="quarter")
    assert found.total.leads == 30
    assert [(one.period.name, one.period.whole, one.leads) for one in found.total.cohorts] == [("2025-Q1", False, 30)]
    assert (found.window.first, found.window.last) == ("2025-01-11", "2025-02-09")
    money = found.total.money
    assert money is not None
    # 11 of the 16 leads of ads in January, 4 of 14 in February: each bears its month's cost like the others.
    assert money.cost == pytest.approx(310 * 11 / 16 + 310 * 4 / 14)


def test_months_begin_where_the_companys_day_begins() -> None:
    window = stretch(date(2025, 3, 15), date(2025, 5, 1), zone="Europe/Paris")
    made = periods_of(window, every="month", zone="Europe/Paris")
    assert [(one.first, one.last, one.whole) for one in made] == [
        ("2025-03-15", "2025-03-31", False), ("2025-04-01", "2025-04-30", True), ("2025-05-01", "2025-05-01", False),
    ]  # fmt: skip
    assert made[1].start == int(datetime(2025, 3, 31, 22, tzinfo=UTC).timestamp()) * 1_000_000
    assert [one.end for one in made[:-1]] == [one.start for one in made[1:]]
    assert (made[0].start, made[-1].end) == (window.start, window.end)


LATER = st.lists(
    st.tuples(
        st.sampled_from(["leads", "stage_changes", "profiles", "late stage", "events", "points"]),
        st.integers(0, 59), st.sampled_from(["mql", "sql", "opportunity", "customer", "disqualified"]),
        st.integers(0, 50),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@given(later=LATER)
@settings(max_examples=8)
def test_what_was_known_at_or_after_as_of_changes_nothing(later: list[tuple[str, int, str, int]]) -> None:
    with memory_store() as store:
        fill(store, leads=24)
        before = told(store, as_of=day(100))
        for at, (kind, lead, stage, days) in enumerate(later):
            lead_id, known = f"L{lead % 24:03}", day(100 + days)
            match kind:
                case "leads":
                    add(store, "leads", {"lead_id": f"N{at}", "created_at": day(30), "known_at": known})
                case "profiles":
                    add(store, "profiles", {"lead_id": lead_id, "known_at": known, "source_channel": "new"})
                case "events":
                    event = {"event_id": f"E{at}", "lead_id": lead_id, "type": "demo_request"}
                    add(store, "events", event | {"occurred_at": day(50), "known_at": known})
                case "points":
                    add(store, "rule_points", {"lead_id": lead_id, "known_at": known, "points": 4.0})
                case _:  # entered long ago and known too late, or told before it is to happen
                    entered, seen = (day(20), known) if kind == "late stage" else (known, day(60))
                    change = {"lead_id": lead_id, "stage": stage, "entered_at": entered, "known_at": seen}
                    add(store, "stage_changes", change)
        after = told(store, as_of=day(100))
        if any(kind == "stage_changes" for kind, *_ in later):
            # That something is to happen was known on day 60: the store knew of things until then, no longer until 49.
            assert after.total.reached == before.total.reached
        else:
            assert after.as_dict() == before.as_dict()


def test_nothing_is_waited_for_beyond_what_the_store_knows(filled: LeadStore) -> None:
    assert told(filled, as_of=AS_OF + timedelta(days=900)).as_dict() == told(filled).as_dict()


def test_who_objects_is_in_no_number_whenever_it_said_so_and_who_was_erased_is_gone(filled: LeadStore) -> None:
    add(filled, "objections", {"lead_id": "L001", "since": AS_OF + timedelta(days=30)})
    erase(filled, "L004", now=AS_OF)
    found = told(filled)
    assert found.total.reached == {"lead": 58, "mql": 38, "customer": 18}
    assert found.left_out == {"objects to profiling": 1}
    assert "they object to profiling: 1." in page_of(found, language="en")


def test_contacts_without_an_act_are_no_leads_unless_a_person_says_so(filled: LeadStore) -> None:
    event = {"event_id": "e", "lead_id": "L000", "type": "demo_request", "occurred_at": day(1), "known_at": day(1)}
    add(filled, "events", event)
    found = told(filled)
    # L000 acted; the 40 that people recorded as qualified count without.
    assert (found.total.leads, found.left_out) == (41, {"no voluntary act yet": 19})


def test_values_are_those_of_the_economics_where_they_are_told(filled: LeadStore) -> None:
    plain = config.load(environment={}, flags={"economics.customer_value": 500.0, "economics.currency": "CHF"})
    found = told(filled, of=plain)
    assert found.total.money is not None
    assert (found.total.money.value, found.currency, found.value_from) == (500.0 * 20, "CHF", "economics")
    by_amount = {"economics.amount": "size", "economics.margin": 0.5, "economics.customer_value": 500.0}
    by_region = {"economics.segment": "region", "economics.margins": {"R1": 0.25}}
    for wrong, says in (
        ({"economics.amount": "sise"}, r"amount names the column 'sise', which this store has not\. Did you mean size"),
        ({"economics.amount": "region"}, "amount must name a numeric column, and 'region' is categorical"),
        (by_region | {"economics.segment": "since", "economics.amount": "size"}, "segment must name a categorical"),
    ):
        # Before anybody bought, too.
        for as_of in (AS_OF, day(5)):
            with pytest.raises(ConfigError, match=says):
                told(filled, of=config.load(environment={}, flags=by_amount | wrong), as_of=as_of)
    found = told(filled, of=config.load(environment={}, flags=by_amount))
    assert found.total.money is not None
    # What they bought is their own amount.
    whole = sum(100.0 + n for n in range(60) if n % 3 == 1)
    assert found.total.money.value == pytest.approx(0.5 * whole)
    found = told(filled, of=config.load(environment={}, flags=by_amount | by_region))
    assert found.total.money is not None
    assert found.total.money.value == pytest.approx(0.25 * whole)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"by": ["chanel"]}, "--by chanel: .* Did you mean source_channel"),
        ({"by": ["nothing_like_it"]}, "There are: source_channel, partner, region, since, size"),
        ({"by": ["since"]}, "since is declared date"),
        ({"every": "week"}, "--every must be one of month, quarter; found 'week'"),
        ({"first": date(2025, 3, 1), "last": date(2025, 2, 1)}, "No day lies between --from 2025-03-01"),
        ({"first": date(2025, 6, 1)}, "No lead that can be followed was created from --from 2025-06-01"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: dict[str, Any], says: str) -> None:
    with memory_store() as store:
        fill(store)
        with pytest.raises(ConfigError, match=says):
            told(store, **asked)


def test_a_store_without_stages_is_told_what_to_import() -> None:
    with memory_store() as store:
        with pytest.raises(InputError, match="knows of no lead before 2025-10-28 00:00 UTC"):
            told(store)
        add(store, "leads", {"lead_id": "a", "created_at": START, "known_at": START})
        change = {"lead_id": "a", "stage": "disqualified", "entered_at": START, "known_at": START}
        add(store, "stage_changes", change)
        with pytest.raises(InputError, match=r"expected stage_changes to mql, .* found disqualified \(1\)"):
            told(store)
        with pytest.raises(ConfigError, match="--lang must be one of en, fr; found 'de'"):
            page_of(None, language="de")  # type: ignore[arg-type]


def test_a_simulated_store_tells_the_same_on_both_engines_and_range_by_range(store_url: str) -> None:
    simulated, late, by = simulate(leads=300, seed=3), datetime(2030, 1, 1, tzinfo=UTC), ["channel", "employees"]
    with LeadStore.open(store_url, create=True) as store, memory_store() as other:
        for each in (store, other):
            demo.fill(each, simulated)
        parts = told(store, as_of=late, by=by, of=config.load(environment={}, flags={"score.range_leads": 90}))
        whole = told(other, as_of=late, by=by, of=config.load(environment={}))
    assert parts.as_dict() == whole.as_dict()
    assert whole.stages == ("lead", "mql", "sql", "opportunity", "customer")
    assert whole.total.money is not None


def test_the_command_prints_and_writes_what_it_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "220")
    with LeadStore.open("leads.duckdb", create=True) as store:
        fill(store)
        found = told(store)
    app = typer.Typer()
    app.command()(cli_funnel.funnel)
    run = CliRunner()
    done = run.invoke(app, ["--as-of", "2025-10-28", "--json", "--out", "f.html", "--csv", "f.csv", "--lang", "fr"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == json.loads(json.dumps(found.as_dict()))
    assert "Du lead au client" in Path("f.html").read_text(encoding="utf-8")
    with Path("f.csv").open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert tuple(written[0]) == COLUMNS
    assert len(written) == len(list(rows(found)))
    total = [row for row in written if not row["cut"] and not row["period"]]
    assert [(row["origin"], row["goal"], row["passed"]) for row in total] == [
        ("lead", "mql", "40"), ("mql", "customer", "20"), ("lead", "customer", "20"),
    ]  # fmt: skip
    assert total[-1]["cost"] == "930.0"
    months = [row for row in written if row["period"] == "2025-01" and not row["cut"]]
    assert {row["mature"] for row in months} == {"yes"}
    shown = run.invoke(app, ["--as-of", "2025-02-01", "--every", "quarter"])
    assert shown.exit_code == 0, shown.output
    assert "so far" in shown.stdout
    assert "too few customers to say" in " ".join(shown.stdout.split())
