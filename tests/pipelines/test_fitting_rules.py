"""A points card learned from a store's model: judged out of time, written to a file that is the same card when read."""

import json
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from features.errors import ConfigError, TooLittleData
from models.rules import Card, Criterion, Decay, Group, points
from pipelines.checking_rules import check_rules
from pipelines.cli_rules import rules_app
from pipelines.fitting_rules import LEARNED, FittedRules, fit_rules, learned_points
from pipelines.moments import microseconds
from pipelines.proving import MODEL, prove
from pipelines.rules_card import card_of, default_card, for_store, read_card
from pipelines.rules_writing import card_toml
from pipelines.snapshots import TrainingFrame
from pipelines.train import read_catalogue, read_frame, read_inventory
from tests.models.data import few_examples
from tests.pipelines.conftest import World

CRITERIA = 6


@dataclass(frozen=True)
class Fitted:
    fitted: FittedRules
    file: Path
    data: TrainingFrame
    said: list[str]


@pytest.fixture(scope="module")
def fitted(trained: World, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """One card, learned once; language is kept from it."""
    settings, said = trained.settings(features__exclude=["language"]), []
    file = tmp_path_factory.mktemp("cards") / "learned.toml"
    with trained.open(read_only=True) as store:
        found = fit_rules(store, settings, criteria=CRITERIA, as_of=None, say=said.append)
        inventory = read_inventory(store, as_of=None)
        columns = read_catalogue(inventory, settings)
        data = read_frame(store, settings, inventory, columns, as_of=None, progress=lambda _done, _total: None)
    file.write_text(found.text, encoding="utf-8")
    return Fitted(found, file, data, said)


def test_the_file_is_the_card(fitted: Fitted, trained: World) -> None:
    with trained.open(read_only=True) as store:
        columns = read_catalogue(read_inventory(store, as_of=None), trained.settings())
    read = for_store(read_card(fitted.file), of=columns)
    assert not read.left_out
    pd.testing.assert_frame_equal(points(fitted.data.frame, read), points(fitted.data.frame, fitted.fitted.card))


def test_the_file_says_on_which_leads_its_card_can_be_judged(fitted: Fitted) -> None:
    head = [line for line in fitted.fitted.text.splitlines() if line.startswith("#")]
    until = fitted.fitted.report["known_until"]
    assert f"# Learned from the model by 'leadscore rules fit', from what was known up to {until}." in head
    told = " ".join(line.removeprefix("# ") for line in head)
    assert f"'leadscore compare' is fair to it only on leads after {until}." in told
    assert int(fitted.data.as_of.max()) < microseconds(datetime.fromisoformat(until))


def test_the_card_is_few_whole_points_of_columns_that_the_model_may_use(fitted: Fitted) -> None:
    card, report = fitted.fitted.card, fitted.fitted.report
    criteria = [criterion for group in card.groups.values() for criterion in group.criteria]
    assert 0 < len(criteria) == len(report["criteria"]) <= CRITERIA
    assert all(criterion.points == int(criterion.points) != 0 for criterion in criteria)
    assert set(card.features) <= set(fitted.data.frame.columns)
    assert "language" not in card.features
    assert card.limits[0] < card.limits[1] <= 100 == card.cap
    for name in ("mql", "sql"):
        handed = report["handed_over"][name]
        assert handed[LEARNED] == pytest.approx(handed[MODEL], abs=0.12)


def test_the_card_is_judged_on_leads_it_never_saw_beside_the_model_and_the_points(fitted: Fitted) -> None:
    report = fitted.fitted.report
    json.dumps(report, allow_nan=False)
    metrics = report["metrics"]
    assert set(metrics) == {LEARNED, MODEL, "points"}
    # The store's own points know little; the card keeps most of what the model knows, and no more than that.
    assert metrics["points"]["roc_auc"]["value"] < metrics[LEARNED]["roc_auc"]["value"]
    assert 0.7 < report["kept"] < 1.3
    assert 0.4 < report["kept_of_what_it_says"] <= 1
    for other in (MODEL, "points"):
        for key, difference in report["differences"][other].items():
            theirs, ours = metrics[other][key]["value"], metrics[LEARNED][key]["value"]
            assert difference["value"] == pytest.approx(ours - theirs, abs=1e-9)
            assert difference["low"] <= difference["value"] <= difference["high"]
    assert f"finds {report['captured_at_10'][LEARNED]:.0%} of the conversions" in report["verdict"]
    assert any("learning a card of 6 criteria at most" in message for message in fitted.said)
    assert report["verdict"].split(". The")[0] in fitted.fitted.text


def test_what_a_card_says_of_later_leads_comes_from_earlier_ones(fitted: Fitted, trained: World) -> None:
    settings = trained.settings()
    with trained.open(read_only=True) as store:
        columns = read_catalogue(read_inventory(store, as_of=None), settings)
    columns = replace(columns, columns=tuple(c for c in columns.columns if c.name in fitted.data.frame))
    proof = prove(fitted.data, settings, columns, points=None, against=())
    found = learned_points(proof.backtest, fitted.data, columns, criteria=3)
    assert found.points.shape == found.probability.shape == proof.outcome.shape
    assert len(found.cards) == len(proof.backtest.folds)
    # Whatever became of the later leads, the cards and what they say are the same.
    later = np.isin(np.arange(len(fitted.data.outcome)), proof.backtest.folds[-1].fold.split.later)
    other = replace(fitted.data, outcome=np.where(later, 1 - fitted.data.outcome, fitted.data.outcome))
    again = learned_points(proof.backtest, other, columns, criteria=3)
    np.testing.assert_array_equal(found.points, again.points)
    np.testing.assert_array_equal(found.probability, again.probability)


def test_a_model_without_skill_teaches_nothing(trained: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.fitting_rules.decide", lambda *_: ("no skill", "no skill found."))
    monkeypatch.setattr("pipelines.fitting_rules.learned_points", lambda *_, **__: pytest.fail("it went on"))
    with trained.open(read_only=True) as store, pytest.raises(TooLittleData, match=r"knows nothing: no skill found"):
        fit_rules(store, trained.settings(splits__cut_offs=1), as_of=None)


# ---- Checking -----------------------------------------------------------------------------------------------------


def test_a_card_is_counted_on_the_leads_that_are_open(trained: World, fitted: Fitted) -> None:
    with trained.open(read_only=True) as store:
        ours = check_rules(store, trained.settings(), fitted.file, as_of=None)
        earlier = check_rules(store, trained.settings(score__range_leads=300), None, as_of=int(fitted.data.as_of[0]))
    for report in (ours, earlier):
        json.dumps(report, allow_nan=False)
        assert sum(report["stages"].values()) == sum(report["grades"].values()) == report["leads"]
        assert all(0 <= row["matches"] <= report["leads"] for row in report["criteria"])
    assert len(ours["criteria"]) == len(fitted.fitted.report["criteria"])
    sampled = int((fitted.data.as_of == fitted.data.as_of[0]).sum())
    assert sampled <= earlier["leads"] < ours["leads"]


def test_a_check_says_what_a_store_cannot_fill_and_what_is_no_feature(trained: World, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(default_card().replace('"industry"', '"industri"'), encoding="utf-8")
    with trained.open(read_only=True) as store:
        with pytest.raises(
            ConfigError, match=r"own.toml: criterion 4 of \[rules.fit\], 'Our sectors'.*Did you mean indus"
        ):
            check_rules(store, trained.settings(), file, as_of=None)
        report = check_rules(store, trained.settings(events__kinds={"webinar": "ignored"}), None, as_of=None)
    assert report["left_out"] == {"Signed up for a webinar": "no column webinars: the store has no webinar"}
    assert "Signed up for a webinar" not in {row["name"] for row in report["criteria"]}


# ---- The commands -------------------------------------------------------------------------------------------------


def run(trained: World, *arguments: str) -> Any:
    result = CliRunner().invoke(rules_app, [*arguments, "--store", trained.url])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_fit_writes_the_card_and_refuses_to_write_over_one(
    trained: World, fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipelines.fitting_rules.fit_rules", lambda *_, **__: fitted.fitted)
    done = run(trained, "fit", "--out", "card.toml")
    assert (tmp_path / "card.toml").read_text(encoding="utf-8") == fitted.fitted.text
    for said in ("Points card learned from the model", "On later leads", fitted.fitted.report["verdict"][:40]):
        assert said in done.stdout
    assert "Wrote card.toml" in done.stderr
    until = fitted.fitted.report["known_until"]
    assert f"compare is fair to this card only on leads after {until}." in done.stderr
    assert "Next: leadscore compare" not in done.stderr
    with pytest.raises(ConfigError, match=r"card.toml is there already.*--force"):
        run(trained, "fit", "--out", "card.toml")
    assert (
        json.loads(run(trained, "fit", "--out", "card.toml", "--force", "--json").stdout)["card"] == fitted.fitted.text
    )
    assert "Nothing was written" in run(trained, "fit").stderr


def test_check_prints_a_line_for_each_criterion(
    trained: World, fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    report = json.loads(run(trained, "check", str(fitted.file), "--json").stdout)
    done = run(trained, "check", str(fitted.file))
    assert all(row["name"] in done.stdout for row in report["criteria"])
    assert f"{report['leads']:,} leads: sql" in done.stdout


# ---- Writing ------------------------------------------------------------------------------------------------------


def same(one: Card, other: Card) -> bool:
    return replace(one, where="") == replace(other, where="")


HERE = Path(str(resources.files("pipelines")))


@pytest.mark.parametrize(
    "file", [HERE / "rules_card.toml", *sorted(HERE.glob("presets/points-*.toml"))], ids=lambda file: file.name
)
def test_every_card_that_comes_along_is_the_same_when_written_and_read(file: Path) -> None:
    card = card_of(tomllib.loads(file.read_text(encoding="utf-8")), where=str(file))
    assert same(card_of(tomllib.loads(card_toml(card, head=["Two lines\nof a comment", ""])), where="x"), card)


texts = st.text(min_size=1, max_size=12).filter(str.strip)
numbers = st.integers(-(10**6), 10**6) | st.floats(-1e9, 1e9, allow_nan=False)


@st.composite
def criteria(draw: st.DrawFn) -> Criterion:
    operator, value = draw(
        st.one_of(
            st.tuples(st.sampled_from(["at_least", "less_than"]), numbers),
            st.tuples(st.just("between"), st.tuples(numbers, numbers).map(sorted).map(tuple)),
            st.tuples(st.just("is"), texts | numbers | st.booleans()),
            st.tuples(st.just("is_one_of"), st.lists(texts, min_size=1, max_size=3).map(tuple)),
            st.tuples(st.just("is_known"), st.none()),
        )
    )
    days = draw(st.integers(1, 300) | st.floats(0.5, 300))
    return Criterion(
        name=draw(texts), feature=draw(texts), operator=operator, value=value,
        points=Decimal(draw(st.integers(-999, 999))).scaleb(-2),
        decay=draw(st.sampled_from([None, Decay(by="d", half_life_days=days), Decay(by="d", zero_after_days=days)])),
    )  # fmt: skip


@few_examples
@given(
    st.lists(criteria(), min_size=1, max_size=4, unique_by=lambda criterion: criterion.name),
    st.none() | st.integers(-50, 9),
    st.none() | st.integers(30, 90),
)
def test_any_card_is_the_same_when_written_and_read(those: list[Criterion], floor: int | None, cap: int | None) -> None:
    limits = (Decimal("10.25"), Decimal("20.5"))
    card = Card(
        fit=Group(criteria=(), limits=limits, cap=None if cap is None else Decimal(cap)),
        engagement=Group(criteria=tuple(those), limits=limits),
        limits=limits,
        cap=None if cap is None else Decimal(cap),
        floor=None if floor is None else Decimal(floor),
        decimals=2,
    )
    assert same(card_of(tomllib.loads(card_toml(card)), where="x"), card)
