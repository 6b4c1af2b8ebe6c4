"""The model against marketing's points: judged on the same later snapshots, by what was known then."""

import json
from pathlib import Path

import numpy as np
import pytest

from features.errors import TooLittleData, UserError
from pipelines.compare import METRICS, compare
from pipelines.points import points_of
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore
from pipelines.train import read_catalogue, read_frame
from tests.pipelines.conftest import World


def test_both_are_judged_on_the_same_later_snapshots(trained: World) -> None:
    said: list[str] = []
    with trained.open(read_only=True) as store:
        report = compare(store, trained.settings(), as_of=None, say=said.append)
    facts = trained.report.facts
    json.dumps(report, allow_nan=False)
    assert report["snapshots"] == facts["snapshots"]["test"]
    assert set(report["metrics"]) == set(METRICS)
    for name, row in report["metrics"].items():
        # The model is the one whose training was proved: the same procedure on the same snapshots.
        assert row["model"] == pytest.approx(facts["metrics"][name]["value"], abs=1e-9)
        assert row["difference"]["value"] == pytest.approx(row["model"] - row["points"], abs=1e-9)
        assert row["difference"]["low"] <= row["difference"]["high"]
        assert row["word"] in ("better", "level", "worse")
        assert (row["word"] == "level") == (row["difference"]["low"] <= 0 <= row["difference"]["high"])
    # What points say is little, and the model reads what they are made of.
    assert report["metrics"]["roc_auc"]["points"] > 0.5
    assert report["metrics"]["roc_auc"]["model"] > report["metrics"]["roc_auc"]["points"]
    for who in ("model", "points"):
        assert report["captured_at_10"][who] == pytest.approx(0.1 * report["metrics"]["lift_at_10"][who])
        assert f"{report['captured_at_10'][who]:.0%}" in report["verdict"]
    assert any("learning from" in message for message in said)


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


def test_an_empty_store_and_a_young_one_are_told_so(world: World, tmp_path: Path) -> None:
    with (
        LeadStore.open(str(tmp_path / "empty.duckdb"), create=True) as store,
        pytest.raises(TooLittleData, match="holds no leads"),
    ):
        compare(store, world.settings(), as_of=None)
    with world.open(read_only=True) as store, pytest.raises(TooLittleData, match="at least 40"):
        compare(store, world.settings(), as_of=store.inventory().first_created_at + 100 * 86_400_000_000)
