"""Points by a card: in the scores, in the comparison, and explained by parts that add up."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import ConfigError
from pipelines import config
from pipelines.compare import compare
from pipelines.moments import microseconds
from pipelines.points import parts_of, points_of
from pipelines.rules_card import default_card
from pipelines.train import read_catalogue, read_frame
from tests.pipelines.conftest import World


def test_scores_carry_the_points_of_the_card_and_their_stage(world: World) -> None:
    settings = world.settings(points__source="default")
    world.score(settings=settings, supersede="points by the card")
    moment = microseconds(world.as_of)
    with world.open(read_only=True) as store:
        found = store.rows("SELECT lead_id, points, points_stage FROM current_scores ORDER BY lead_id")
        assert {stage for *_, stage in found} == {"lead", "mql", "sql"}
        for lead, points, stage in found[::97]:
            parts = parts_of(store, settings, lead, as_of=moment)
            assert parts is not None
            assert sum(part["points"] for part in parts) == points
            assert stage == ("sql" if points >= 70 else "mql" if points >= 40 else "lead")
        assert parts_of(store, world.settings(), found[0][0], as_of=moment) is None


def test_without_a_card_points_are_the_crm_s_and_have_no_stage(trained: World) -> None:
    with trained.open(read_only=True) as store:
        ((points, stages),) = store.rows("SELECT count(points), count(points_stage) FROM current_scores")
    assert (points > 0, stages) == (True, 0)


def test_the_model_is_compared_with_the_card(trained: World) -> None:
    said: list[str] = []
    with trained.open(read_only=True) as store:
        crm = compare(store, trained.settings(), as_of=None)
        card = compare(store, trained.settings(points__source="default"), as_of=None, say=said.append)
    assert crm["metrics"]["roc_auc"]["model"] == card["metrics"]["roc_auc"]["model"]
    assert crm["metrics"]["roc_auc"]["points"] != card["metrics"]["roc_auc"]["points"]
    assert 0.6 < card["metrics"]["roc_auc"]["points"] < 0.95


@pytest.mark.parametrize("range_leads", [700, 100_000])
def test_what_is_kept_from_the_model_is_not_kept_from_the_card(trained: World, range_leads: int) -> None:
    """[features] exclude names columns that the model may not read; marketing's points count them all the same."""
    settings = trained.settings(points__source="default", score__range_leads=range_leads)
    excluded = trained.settings(
        points__source="default", score__range_leads=range_leads, features__exclude=["job_function", "seniority"]
    )
    with trained.open(read_only=True) as store:
        inventory = store.inventory()

        def counted(of: config.Settings) -> tuple[set[str], Any]:
            columns = read_catalogue(inventory, of)
            data = read_frame(store, of, inventory, columns, as_of=None, progress=lambda _done, _total: None)
            return set(data.frame.columns), points_of(store, of, inventory, data)

        (whole, expected), (columns, found) = counted(settings), counted(excluded)
    assert whole - columns >= {"job_function", "seniority"}
    assert len(set(expected)) > 10
    np.testing.assert_array_equal(found, expected)


def settings(**flags: Any) -> config.Settings:
    return config.load(environment={}, flags={f"points.{key}": value for key, value in flags.items()})


def test_a_card_of_one_s_own_counts_in_the_digest_by_what_it_says(tmp_path: Path) -> None:
    own, same = tmp_path / "card.toml", tmp_path / "same.toml"
    own.write_text(default_card(), encoding="utf-8")
    before = settings(source=str(own))
    own.write_text(default_card().replace("mql_points = 40", "mql_points = 45"), encoding="utf-8")
    assert settings(source=str(own)).digest() != before.digest()
    same.write_text(default_card(), encoding="utf-8")
    assert settings(source=str(same)).points.text == before.points.text
    assert json.dumps(settings(source="crm").model_dump()["points"]) == '{"source": "crm", "text": ""}'


def test_a_card_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[points\] source: .*none\.toml cannot be read.*config card"):
        settings(source=str(tmp_path / "none.toml"))


def test_a_card_with_a_mistake_is_refused_before_anything_is_scored(world: World, tmp_path: Path) -> None:
    own = tmp_path / "card.toml"
    own.write_text(default_card().replace('feature = "job_function"', 'feature = "job_functoin"', 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"job_functoin.*[Dd]id you mean.*job_function"):
        world.score(days_later=1, settings=world.settings(points__source=str(own)))
    with world.open(read_only=True) as store:
        assert np.array(store.rows("SELECT count(*) FROM published")).item() == 1
