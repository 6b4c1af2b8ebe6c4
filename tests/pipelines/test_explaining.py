"""What is told of one lead: what is published, why in full, what would change it; or why there is nothing to tell."""

import json
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from features.errors import ConfigError, UserError
from pipelines.cli_explain import explain
from pipelines.erase import erase
from pipelines.explaining import explanation
from pipelines.moments import microseconds, moment
from pipelines.score import cache_of
from pipelines.store import LeadStore
from pipelines.tracking import Tracking
from serve.lead_page import lead_page
from serve.lead_story import story
from tests.pipelines.conftest import NOW, World, second_version
from tests.serve.lead_data import facts as drawn_facts


def no_registry() -> Tracking:
    raise AssertionError("there is a local copy: nobody is asked")


def explained(world: World, lead: str, *, as_of: int | None = None, **flags: Any) -> dict[str, Any]:
    with world.open(read_only=True) as store:
        return explanation(store, world.settings(**flags), no_registry, lead, as_of=as_of)


def some_leads(world: World, number: int = 3) -> list[str]:
    with world.open(read_only=True) as store:
        rows = store.rows("SELECT lead_id FROM current_scores ORDER BY probability DESC, lead_id")
    return [str(row[0]) for row in rows[:: max(1, len(rows) // number)]][:number]


def refused(world: World, lead: str, *, as_of: int | None = None) -> str:
    with pytest.raises(UserError) as raised:
        explained(world, lead, as_of=as_of)
    assert raised.value.exit_code == 1
    return str(raised.value)


def test_everything_is_told_and_adds_up_on_either_engine(world_on: World) -> None:
    for lead in some_leads(world_on):
        found = explained(world_on, lead)
        with world_on.open(read_only=True) as store:
            ((p, low, high, percentile),) = store.rows(
                "SELECT probability, probability_low, probability_high, percentile FROM current_scores "
                "WHERE lead_id = $1",
                [lead],
            )
        told = tuple(found[key] for key in ("probability", "probability_low", "probability_high", "percentile"))
        assert told == (p, low, high, percentile)
        groups = found["groups"]
        parts = [
            groups["start"], *(family["log_odds"] for family in groups["families"].values()),
            groups["rest"]["log_odds"], groups["calibration"]["log_odds"],
        ]  # fmt: skip
        assert math.fsum(parts) == pytest.approx(math.log(p / (1 - p)), abs=1e-9)
        # The release was read, so every reason has its family.
        assert abs(groups["rest"]["log_odds"]) < 1e-4
        assert found["what_if"]["as_it_is"]["probability"] == pytest.approx(p, rel=1e-9)
        keys = [change["key"] for change in found["what_if"]["changes"]]
        assert {"demo_request", "pricing_page", "email_answered"} <= set(keys)
        assert keys[-1] == "quiet"
        assert found["trend"]["direction"] == "unknown"
        assert found["notes"] == []
        assert json.loads(json.dumps(found, allow_nan=False)) == found
        for language in ("en", "fr"):
            assert lead in lead_page(story(found, language=language))


def test_facts_drawn_for_other_tests_are_of_the_same_shape(trained: World) -> None:
    (lead,) = some_leads(trained, 1)
    found = explained(trained, lead, economics__customer_value=100.0)
    drawn = drawn_facts()
    assert set(found) == set(drawn)
    for key in ("signals", "groups", "trend", "economics", "what_if"):
        assert set(found[key]) == set(drawn[key]), key
    assert set(found["what_if"]["changes"][0]) == set(drawn["what_if"]["changes"][0])
    assert set(found["trend"]["nights"][0]) == set(drawn["trend"]["nights"][0])


def test_the_trend_goes_by_what_is_published_and_the_past_stays_what_it_was(world: World) -> None:
    before = {lead: explained(world, lead) for lead in some_leads(world, 1)}
    ((lead, first),) = before.items()
    world.score(days_later=1)
    now = explained(world, lead)
    assert [night["as_of"] for night in now["trend"]["nights"]] == [first["as_of"], now["as_of"]]
    assert now["trend"]["since"] == first["as_of"]
    assert now["trend"]["probability_before"] == first["probability"]
    for at in (world.as_of, world.as_of + timedelta(hours=5)):
        then = explained(world, lead, as_of=microseconds(at))
        assert then | {"notes": []} == first
        assert then["notes"] == [{"note": "older", "date": first["as_of"]}]


def test_without_the_release_the_rest_is_told(world: World) -> None:
    (lead,) = some_leads(world, 1)
    whole = explained(world, lead)
    for file in (cache_of(world.settings()).folder / str(world.report.digest)).iterdir():
        file.write_bytes(b"damaged")
    with world.open(read_only=True) as store:
        mended = explanation(store, world.settings(), world.tracking, lead)
        assert mended == whole  # from the registry, which has it still
        for file in (cache_of(world.settings()).folder / str(world.report.digest)).iterdir():
            file.write_bytes(b"damaged")
        away = Tracking(uri=f"sqlite:///{world.folder}/other.db", experiment="x", model_name="gone")
        found = explanation(store, world.settings(), lambda: away, lead)
    (note,) = found["notes"]
    assert (note["note"], note["version"]) == ("release", "1")
    assert note["why"]
    assert found["what_if"] is None
    told = [one for family in found["groups"]["families"].values() for one in family["reasons"]]
    assert {one["feature"] for one in told} == {one["feature"] for one in whole["reasons"]["reasons"]}
    assert found["groups"]["rest"]["log_odds"] == pytest.approx(whole["reasons"]["rest"], abs=1e-4)
    assert "cannot be read" in story(found).notes()[0]


def test_it_is_said_that_the_data_or_the_champion_are_others_now(world: World) -> None:
    lead = some_leads(world, 1)[0]
    version = second_version(world)
    with world.open() as store:
        store.change(
            "INSERT INTO promotions (number, model_version, digest, promoted_at, action, reason) SELECT 2, "
            "model_version, digest, $1, 'promote', '' FROM releases WHERE model_version = $2",
            [NOW, version],
        )
        # A demo request that an import brought afterwards, and that says it was known in time.
        store.change(
            "INSERT INTO events (event_id, lead_id, occurred_at, known_at, type) VALUES ('late', $1, $2, $2, "
            "'demo_request')",
            [lead, world.as_of - timedelta(days=2)],
        )
    found = explained(world, lead)
    champion, recomputed = found["notes"]
    assert champion == {"note": "champion", "version": "1", "champion": version}
    assert recomputed["note"] == "recomputed"
    assert recomputed["now"] > found["probability"]
    assert found["what_if"]["as_it_is"]["probability"] == pytest.approx(recomputed["now"])
    assert len(story(found, language="fr").notes()) == 2


def test_economics_and_points_stand_beside_it(world: World) -> None:
    lead = some_leads(world, 1)[0]
    plain = explained(world, lead)
    assert (plain["economics"], plain["points_parts"]) == (None, None)
    told = explained(world, lead, economics__customer_value=2000.0, economics__sales_touch_cost=1.0)["economics"]
    assert told["expected_value"] == pytest.approx(plain["probability"] * 2000)
    assert told["pays"]
    basket = {"economics__customer_value": 900.0, "economics__amount": "no_such_column"}
    (note,) = explained(world, lead, **basket)["notes"]
    assert note["note"] == "economics"
    assert "which this store has not" in note["why"]
    settings = {"points__source": "default"}
    world.score(settings=world.settings(**settings), supersede="points by the card")
    found = explained(world, lead, **settings)
    assert math.fsum(part["points"] for part in found["points_parts"]) == found["points"]
    assert story(found).points()[2] == []


def test_a_lead_of_whom_nothing_is_told_is_refused_with_the_reason(world: World) -> None:
    with world.open(read_only=True) as store:
        rows = dict(store.rows("SELECT stage, min(lead_id) FROM stage_changes WHERE known_at < $1 GROUP BY stage",
                               [world.as_of]))  # fmt: skip
    assert "holds no such lead" in refused(world, "nobody")
    assert "Did you mean" in refused(world, some_leads(world)[0].upper() + " ")
    assert "in the target stage (customer) already" in refused(world, str(rows["customer"]))
    first, second, third = some_leads(world)
    assert "nothing is published as of 2001" in refused(world, first, as_of=microseconds(NOW.replace(year=2001)))
    with world.open() as store:
        store.change("INSERT INTO objections (lead_id, since) VALUES ($1, $2)", [first, NOW])
        erase(store, second, now=NOW)
        store.change("DELETE FROM scores WHERE lead_id = $1", [third])
    assert "it objects to profiling" in refused(world, first)
    assert "it was erased at its request" in refused(world, second)
    assert "imported since, or quarantined" in refused(world, third)
    with pytest.raises(ConfigError, match="Say which lead"):
        explained(world, " ")
    for strange in ("L\0", "L\udcff"):
        assert "holds ids of UTF-8 text" in refused(world, strange)
    for strange in ("'; DROP TABLE leads; --", "\x1b[31m", "%", "é" * 4000):
        said = refused(world, strange)
        assert said.isprintable()
        assert "holds no such lead" in said


def test_a_lead_that_left_the_list_is_said_when_it_was_on_it(world: World) -> None:
    lead = some_leads(world, 1)[0]
    with world.open() as store:
        store.change(
            "INSERT INTO stage_changes (lead_id, stage, entered_at, known_at) VALUES ($1, 'disqualified', $2, $2)",
            [lead, world.as_of + timedelta(hours=1)],
        )
    world.score(days_later=1)
    said = refused(world, lead)
    assert "a person had disqualified it" in said
    assert f"add --as-of {moment(microseconds(world.as_of))}" in said
    assert explained(world, lead, as_of=microseconds(world.as_of))["probability"] > 0


def test_a_scored_lead_that_its_company_keeps_no_longer_is_told_as_gone(world: World) -> None:
    gone, lead, _ = some_leads(world)
    with world.open() as store:
        for table in ("leads", "profiles", "events", "stage_changes"):
            store.change(f"DELETE FROM {table} WHERE lead_id = $1", [gone])
    said = refused(world, gone)
    assert "it was scored, and is no longer among the leads of" in said
    assert "[store.tables]" in said
    assert explained(world, lead)["lead_id"] == lead


def test_contacts_are_not_read(trained: World) -> None:
    (lead,) = some_leads(trained, 1)
    asked: list[str] = []
    with trained.open(read_only=True) as store:
        whole = type(store.engine)

        class Heard(LeadStore):
            def rows(self, query: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
                asked.append(query)
                return super().rows(query, parameters)

            def arrow(self, query: str, parameters: Any = ()) -> Any:
                asked.append(query)
                return super().arrow(query, parameters)

        explanation(Heard(store.engine), trained.settings(), no_registry, lead)
        assert type(store.engine) is whole
    assert len(asked) > 10
    assert not [query for query in asked if "contacts" in query]


def test_the_command_tells_people_programs_and_browsers(trained: World, tmp_path: Path) -> None:
    app, (lead,) = typer.Typer(), some_leads(trained, 1)
    app.command()(explain)
    file, page = tmp_path / "leadscore.toml", tmp_path / "lead.html"
    kept = trained.settings()
    file.write_text(f'[store]\nurl = "{kept.store.url}"\n[release]\ncache = "{kept.release.cache}"\n', encoding="utf-8")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, [lead, "--config", str(file), *arguments])
        if done.exception:
            raise done.exception
        return done.stdout

    assert "recommended stage: " in run()
    assert "étape recommandée : " in run("--lang", "fr")
    assert json.loads(run("--json"))["lead_id"] == lead
    assert run("--out", str(page), "--lang", "fr") == ""
    assert '<html lang="fr">' in page.read_text(encoding="utf-8")
    assert run("--as-of", trained.as_of.isoformat()) == run()
    with pytest.raises(ConfigError, match="en, fr; found 'de'"):
        run("--lang", "de")
    with pytest.raises(UserError, match="nothing is published as of 2001"):
        run("--as-of", "2001-01-01")
