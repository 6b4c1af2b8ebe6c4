"""The published leads with what to do next: as of their scores, the most urgent first, on either engine."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from features.errors import UserError
from pipelines import config
from pipelines.cli_next import next_ as command
from pipelines.config import Settings
from pipelines.next_steps import COLUMNS, next_steps_of, write_csv
from pipelines.store import LeadStore
from tests.pipelines.published_leads import acts, converted, publish

LEADS = (
    {"id": "alone", "p": 0.30, "stage": "sql", "acts": [("demo_request", 5.0), ("page", 2.0)]},
    {"id": "spoken-to", "p": 0.60, "stage": "sal", "acts": [("form", 5.0), ("call", 4.0)]},
    {"id": "to-call", "p": 0.20, "stage": "pql", "acts": [("product_use", 2.0)]},
    {"id": "to-nurture", "p": 0.06, "stage": "mql", "acts": [("form", 40.0)]},
    {"id": "=hostile[red]", "p": 0.01, "stage": "lead", "acts": [("form", 200.0)]},
)
MONEY = {"economics.customer_value": 1000.0, "economics.sales_touch_cost": 100.0}


def settings(**flags: Any) -> Settings:
    return config.load(environment={}, flags={key.replace("__", "."): value for key, value in flags.items()})


@pytest.fixture
def store(store_url: str) -> Iterator[LeadStore]:
    """The leads above, and three hundred of the past: every second one that had filled a form lately bought."""
    rng = np.random.default_rng(8)
    past = [{"id": f"past-{n:03}", "p": 0.02, "stage": "lead"} for n in range(300)]
    with LeadStore.open(store_url, create=True) as opened:
        publish(opened, [*LEADS, *past])
        first = rng.uniform(150, 290, 300)
        acts(opened, [(lead["id"], "form", float(days)) for lead, days in zip(past, first, strict=True)])
        acts(opened, [(lead["id"], "page", float(days)) for lead, days in zip(past[:60], first - 70, strict=False)])
        converted(opened, [(past[n]["id"], float(first[n] - rng.exponential(25))) for n in range(0, 300, 2)])
        yield opened


def test_what_is_next_with_each_lead(store: LeadStore) -> None:
    found = next_steps_of(store, settings())
    rows = found.leads.set_index("lead_id")
    assert list(found.leads.columns) == list(COLUMNS)
    assert len(rows) == 305
    assert rows["next_step"].reindex([lead["id"] for lead in LEADS]).tolist() == [
        "answer", "follow_up", "call", "nurture", "wait"
    ]  # fmt: skip
    assert list(rows.index[:2]) == ["alone", "to-call"]
    assert rows.index[2] == "spoken-to"
    assert rows["days_since_interest"]["alone"] == pytest.approx(2.0)
    assert found.answers == ("call",)
    assert found.currency is None
    assert rows[["value", "expected_value", "value_lost_per_day"]].isna().all().all()


def test_with_economics_it_is_told_in_money(store: LeadStore) -> None:
    found = next_steps_of(store, settings(**MONEY))
    fades = found.history.waiting
    assert fades is not None
    rows = found.leads.set_index("lead_id")
    assert rows["expected_value"]["alone"] == pytest.approx(300)
    week = float(fades.share_lost([2.0], over_days=7.0)[0])
    assert rows["value_lost_per_day"]["alone"] == pytest.approx(300 * (1 - (1 - week) ** (1 / 7)))
    assert found.currency == "EUR"
    # Who pays for a call is left alone too, but only as many as sales can take up.
    alone = {*next_steps_of(store, settings(**MONEY, label__horizon_days=60)).leads.query("left_alone")["lead_id"]}
    assert alone == {"alone"}


def test_the_history_ends_where_the_scores_do(store: LeadStore) -> None:
    before = next_steps_of(store, settings()).as_dict(next_steps_of(store, settings()).leads)
    acts(store, [(f"past-{n:03}", "form", -float(n % 30) - 1) for n in range(300)])
    converted(store, [(f"past-{n:03}", -5.0) for n in range(1, 300, 2)])
    again = next_steps_of(store, settings())
    assert again.as_dict(again.leads) == before


def test_kinds_that_count_as_voluntary_are_acts_of_interest(store: LeadStore) -> None:
    acts(store, [("to-nurture", "store_visit", 3.0)])
    assert next_steps_of(store, settings()).leads.set_index("lead_id")["days_since_interest"]["to-nurture"] == 40
    found = next_steps_of(store, settings(cohort__voluntary_kinds=["store_visit", "form"]))
    assert found.leads.set_index("lead_id")["days_since_interest"]["to-nurture"] == 3


def test_without_scores_or_history(tmp_path: Path) -> None:
    with LeadStore.open(str(tmp_path / "empty.duckdb"), create=True) as empty:
        with pytest.raises(UserError, match="No score is published"):
            next_steps_of(empty, settings())
        publish(empty, [{"id": "a", "p": 0.3, "stage": "sal"}])
        found = next_steps_of(empty, settings(**MONEY))
    assert found.leads["next_step"].tolist() == ["call"]
    assert found.history.waiting is None
    assert found.as_dict(found.leads)["leads"][0]["value_lost_per_day"] is None


def test_a_lead_that_is_no_longer_among_the_leads_is_left_out(store: LeadStore) -> None:
    store.change("DELETE FROM leads WHERE lead_id = 'to-call'")
    found = next_steps_of(store, settings(**MONEY))
    assert "to-call" not in set(found.leads["lead_id"])
    assert len(found.leads) == 304


def test_the_file_is_for_spreadsheets(store: LeadStore, tmp_path: Path) -> None:
    file = tmp_path / "next.csv"
    write_csv(next_steps_of(store, settings()).leads, file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == 305
    assert rows[0]["value"] == ""
    assert "'=hostile[red]" in {row["lead_id"] for row in rows}


def ran(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done


def test_the_command_lists_the_most_urgent(store: LeadStore, store_url: str, tmp_path: Path) -> None:
    store.close()
    file = tmp_path / "my.toml"
    file.write_text("[economics]\ncustomer_value = 1000\nsales_touch_cost = 100\n", encoding="utf-8")
    asked = ("--store", store_url, "--config", str(file))
    plain = json.loads(ran(*asked, "--json", "--limit", "3").stdout)
    assert [row["lead_id"] for row in plain["leads"]] == ["alone", "to-call", "spoken-to"]
    assert (plain["published"], plain["left_alone"], plain["answers"]) == (305, 1, ["call"])
    text = ran(*asked, "--limit", "400").stdout
    assert "305 leads" in text
    assert "=hostile[red]" in text
    assert "What a week more of silence takes" in text
    alone = ran(*asked, "--left-alone").stdout
    assert "alone" in alone
    assert "to-call" not in alone
