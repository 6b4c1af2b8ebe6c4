"""The trades' presets: each loads anywhere, fits its simulated company, and that company's store shows its point."""

import re
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from features.errors import ConfigError
from features.kinds import INTENT, KINDS
from models import rules
from models.rules import Card
from pipelines import config, demo
from pipelines.points import PointsCard
from pipelines.rules_card import card_of
from pipelines.snapshots import TrainingFrame
from pipelines.synthetic import COMPANIES, SimulatedStore, simulate
from pipelines.train import read_catalogue, read_frame
from serve.stages import StageLimits
from tests.pipelines.conftest import World
from tests.stores import memory_store

TRADES = tuple(COMPANIES)
#: Trade -> the column that the point is about, and how much likelier leads are that did it lately.
POINT = {"saas": ("product_uses_30d", 1.4), "agency": ("quote_requests_30d", 6.0), "ecommerce": ("baskets_7d", 8.0)}


def settings_of(text: str, folder: Path) -> config.Settings:
    file = folder / "leadscore.toml"
    file.write_text(text, encoding="utf-8")
    return config.load(file, environment={})


@cache
def card_named(name: str) -> Card:
    return card_of(tomllib.loads(config.card(name)), where=name)


@pytest.fixture(scope="module", params=TRADES)
def trade(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Looked:
    """A trade's demo in small: its settings, its store's columns and snapshots, and the true probability of each."""

    def __init__(self, trade: str, folder: Path) -> None:
        self.settings = settings_of(demo._own_file(trade), folder)
        self.simulated: SimulatedStore = simulate(company=COMPANIES[trade], leads=1200, seed=5)
        with memory_store() as store:
            demo.fill(store, self.simulated)
            self.inventory = store.inventory()
            self.columns = read_catalogue(self.inventory, self.settings)
            self.data: TrainingFrame = read_frame(
                store, self.settings, self.inventory, self.columns, as_of=None, progress=lambda _done, _total: None
            )
        self.truth = self.simulated.true_probability(
            np.asarray(self.data.lead_id), self.data.as_of, self.settings.label.horizon_days
        )
        self.known = ~np.isnan(self.truth)


@pytest.fixture(scope="module")
def looked(trade: str, tmp_path_factory: pytest.TempPathFactory) -> Looked:
    return Looked(trade, tmp_path_factory.mktemp(trade))


# What a preset says ---------------------------------------------------------------------------------------------------


def test_a_trade_s_preset_loads_in_any_folder_and_chooses_what_a_trade_chooses(
    trade: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = settings_of(config.preset(trade), tmp_path)
    assert settings.label.target_stage == "customer"
    assert set(settings.cohort.voluntary_kinds) <= set(KINDS)
    assert settings.events.kinds
    assert set(settings.events.kinds.values()) <= {*KINDS, "ignored"}
    assert settings.stages.intent_days >= settings.label.horizon_days
    StageLimits(
        mql_probability=settings.stages.mql_probability,
        sal_probability=settings.stages.sal_probability,
        sql_probability=settings.stages.sql_probability,
        pql_min_probability=settings.stages.pql_min_probability,
        recycle_after_days=settings.stages.recycle_after_days,
    )
    said = tomllib.loads(config.preset(trade))
    assert set(said) == {"events", "cohort", "label", "snapshots", "points", "stages"} | (set(said) & {"bands"})
    assert "economics" not in said, "what a customer is worth is the company's to say"


def test_the_trades_differ_where_they_should(tmp_path: Path) -> None:
    saas, agency, shop = (settings_of(config.preset(name), tmp_path) for name in ("saas", "agency", "ecommerce"))
    assert saas.label.horizon_days > agency.label.horizon_days > shop.label.horizon_days
    assert "product_use" in saas.cohort.voluntary_kinds
    assert set(agency.cohort.voluntary_kinds) & set(INTENT)
    assert {"basket", "form"} <= set(shop.cohort.voluntary_kinds)
    assert (saas.points.source, agency.points.source, shop.points.source) == ("crm", "agency", "ecommerce")


def test_the_money_that_a_preset_leaves_out_can_be_told_in_its_own_keys(trade: str, tmp_path: Path) -> None:
    """The commented example is taken up as it stands: every key in it exists, in the right section."""
    lines = config.preset(trade).splitlines()
    start = lines.index("# [economics]")
    block = [line.removeprefix("# ") for line in lines[start : lines.index("", start)]]
    uncommented = "\n".join([*lines[:start], *block, *lines[start + len(block) :]]).replace(
        "margin = 0.0", "margin = 0.4"
    )
    assert settings_of(uncommented, tmp_path).economics.customer_value == 0


def test_a_card_that_is_nowhere_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no points card 'services'; those that come along are: default, agency"):
        config.card("services")
    with pytest.raises(ConfigError, match=r"a card of ours \(default, agency, ecommerce,"):
        settings_of('[points]\nsource = "services"', tmp_path)


def test_every_card_that_comes_along_is_listed_and_can_be_read() -> None:
    files = {file.name for file in resources.files("pipelines.presets").iterdir() if file.name.startswith("points-")}
    assert files == {f"points-{name}.toml" for name in config.CARDS if name != "default"}
    for name in config.CARDS:
        assert config.card(name).startswith("# ")
        assert card_named(name).groups


def test_a_demo_is_of_a_trade(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="preset of a trade: saas, agency, ecommerce; found 'bpi2012'"):
        demo.demo(tmp_path, preset="bpi2012", seed=1, say=print, bar=None, clock=None)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


# What its simulated company shows -------------------------------------------------------------------------------------


def test_the_demo_s_money_names_columns_that_its_store_has(looked: Looked) -> None:
    economics = looked.settings.economics
    assert economics.customer_value > economics.sales_touch_cost > economics.nurture_touch_cost > 0
    assert {economics.amount, economics.segment} - {""} <= set(looked.columns.names)
    if economics.amount:
        assert looked.data.frame[economics.amount].notna().mean() > 0.3
    if economics.segment:
        assert set(economics.values) == set(looked.data.frame[economics.segment].dropna())


def test_a_trade_s_card_finds_all_its_columns_and_ranks_far_better_than_chance(trade: str, looked: Looked) -> None:
    source = "default" if trade == "saas" else looked.settings.points.source
    assert source == ("default" if trade == "saas" else trade)
    settings = looked.settings.model_copy(
        update={"points": config.PointsSettings(source=source, text=config.card(source))}
    )
    counted = PointsCard(settings, looked.inventory)
    assert counted.left_out == []
    points = counted.total(looked.data.frame)
    assert (
        0.62
        < roc_auc_score(looked.data.outcome, points)
        < roc_auc_score(looked.data.outcome[looked.known], looked.truth[looked.known])
    )
    stages = rules.points(looked.data.frame, counted.card)["stage"].value_counts(normalize=True)
    assert 0.005 < stages["sql"] < stages["mql"] < 0.4


def test_the_point_of_a_trade_is_true(trade: str, looked: Looked) -> None:
    column, likelier = POINT[trade]
    did = looked.data.frame[column].to_numpy()[looked.known] > 0
    truth = looked.truth[looked.known]
    assert truth[did].mean() > likelier * truth[~did].mean()


def test_a_trade_s_limits_leave_something_to_do_for_everybody(trade: str, looked: Looked) -> None:
    """By the truth itself: most leads wait, some are nurtured, few go to sales."""
    limits, truth = looked.settings.stages, looked.truth[looked.known]
    sales, nurtured = (truth >= limits.sal_probability).mean(), (truth >= limits.mql_probability).mean()
    assert 0.01 < sales < 0.25
    assert 2 * sales < nurtured < 0.6


def test_voluntary_kinds_miss_no_lead_of_the_company(trade: str, looked: Looked) -> None:
    assert set(COMPANIES[trade].first_acts) <= set(looked.settings.cohort.voluntary_kinds)


def test_the_demo_says_its_point_in_figures(trained: World) -> None:
    said: list[str] = []
    with trained.open(read_only=True) as store:
        demo._say_point(store, trained.settings(), demo._SHOWN["saas"], trained.as_of, say=said.append)
    (sentence,) = said
    assert re.search(
        r"[\d.]+% of these leads used the product in the last 60 days\. They are [\d.]+% likely to buy within 60 days "
        r"\(the others [\d.]+%\) and make \d+% of the customers expected; recommended: .*\d pql",
        sentence,
    ), sentence


# Laws of the cards ----------------------------------------------------------------------------------------------------

TEXTS = ("job_function", "company_size_band", "source_channel", "email_class")
some_leads = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)


def leads(name: str, seed: int, *, rows: int = 200) -> pd.DataFrame:
    """Leads in the columns of a card: counts and days since drawn freely, some never, texts left blank."""
    rng = np.random.default_rng(seed)
    drawn: dict[str, object] = {}
    for column in sorted(
        {of for group in card_named(name).groups.values() for one in group.criteria for of in one.features}
    ):
        days = np.where(rng.random(rows) < 0.3, np.nan, rng.exponential(30.0, rows))
        counts = rng.integers(0, 4, rows).astype(np.float64)
        blank = pd.Series([None] * rows, dtype="str")
        drawn[column] = blank if column in TEXTS else days if column.startswith("days_") else counts
    return pd.DataFrame(drawn)


def totals(frame: pd.DataFrame, name: str, **told: str | float) -> np.ndarray:
    return rules.points(frame.assign(**told), card_named(name))["total"].to_numpy("float64")


@given(some_leads)
@few
def test_in_a_shop_a_free_address_costs_nothing(seed: int) -> None:
    frame = leads("ecommerce", seed)
    free = totals(frame, "ecommerce", email_class="free")
    np.testing.assert_array_equal(free, totals(frame, "ecommerce", email_class="business"))
    assert np.all(free >= totals(frame, "ecommerce"))


@given(some_leads)
@few
def test_for_an_agency_a_quote_asked_for_today_counts_most(seed: int) -> None:
    frame = leads("agency", seed)
    asked = totals(frame, "agency", quote_requests=1.0, days_since_quote_request=0.0)
    never = totals(frame, "agency", quote_requests=0.0, days_since_quote_request=np.nan)
    assert np.all(asked >= totals(frame, "agency"))
    assert np.all(asked > never)
    engagement = card_named("agency").engagement
    quote, *others = sorted((float(one.points) for one in engagement.criteria), reverse=True)
    assert quote >= 3 * others[0]


@given(some_leads)
@few
def test_in_a_shop_a_basket_of_this_week_is_worth_more_than_none(seed: int) -> None:
    frame = leads("ecommerce", seed)
    assert np.all(totals(frame, "ecommerce", baskets_7d=1.0) > totals(frame, "ecommerce", baskets_7d=0.0))
