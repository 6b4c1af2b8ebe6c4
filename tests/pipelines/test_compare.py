"""The model against marketing's points, and version against version: judged on the same later snapshots."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import typer
from scipy.special import expit
from typer.testing import CliRunner

from features.errors import ConfigError, ReleaseRefused, TooLittleData, UserError
from features.tables import MICROSECONDS_PER_DAY
from pipelines import config
from pipelines.cli_compare import compare as command
from pipelines.compare import METRICS, MOST_LISTED, USUAL_SHARE, compare, log, shortened, write_swap_set
from pipelines.points import points_of
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore
from pipelines.tracking import Tracking
from pipelines.train import read_catalogue, read_frame
from serve.comparison_page import to_html
from tests.pipelines.conftest import SMALL, World, second_version
from tests.stores import memory_store

Report = dict[str, Any]


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def report(trained: World, said: list[str]) -> Report:
    """The model against the card, with a capacity and with money."""
    settings = trained.settings(
        points__source="default", evaluation__capacity_leads=400,
        economics__customer_value=9000.0, economics__sales_touch_cost=60.0,
    )  # fmt: skip
    with trained.open(read_only=True) as store:
        return compare(store, settings, as_of=None, say=said.append)


def test_both_are_judged_on_the_same_later_snapshots(report: Report, said: list[str], trained: World) -> None:
    facts = trained.report.facts
    json.dumps(report, allow_nan=False)
    assert report["names"] == ["model", "points"]
    assert report["snapshots"] == facts["snapshots"]["test"]
    assert set(report["metrics"]) == set(METRICS)
    for name, row in report["metrics"].items():
        # The model is the one whose training was proved: the same procedure on the same snapshots.
        assert row["model"] == pytest.approx(facts["metrics"][name]["value"], abs=1e-9)
        assert row["difference"]["value"] == pytest.approx(row["model"] - row["points"], abs=1e-9)
        assert row["difference"]["low"] <= row["difference"]["high"]
        assert (row["word"] == "level") == (row["difference"]["low"] <= 0 <= row["difference"]["high"])
    assert min(report["metrics"]["roc_auc"][name] for name in report["names"]) > 0.6
    assert any("learning from" in message for message in said)


def test_the_capacity_is_that_of_a_night(report: Report) -> None:
    share, place = report["capacity"]["share"], report["at_capacity"]
    assert report["capacity"] == {"share": share, "told": True, "leads": 400}
    # A tenth of the leads were drawn: a list is ten times as long as what is at hand of it.
    assert report["drawn"] < 0.2
    assert share == pytest.approx(400 * report["drawn"] * report["lists"] / report["snapshots"])
    assert place["share"] == share
    assert place in report["curve"]
    assert place["handed_over"] == pytest.approx(400 * report["drawn"] * report["lists"])
    for side in ("a", "b"):
        assert place[side]["captured"]["low"] <= place[side]["captured"]["value"] <= place[side]["captured"]["high"]
        # A customer is on several lists, and brings 9,000 once; every call costs 60.
        assert place[side]["value"]["value"] < 9000 * place[side]["found"] - 60 * place["handed_over"]
    everybody = report["curve"][-1]
    customers = (everybody["a"]["value"]["value"] + 60 * report["snapshots"]) / 9000
    assert customers == pytest.approx(round(customers))
    assert customers <= report["leads"]
    assert customers < report["converted"]
    assert len(report["curve"]) <= 202
    assert report["word"] == place["word"]
    for number in (place["a"]["captured"]["value"], place["b"]["captured"]["value"]):
        assert f"{100 * number:.1f}".removesuffix(".0") in report["verdict"]
    assert "EUR" in report["verdict"]
    days = [report["data"][end][:10] for end in ("first_as_of", "last_as_of")]
    assert f"on all lists from {days[0]} to {days[1]}, each customer counted once" in report["verdict"]
    assert 0 < report["agreement"]["kendall"] < report["agreement"]["spearman"] < 1


def test_every_lead_of_the_swap_set_comes_with_sums_that_add_up(report: Report) -> None:
    swap, place = report["swap_set"], report["at_capacity"]
    assert swap["snapshots"] == len(swap["leads"]) > 50
    for side in ("a", "b"):
        of = [lead for lead in swap["leads"] if lead["only"] == side]
        assert sum(lead["part"] for lead in of) == pytest.approx(place[side]["only"], abs=1e-3)
        assert sum(lead["part"] for lead in of if lead["converted"]) == pytest.approx(
            place[side]["only_converted"], abs=1e-3
        )
        assert swap[side]["leads"] == pytest.approx(place[side]["only"])
        assert swap[side]["for_points"]
        assert swap[side]["for_model"]
    for lead in swap["leads"]:
        reasons = lead["reasons"]
        total = sum(reasons[key] for key in ("start", "rest", "calibration"))
        total += sum(effect for _, effect, _ in reasons["reasons"])
        assert expit(total) == pytest.approx(lead["a_says"], abs=1e-4)
        assert sum(points for _, points in lead["parts"]) == pytest.approx(lead["b_says"])
        assert lead["worth"] == 9000.0
        assert lead["a"] != lead["b"]


def test_segments_and_months_add_up_to_the_whole(report: Report) -> None:
    columns = {row["column"] for row in report["segments"]}
    assert "source_channel" in columns
    for rows in (report["months"], *([r for r in report["segments"] if r["column"] == c] for c in columns)):
        assert sum(row["converted"] for row in rows) == report["converted"]
        captured = sum((row["captured_a"] or 0) * row["converted"] for row in rows) / report["converted"]
        assert captured == pytest.approx(report["at_capacity"]["a"]["captured"]["value"])
    assert [row["value"] for row in report["months"]] == sorted(row["value"] for row in report["months"])


def test_page_and_file_hold_every_lead_they_should_and_nobody_s_name(
    report: Report, trained: World, tmp_path: Path
) -> None:
    file = tmp_path / "swap.csv"
    write_swap_set(report, file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["lead_id"] for row in rows] == [lead["lead_id"] for lead in report["swap_set"]["leads"]]
    assert {row["only"] for row in rows} == {"model", "points"}
    page = to_html(shortened(report))
    assert len(page.encode()) < 1_500_000
    with trained.open(read_only=True) as store:
        contacts = store.rows("SELECT email, full_name, company_name, phone FROM contacts")
    names = {str(value) for row in contacts for value in row if value and len(str(value)) > 6}
    assert len(names) > 100
    together = page + file.read_text(encoding="utf-8-sig") + json.dumps(report)
    assert not [name for name in names if name in together]


def test_a_page_lists_as_many_of_either_side_as_there_are(report: Report) -> None:
    lead = report["swap_set"]["leads"][0]
    for ours, theirs in ((900, 900), (900, 10), (10, 900), (3, 4)):
        leads = [lead | {"only": "a", "lead_id": f"a{n}"} for n in range(ours)]
        leads += [lead | {"only": "b", "lead_id": f"b{n}"} for n in range(theirs)]
        listed = shortened({**report, "swap_set": report["swap_set"] | {"leads": leads}})["swap_set"]["leads"]
        assert len(listed) == min(MOST_LISTED, ours + theirs)
        sides = [sum(one["only"] == side for one in listed) for side in ("a", "b")]
        assert sides[0] >= min(ours, MOST_LISTED // 2)
        assert sides[1] >= min(theirs, MOST_LISTED // 2)


def test_a_run_in_mlflow_keeps_the_report_and_its_figures(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = Tracking(uri=f"sqlite:///{tmp_path / 'mlflow.db'}", experiment="leadscore", model_name="leadscore")
    settings, told = config.load(environment={}), list[str]()
    log(tracking, settings, report, say=told.append)
    (run,) = tracking.client.search_runs([tracking.client.get_experiment_by_name("leadscore").experiment_id])
    kept = {file.path for file in tracking.client.list_artifacts(run.info.run_id)}
    assert kept == {"comparison.json", "gain.png", "reliability-a.png", "reliability-b.png"}
    assert run.data.tags["verdict"] == report["word"]
    assert run.data.metrics["difference.captured.value"] == pytest.approx(report["at_capacity"]["captured"]["value"])
    assert told == []
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = Tracking(uri="http://127.0.0.1:9", experiment="x", model_name="x")
    log(away, settings, report, say=told.append)
    assert told[0].startswith("warning: not kept in MLflow")


def test_points_are_those_last_known_before_each_snapshot(trained: World) -> None:
    with trained.open(read_only=True) as store:
        settings, inventory = trained.settings(), store.inventory()
        columns = read_catalogue(inventory, settings)
        data = read_frame(store, settings, inventory, columns, as_of=None, progress=lambda _done, _total: None)
        found = points_of(store, settings, inventory, data)
        assert found is not None
        for as_of in np.unique(data.as_of)[::4]:
            known = store.points_as_of("", "z", as_of=int(as_of))
            rows = np.flatnonzero(data.as_of == as_of)
            expected = [known.get(data.lead_id[row], np.nan) for row in rows]
            np.testing.assert_array_equal(found[rows], expected)
    assert isinstance(data, TrainingFrame)
    assert np.isfinite(found).mean() > 0.5


def test_without_points_there_is_nothing_to_compare(world: World) -> None:
    with world.open() as store:
        store.change("DELETE FROM rule_points")
        with pytest.raises(UserError, match=r"holds no points.*lead_id, known_at and points.*--mapping generic"):
            compare(store, world.settings(), as_of=None)
        with pytest.raises(UserError, match="holds no points"):
            compare(store, world.settings(), as_of=None, tracking=world.tracking(), version="1")


def test_an_empty_store_and_a_young_one_are_told_so(world: World, tmp_path: Path) -> None:
    with (
        LeadStore.open(str(tmp_path / "empty.duckdb"), create=True) as store,
        pytest.raises(TooLittleData, match="holds no leads"),
    ):
        compare(store, world.settings(), as_of=None)
    with world.open(read_only=True) as store, pytest.raises(TooLittleData, match="at least 40"):
        compare(store, world.settings(), as_of=store.inventory().first_created_at + 100 * MICROSECONDS_PER_DAY)


# Versions ------------------------------------------------------------------------------------------------------------


def test_versions_are_judged_by_what_both_foretold(world: World) -> None:
    version = second_version(world)
    settings, tracking = world.settings(), world.tracking()
    with world.open() as store:
        ours, theirs = (
            str(store.rows("SELECT digest FROM releases WHERE model_version = $1", [v])[0][0]) for v in ("1", version)
        )
        asked = {"as_of": None, "tracking": tracking}
        with pytest.raises(TooLittleData, match=f"Nothing is kept of what version {version} foretold"):
            compare(store, settings, version="1", against=version, **asked)
        # The other one foretold most of the leads, and turns the order round.
        store.change(
            "INSERT INTO out_of_time (release_digest, lead_id, as_of, probability, converted) "
            "SELECT $1, lead_id, as_of, 0.9 - probability / 2, converted FROM out_of_time "
            "WHERE release_digest = $2 AND hash(lead_id) % 4 < 3",
            [theirs, ours],
        )
        common = int(store.rows("SELECT count(*) FROM out_of_time WHERE release_digest = $1", [theirs])[0][0])
        found = compare(store, settings, version="1", against=version, **asked)
        back = compare(store, settings, version=version, against="1", **asked)
        # What a version was tried on was drawn at its training, however many would be drawn today.
        itself = compare(store, world.settings(snapshots__most=8000), version="1", against="1", **asked)
        named = compare(store, settings, against="1", **asked)
    assert found["names"] == ["version 1", f"version {version}"]
    assert found["snapshots"] == common
    assert (found["word"], back["word"]) == ("better", "worse")
    assert found["at_capacity"]["captured"]["value"] == pytest.approx(-back["at_capacity"]["captured"]["value"])
    assert found["agreement"]["kendall"] == pytest.approx(-1.0, abs=0.01)
    assert found["capacity"]["share"] == USUAL_SHARE
    for lead in found["swap_set"]["leads"][:20]:
        reasons = lead["reasons"]  # of the release, which has seen more than what foretold the lead
        assert reasons["reasons"]
        assert all(isinstance(reasons[key], float) for key in ("start", "rest", "calibration"))
    assert found["swap_set"]["a"]["for_model"]
    assert "finds" in found["verdict"]
    then = world.report.facts["data"]["sampled_share"]
    assert found["drawn"] == itself["drawn"] == then < 0.2
    assert found["capacity"]["leads"] == pytest.approx(USUAL_SHARE * common / found["lists"] / then)
    assert itself["word"] == "level"
    assert itself["swap_set"]["leads"] == []
    assert all(place["captured"]["value"] == 0 for place in itself["curve"])
    assert named["names"][0].startswith("version ")
    assert "Version 1" not in to_html(shortened(found), language="fr").split("<script")[0]


def test_a_version_can_be_held_against_the_points(world: World) -> None:
    with world.open(read_only=True) as store:
        found = compare(store, world.settings(), as_of=None, tracking=world.tracking(), version="1")
    assert found["names"] == ["version 1", "points"]
    assert found["metrics"]["roc_auc"]["version 1"] > found["metrics"]["roc_auc"]["points"] > 0.5
    assert found["swap_set"]["leads"][0]["parts"] is None
    assert found["swap_set"]["leads"][0]["reasons"]["reasons"]


def test_where_files_are_away_there_are_no_reasons_and_leads_are_taken_to_be_drawn_as_they_are_now(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = Tracking(uri="http://127.0.0.1:9", experiment="x", model_name="x")
    settings, said = world.settings(release__cache=str(tmp_path), snapshots__most=6000), list[str]()
    with world.open(read_only=True) as store:
        itself = compare(store, settings, as_of=None, tracking=away, version="1", against="1", say=said.append)
        points = compare(store, settings, as_of=None, tracking=away, version="1")
    assert itself["drawn"] == pytest.approx(world.report.facts["data"]["sampled_share"] * 1.5)
    assert any(message.startswith("version 1 gives no reasons") for message in said)
    assert points["swap_set"]["leads"][0]["reasons"] is None


def test_money_may_come_from_a_column_that_the_model_may_not_read(world: World) -> None:
    told = {
        "economics__amount": "annual_revenue_keur", "economics__margin": 0.01, "economics__customer_value": 7.0,
        "economics__touches_per_day": 300,
    }  # fmt: skip
    with world.open(read_only=True) as store:
        asked = {"as_of": None, "tracking": world.tracking(), "version": "1"}
        open_, kept = (
            compare(store, world.settings(**told, features__exclude=exclude), **asked)
            for exclude in ([], ["annual_revenue_keur"])
        )
        with pytest.raises(ConfigError, match="names the column 'anual_revenue_keur', which this store has not"):
            compare(store, world.settings(**told | {"economics__amount": "anual_revenue_keur"}), **asked)
    worth = {lead["worth"] for lead in open_["swap_set"]["leads"]}
    assert len(worth) > 10
    assert kept["curve"] == open_["curve"]
    assert kept["capacity"]["leads"] == 300
    assert kept["capacity"]["told"]


def test_versions_that_have_too_little_in_common_are_not_compared(world: World) -> None:
    asked = {"as_of": None, "tracking": world.tracking()}
    with world.open() as store:
        with pytest.raises(ReleaseRefused, match="Version 77 was not registered"):
            compare(store, world.settings(), version="1", against="77", **asked)
        store.change("DELETE FROM out_of_time WHERE converted AND hash(lead_id) % 50 > 0")
        with pytest.raises(TooLittleData, match=r"foretold .* snapshots that both had not learned from"):
            compare(store, world.settings(), version="1", against="1", **asked)


# Points that are the truth -------------------------------------------------------------------------------------------


@pytest.fixture
def truth() -> Iterator[LeadStore]:
    """A store in which nothing but its points decides, and where all that makes the points is known of a lead."""
    generator, leads = np.random.default_rng(5), 4000
    size, need = generator.integers(0, 5, leads), generator.integers(0, 4, leads)
    points = 8.0 * size + 12.0 * need
    day = np.sort(generator.integers(0, 500, leads))
    converted = generator.random(leads) < expit((points - 55) / 9)
    ids = [f"lead {n:05}" for n in range(leads)]

    def at(days: Any) -> pa.Array:
        moments = (np.asarray(days, np.int64) + 19_000) * MICROSECONDS_PER_DAY
        return pa.array(moments, pa.timestamp("us", tz="UTC"))

    with memory_store() as store:
        store.declare_attributes({"size": "numeric", "need": "categorical"})
        store.append("leads", pa.table({"lead_id": ids, "created_at": at(day), "known_at": at(day)}))
        said = [json.dumps({"size": int(s), "need": f"need {n}"}) for s, n in zip(size, need, strict=True)]
        store.append("profiles", pa.table({"lead_id": ids, "known_at": at(day), "attributes": said}))
        store.append("rule_points", pa.table({"lead_id": ids, "known_at": at(day), "points": points}))
        bought = np.flatnonzero(converted)
        store.append(
            "stage_changes",
            pa.table(
                {
                    "lead_id": [ids[n] for n in bought],
                    "stage": ["customer"] * len(bought),
                    "entered_at": at(day[bought] + 3),
                    "known_at": at(day[bought] + 3),
                }
            ),
        )
        yield store


def test_where_points_are_the_truth_the_two_are_level(truth: LeadStore) -> None:
    flags = SMALL | {"snapshots.at": "creation", "label.horizon_days": 10, "model.resamples": 200}
    report = compare(truth, config.load(environment={}, flags=flags), as_of=None)
    assert report["word"] == "level"
    assert report["verdict"].endswith("The two are level.")
    assert report["per"] == "month"
    assert report["at_capacity"]["b"]["captured"]["value"] > 2 * USUAL_SHARE
    assert report["agreement"]["spearman"] > 0.9


# On the command line -------------------------------------------------------------------------------------------------


def test_the_command_writes_a_page_and_a_file(world: World, tmp_path: Path) -> None:
    settings = tmp_path / "leadscore.toml"
    settings.write_text(
        "[snapshots]\nmost = 2000\n[splits]\ncut_offs = 1\n[model]\nresamples = 50\n"
        f'[tracking]\nuri = "{world.settings().tracking.uri}"\n',
        encoding="utf-8",
    )
    app = typer.Typer()
    app.command()(command)
    page, swapped = tmp_path / "report.html", tmp_path / "swap.csv"
    asked = ["--config", str(settings), "--store", world.url]
    done = CliRunner().invoke(app, [*asked, "--out", str(page), "--csv", str(swapped), "--lang", "fr"])
    assert done.exit_code == 0, done.output
    assert "The first 10.0% of each list" in done.stdout
    assert "Only the points would call" in done.stdout
    assert page.read_text(encoding="utf-8").startswith('<!DOCTYPE html>\n<html lang="fr">')
    assert swapped.read_bytes().startswith(b"\xef\xbb\xbflead_id,")
    refused = CliRunner().invoke(app, [*asked, "--lang", "de"])
    assert "--lang must be one of en, fr; found 'de'" in str(refused.exception)
    dry = CliRunner().invoke(
        app, [*asked, "--version", "1", "--against", "1", "--json", "--dry-run", "--out", str(tmp_path / "no.html")]
    )
    assert json.loads(dry.stdout)["word"] == "level"
    assert not (tmp_path / "no.html").exists()
