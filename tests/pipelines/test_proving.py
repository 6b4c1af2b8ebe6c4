"""The proof of a training: its figures hang together, and point at nobody."""

import json

import numpy as np
import pandas as pd
import pytest

from models.segments import OTHER
from pipelines.proof_facts import FEWEST_LEADS, _labels
from pipelines.proving import capacity_leads, capacity_share, lists, prove, segment_columns
from pipelines.train import read_catalogue, read_frame, read_inventory
from tests.pipelines.conftest import World


def test_the_folds_and_the_months_tell_of_the_same_snapshots(trained: World) -> None:
    facts = trained.report.facts
    assert len(facts["folds"]) >= 2
    for rows, size in ((facts["folds"], "test"), (facts["months"], "snapshots")):
        assert sum(row[size] for row in rows) == facts["snapshots"]["test"]
    for fold, following in zip(facts["folds"], facts["folds"][1:], strict=False):
        assert fold["to"] < following["from"]
        assert fold["trained_until"] <= fold["from"]
    promised = sum(row["predicted_mean"] * row["snapshots"] for row in facts["months"])
    assert promised == pytest.approx(sum(fold["predicted_mean"] * fold["test"] for fold in facts["folds"]))
    assert json.loads(json.dumps(facts, allow_nan=False)) == json.loads(json.dumps(facts))


def test_every_contestant_is_told_with_its_differences_and_the_gain_is_that_of_the_metrics(trained: World) -> None:
    facts = trained.report.facts
    for name, metrics in facts["baselines"].items():
        found = facts["differences"][name]["log_loss"]
        difference = facts["metrics"]["log_loss"]["value"] - metrics["log_loss"]["value"]
        assert found["value"] == pytest.approx(difference)
        assert (found["word"] == "better") == (found["high"] < 0)
    (tenth,) = [place for place in facts["gain"] if place["share"] == 0.1]
    assert tenth["model"] == pytest.approx(facts["metrics"]["captured_at_10"]["value"])
    assert tenth["points"] == pytest.approx(facts["baselines"]["points"]["captured_at_10"]["value"])


def test_a_value_of_a_few_leads_is_not_told_apart(trained: World) -> None:
    def told_of(**counts: int) -> dict[str, int]:
        values = [name for name, count in counts.items() for _ in range(count)]
        found = _labels(pd.Series(values), np.array([f"l{n}" for n in range(len(values))], object))
        return pd.Series(found).value_counts().to_dict()

    assert told_of(FR=40, BE=25) == {"FR": 40, "BE": 25}
    assert told_of(FR=40, BE=12, LU=10) == {"FR": 40, OTHER: 22}
    assert told_of(FR=40, BE=25, LI=1) == {"FR": 40, OTHER: 26}, "one lead alone is no group either"
    assert FEWEST_LEADS == 20
    told = [row for row in trained.report.facts["segments"] if row["value"] not in ("(other)", "(not known)")]
    assert told
    assert min(row["leads"] for row in told) >= FEWEST_LEADS


def test_lists_are_nights_or_months_and_capacity_is_a_share_of_them(trained: World) -> None:
    day = 86_400_000_000
    as_of = np.array([0, 1, 40, 41], np.int64) * day
    nightly = trained.settings(evaluation__capacity_leads=1)
    assert lists(as_of, nightly).tolist() == as_of.tolist()
    assert capacity_share(as_of, nightly, drawn=1.0) == 1.0
    once = trained.settings(evaluation__capacity_leads=1, snapshots__at="creation")
    assert len(set(lists(as_of, once))) == 2
    assert capacity_share(as_of, once, drawn=1.0) == 0.5
    assert capacity_share(as_of, trained.settings(), drawn=1.0) is None


def test_calls_are_a_share_of_all_leads_not_of_those_drawn(trained: World) -> None:
    whole = np.repeat(np.arange(3, dtype=np.int64) * 86_400_000_000, 4000)
    hundred = trained.settings(evaluation__capacity_leads=100)
    expected = capacity_share(whole, hundred, drawn=1.0)
    assert expected == 100 / 4000
    assert capacity_share(whole[::20], hundred, drawn=0.05) == pytest.approx(expected)
    facts = trained.report.facts
    assert facts["data"]["sampled_share"] < 0.2, "the leads of this world's training are drawn"


def test_without_a_capacity_that_of_the_economics_counts(trained: World) -> None:
    as_of = np.zeros(50, np.int64)
    daily = trained.settings(economics__touches_per_day=10)
    assert (capacity_leads(daily), capacity_share(as_of, daily, drawn=1.0)) == (10, 0.2)
    told = trained.settings(economics__touches_per_day=10, evaluation__capacity_leads=5)
    assert (capacity_leads(told), capacity_share(as_of, told, drawn=1.0)) == (5, 0.1)
    # The list of a month is not that of a day.
    once = trained.settings(economics__touches_per_day=10, snapshots__at="creation")
    assert (capacity_leads(once), capacity_share(as_of, once, drawn=1.0)) == (0, None)


def test_a_proof_knows_the_capacity_of_the_whole_list(trained: World) -> None:
    with trained.open(read_only=True) as store:
        settings = trained.settings(economics__touches_per_day=400, splits__cut_offs=1)
        inventory = read_inventory(store, as_of=None)
        columns = read_catalogue(inventory, settings)
        data = read_frame(store, settings, inventory, columns, as_of=None, progress=lambda _done, _total: None)
    proof = prove(data, settings, columns, points=None, against=("base_rate",))
    nights = len(np.unique(proof.as_of))
    assert proof.model.capacity_share == pytest.approx(400 * data.sampled_share * nights / len(proof.as_of))


def test_segments_are_those_asked_for_that_the_store_has(trained: World) -> None:
    frame = pd.DataFrame({"country": ["FR", None], "industry": [None, None], "visits": [1.0, 2.0], "plan": ["a", "b"]})
    assert segment_columns(frame, trained.settings()) == ["country"]
    assert segment_columns(frame, trained.settings(evaluation__segments=["plan", "visits", "gone"])) == [
        "plan",
        "country",
    ]
