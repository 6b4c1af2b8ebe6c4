"""Leads as the store holds them are scored, explained and staged: each one by what is known of it alone."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import expit

from features.build import describe
from features.catalogue import catalogue
from features.cohort import eligible
from features.errors import ReleaseRefused
from features.kinds import KINDS
from features.tables import (
    EVENTS,
    LEADS,
    MICROSECONDS_PER_DAY,
    OBJECTIONS,
    PROFILES,
    STAGE_CHANGES,
    STAGES,
    LeadTables,
)
from models.bundle import Release
from models.contract import Contract, ContractColumn, ranges
from models.encoding import Floats
from models.estimator import learn
from models.explanation import explain, linear_centre
from models.label import converted
from models.members import Members
from models.uncertainty import fit_band
from serve import scorer
from serve.bands import BandLimits
from serve.economics import Economics
from serve.scorer import Policy, candidates, catalogue_of, score
from serve.stages import ORDER, StageLimits

DAY: Final = MICROSECONDS_PER_DAY
HORIZON_DAYS: Final = 30
TYPES: Final = ("page", "content_download", "webinar", "email_opened", "Demo asked")
TYPE_KINDS: Final = {"page": "page", "content_download": "content_download", "webinar": "webinar"} | {
    "email_opened": "email_opened",
    "Demo asked": "demo_request",
}
POLICY: Final = Policy(
    bands=BandLimits(0.30, 0.15, 0.05),
    stages=StageLimits(mql_probability=0.05, sal_probability=0.15, sql_probability=0.15, pql_min_probability=0.05),
    intent_days=90,
    product_use_days=30,
    out_of_target_functions=["student"],
    out_of_target_email_classes=["disposable"],
    out_of_target_countries=[],
    reasons=4,
)
COLUMNS: Final = [
    "lead_id",
    "as_of",
    "probability",
    "probability_low",
    "probability_high",
    "band",
    "recommended_stage",
    "stage_reason",
    "needs_confirmation",
    "reasons",
    "overridden",
]
#: Job title -> how often such a lead asks for a demo, and then buys.
TITLES: Final = {
    "Purchasing manager": (0.6, 0.75),
    "Marketing Director": (0.4, 0.5),
    "Software engineer": (0.3, 0.25),
    "Student": (0.15, 0.03),
}


@dataclass(frozen=True)
class Lead:
    """A lead as people tell of it; times in days, events as (day, type)."""

    lead_id: str
    title: str | None
    created: float
    events: Sequence[tuple[float, str]]
    customer: float | None = None
    country: str | None = "fr"


def at(day: float) -> int:
    return round(day * DAY)


def tables(leads: Iterable[Lead]) -> LeadTables:
    """As the store streams them: ordered by lead, then time."""
    rows = sorted(leads, key=lambda lead: lead.lead_id)
    return LeadTables(
        leads=pa.Table.from_pylist(
            [{"lead_id": r.lead_id, "created_at": at(r.created), "known_at": at(r.created)} for r in rows], LEADS
        ),
        profiles=pa.Table.from_pylist(
            [
                {
                    "lead_id": r.lead_id,
                    "known_at": at(r.created),
                    "job_title": r.title,
                    "country": r.country,
                    "email_class": "business",
                }
                for r in rows
            ],
            PROFILES,
        ),
        events=pa.Table.from_pylist(
            [
                {"lead_id": r.lead_id, "occurred_at": at(day), "known_at": at(day), "type": type_}
                for r in rows
                for day, type_ in sorted(r.events)
            ],
            EVENTS,
        ),
        stage_changes=pa.Table.from_pylist(
            [
                {"lead_id": r.lead_id, "stage": "customer", "entered_at": at(r.customer), "known_at": at(r.customer)}
                for r in rows
                if r.customer is not None
            ],
            STAGE_CHANGES,
        ),
        objections=OBJECTIONS.empty_table(),
    )


def snapshots(leads: Iterable[Lead], as_of: float) -> pd.DataFrame:
    names = sorted(lead.lead_id for lead in leads)
    return pd.DataFrame({"lead_id": pd.Series(names, dtype="str"), "as_of": at(as_of)})


def market(leads: int, *, seed: int) -> list[Lead]:
    """A year of leads: all download something, some ask for a demo, and of those some buy."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(leads):
        title = str(random.choice(list(TITLES)))
        asks, buys = TITLES[title]
        created = float(random.uniform(0, 360))
        events = [(created, "content_download")]
        events += [(created + float(d), "page") for d in random.uniform(0, 60, random.poisson(4))]
        events += [(created + float(d), "email_opened") for d in random.uniform(0, 60, random.poisson(2))]
        customer = None
        if random.random() < asks:
            demo = created + float(random.uniform(1, 40))
            events.append((demo, "Demo asked"))
            if random.random() < buys:
                customer = demo + float(random.uniform(1, 40))
        country = str(random.choice(["fr", "de", "es"]))
        made.append(Lead(f"lead {number:04}", title, created, events, customer, country))
    return made


@cache
def release() -> Release:
    """Trained on a small market, from its tables on."""
    leads = market(500, seed=0)
    known = tables(leads)
    asked = pd.concat([snapshots(leads, day) for day in range(20, 400, 15)])
    cohort = eligible(
        known, asked.reset_index(drop=True), target_stage="customer", voluntary_types=["content_download"]
    )
    created = pd.Series({lead.lead_id: at(lead.created) for lead in leads})
    young = cohort.snapshots["as_of"] - cohort.snapshots["lead_id"].map(created) < 60 * DAY
    rows = cohort.snapshots[young].reset_index(drop=True)
    columns = catalogue(
        kinds=TYPE_KINDS,
        type_counts=dict.fromkeys(TYPES, 100),
        profile_columns=("job_title", "country", "email_class"),
        attributes={},
    )
    frame = describe(known, rows, of=columns).reset_index(drop=True)
    outcome, _ = converted(known, rows, target_stage="customer", horizon_days=HORIZON_DAYS)
    learned = learn(
        frame,
        outcome,
        lead_id=rows["lead_id"].tolist(),
        as_of=rows["as_of"].to_numpy(np.int64),
        horizon_days=HORIZON_DAYS,
        monotone={column.name: column.monotone for column in columns.columns if column.monotone},
    )
    encoding = learned.model.members.encoding
    measured = ranges(frame, encoding=encoding)
    contract = Contract(
        tuple(
            ContractColumn(c.name, c.type, c.about, c.unit, c.missing, c.family, c.monotone, **measured[c.name])
            for c in columns.columns
        ),
        columns.kinds,
        columns.own_kinds,
        columns.attributes,
        columns.profile_columns,
        "customer",
        HORIZON_DAYS,
    )
    band = fit_band(learned.model.log_odds(frame), outcome, lead_id=rows["lead_id"].tolist())
    return Release(learned.model, contract, band, linear_centre(encoding, frame), {}, "")


def scored(
    leads: Sequence[Lead], as_of: float = 400, *, asked: pd.DataFrame | None = None, policy: Policy = POLICY
) -> pd.DataFrame:
    scores, _ = score(
        release(),
        tables(leads),
        snapshots(leads, as_of) if asked is None else asked,
        columns=catalogue_of(release().contract),
        kinds=TYPE_KINDS,
        policy=policy,
    )
    return scores


@pytest.fixture(scope="module")
def leads() -> list[Lead]:
    return [replace(lead, customer=None) for lead in market(80, seed=1)]


@pytest.fixture(scope="module")
def scores(leads: list[Lead]) -> pd.DataFrame:
    return scored(leads)


def test_one_row_per_eligible_lead_in_the_order_asked(leads: list[Lead], scores: pd.DataFrame) -> None:
    assert list(scores.columns) == COLUMNS
    assert scores["lead_id"].tolist() == [lead.lead_id for lead in leads]
    assert (scores["as_of"] == at(400)).all()
    assert scores.columns[scores.isna().any()].tolist() == ["overridden"]
    backwards = snapshots(leads, 400).iloc[::-1]
    again = scored(leads, asked=backwards)
    assert again["lead_id"].tolist() == backwards["lead_id"].tolist()
    same = again.iloc[::-1].reset_index(drop=True)
    np.testing.assert_allclose(same["probability"], scores["probability"], atol=1e-12)


def test_the_probability_lies_in_its_interval(scores: pd.DataFrame) -> None:
    p, low, high = (scores[f"probability{end}"] for end in ("", "_low", "_high"))
    assert ((low > 0) & (low <= p) & (p <= high) & (high < 1)).all()
    assert (high - low > 0).all()
    assert p.nunique() > 40


def test_bands_and_stages_are_those_of_the_policy(scores: pd.DataFrame) -> None:
    edges = {"A": 0.30, "B": 0.15, "C": 0.05, "D": 0.0}
    for band_, p in zip(scores["band"], scores["probability"], strict=True):
        assert band_ == next(name for name, least in edges.items() if p >= least)
    assert set(scores["recommended_stage"]) <= set(STAGES)
    assert (scores["needs_confirmation"] == (scores["recommended_stage"] == "disqualified")).all()


def test_reasons_add_up_to_the_probability(scores: pd.DataFrame) -> None:
    features = set(release().contract.names)
    for text, p in zip(scores["reasons"], scores["probability"], strict=True):
        told = json.loads(text)
        effects = [reason["effect"] for reason in told["reasons"]]
        total = told["start"] + sum(effects) + told["rest"] + told["calibration"]
        assert 1 / (1 + np.exp(-total)) == pytest.approx(p, abs=1e-5)
        assert len(effects) <= POLICY.reasons
        assert {reason["feature"] for reason in told["reasons"]} <= features


def test_a_lead_is_scored_alike_in_any_company(leads: list[Lead], scores: pd.DataFrame) -> None:
    some = [leads[row] for row in (0, 7, 41, 79)]
    together = scores[scores["lead_id"].isin([lead.lead_id for lead in some])].reset_index(drop=True)
    few = scored(some)
    alone = pd.concat([scored([lead]) for lead in some], ignore_index=True)
    for again in (few, alone):
        for name in COLUMNS:
            if name.startswith("probability"):
                np.testing.assert_allclose(again[name], together[name], atol=1e-12)
            elif name != "reasons":
                assert again[name].tolist() == together[name].tolist()


def test_the_future_changes_no_score(leads: list[Lead], scores: pd.DataFrame) -> None:
    later = [
        replace(lead, events=[*lead.events, (400.0, "Demo asked"), (430.0, "page")], customer=405.0) for lead in leads
    ]
    pd.testing.assert_frame_equal(scored(later), scores)


def test_the_same_leads_get_the_same_rows_and_nothing_given_is_changed(leads: list[Lead], scores: pd.DataFrame) -> None:
    asked = snapshots(leads, 400)
    kept = asked.copy(deep=True)
    pd.testing.assert_frame_equal(scored(leads, asked=asked), scores)
    pd.testing.assert_frame_equal(asked, kept)


@dataclass(frozen=True)
class Failing(Members):
    """Members that give no number for leads that asked for a demo."""

    def log_odds(self, frame: pd.DataFrame) -> Floats:
        return np.where(asked_for_demo(frame), np.nan, super().log_odds(frame))


def asked_for_demo(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    counts = [name for name in frame.columns if "demo_request" in name and frame[name].dtype.kind in "if"]
    return (frame[counts].fillna(0) > 0).any(axis=1).to_numpy(bool)


FIRM: Final = Economics(
    customer_value=1_000, sales_touch_cost=20, nurture_touch_cost=1, touches_per_day=5
)  # fmt: skip


@pytest.mark.parametrize("economics", [None, FIRM])
def test_leads_for_which_the_model_gives_no_number_are_left_out_and_stop_nobody(
    leads: list[Lead], economics: Economics | None
) -> None:
    honest, columns = release(), catalogue_of(release().contract)
    members = Failing(**{one.name: getattr(honest.model.members, one.name) for one in fields(Members)})
    failing = replace(honest, model=replace(honest.model, members=members))
    asked, worth = snapshots(leads, 400), np.linspace(500, 2_000, len(leads))
    policy = replace(POLICY, economics=economics)
    told: dict[str, Any] = {"columns": columns, "kinds": TYPE_KINDS, "policy": policy, "worth": worth}
    scores, _ = score(failing, tables(leads), asked, **told)
    whole, _ = score(honest, tables(leads), asked, **told)
    gone = asked_for_demo(describe(tables(leads), asked, of=columns))
    assert 5 < gone.sum() < len(leads) - 5
    pd.testing.assert_frame_equal(
        scores.drop(columns="reasons"), whole[~gone].reset_index(drop=True).drop(columns="reasons")
    )
    competing = candidates(failing, tables(leads), asked, **told)
    assert competing["lead_id"].tolist() == scores["lead_id"].tolist()
    assert competing["worth"].tolist() == worth[~gone].tolist()


def test_places_are_given_by_the_very_numbers_that_are_scored(leads: list[Lead], scores: pd.DataFrame) -> None:
    """To the last bit, and without a single explanation."""
    asked, columns = snapshots(leads, 400), catalogue_of(release().contract)
    with pytest.MonkeyPatch.context() as patched:
        patched.delattr(scorer, "explain")
        found = candidates(
            release(), tables(leads), asked,
            columns=columns, kinds=TYPE_KINDS, policy=replace(POLICY, economics=FIRM), worth=np.ones(len(leads)),
        )  # fmt: skip
    assert found["probability"].tolist() == scores["probability"].tolist()
    frame = describe(tables(leads), asked, of=columns).reset_index(drop=True)
    explained = explain(release().model, frame, centre=release().centre)
    assert expit(explained.log_odds).tolist() == scores["probability"].tolist()


def test_where_nobody_is_eligible_there_are_no_rows(leads: list[Lead], scores: pd.DataFrame) -> None:
    nobody = scored(leads, asked=snapshots([], 400))
    assert list(nobody.columns) == COLUMNS
    assert len(nobody) == 0
    assert len(pd.concat([nobody, scores])) == len(scores)


def test_a_purchasing_manager_who_asks_for_a_demo_stands_above_a_student_who_downloads_a_white_paper() -> None:
    manager = Lead("m", "Purchasing manager", 380, [(380, "content_download"), (397, "page"), (398, "Demo asked")])
    student = Lead("s", "Student", 380, [(380, "content_download"), (397, "content_download")])
    above, below = scored([manager, student]).to_dict("records")
    assert above["probability"] > 3 * below["probability"]
    assert above["probability_low"] > below["probability_high"]
    assert above["band"] < below["band"]
    assert ORDER.index(above["recommended_stage"]) > ORDER.index(below["recommended_stage"])
    assert (above["recommended_stage"], above["needs_confirmation"]) == ("sql", False)
    assert above["stage_reason"].startswith("Declared intent to buy (demo, quote, budget or date) and ")
    assert (below["recommended_stage"], below["needs_confirmation"]) == ("disqualified", True)
    assert "job function: student" in below["stage_reason"]
    raised = {r["feature"] for r in json.loads(above["reasons"])["reasons"] if r["effect"] > 0}
    assert any("demo" in name or "intent" in name for name in raised)


def test_the_same_demo_raises_anybody() -> None:
    """Monotone by declaration: asking for a demo never lowers the probability through the counts of demos."""
    names = [f"{title} {i}" for i, title in enumerate(TITLES)]
    plain = [
        Lead(name, title, 380, [(380, "content_download"), (397, "page")])
        for name, title in zip(names, TITLES, strict=True)
    ]
    asked = [replace(lead, events=[*lead.events, (398, "Demo asked")]) for lead in plain]
    assert (scored(asked)["probability"] > scored(plain)["probability"]).all()


def test_stages_that_people_own_are_left_alone(leads: list[Lead]) -> None:
    one = leads[0]
    known = tables([one])
    change = {"lead_id": one.lead_id, "stage": "opportunity", "entered_at": at(390), "known_at": at(391)}
    known = replace(known, stage_changes=pa.Table.from_pylist([change], STAGE_CHANGES))
    columns = catalogue_of(release().contract)
    result, _ = score(release(), known, snapshots([one], 400), columns=columns, kinds=TYPE_KINDS, policy=POLICY)
    assert result["stage_reason"].tolist() == ["Set to opportunity by people, left alone."]


def test_the_columns_of_a_release_are_computed_again_as_they_were() -> None:
    columns = catalogue_of(release().contract)
    assert columns.names == release().contract.names
    assert columns.kinds == TYPE_KINDS
    read = Contract.from_dict(json.loads(json.dumps(release().contract.as_dict())))
    assert catalogue_of(read).names == columns.names
    few = replace(release().contract, columns=release().contract.columns[:3])
    assert catalogue_of(few).names == release().contract.names[:3]


def test_a_release_whose_features_are_gone_is_refused() -> None:
    contract = release().contract
    gone = [replace(contract.columns[0], name=name) for name in ("moon_phase", "shoe_size")]
    says = (
        r"^The release reads features that this program does not compute: moon_phase, shoe_size\. Train again, or run "
        r"the program it was trained with\.$"
    )
    with pytest.raises(ReleaseRefused, match=says):
        catalogue_of(replace(contract, columns=(*contract.columns, *gone)))


def test_a_release_reads_only_the_kinds_it_knows(leads: list[Lead], scores: pd.DataFrame) -> None:
    """Events of a type that came up since training are not seen by features, whatever the store's kinds say."""
    newer = [replace(lead, events=[*lead.events, (399.0, "Brand new")]) for lead in leads]
    pd.testing.assert_frame_equal(scored(newer), scores)
    assert "Brand new" not in KINDS


def test_columns_of_another_catalogue_are_refused(leads: list[Lead]) -> None:
    columns = catalogue_of(release().contract)
    fewer = replace(columns, columns=columns.columns[:-1])
    with pytest.raises(ReleaseRefused, match=f"missing: {columns.names[-1]}"):
        score(release(), tables(leads), snapshots(leads, 400), columns=fewer, kinds=TYPE_KINDS, policy=POLICY)


def test_categories_that_are_new_are_told_and_too_many_refused(leads: list[Lead]) -> None:
    def with_new(count: int) -> list[Lead]:
        return [replace(lead, country="Atlantis" if row < count else "fr") for row, lead in enumerate(leads)]

    def run(made: list[Lead]) -> dict[str, Any]:
        columns = catalogue_of(release().contract)
        return score(release(), tables(made), snapshots(made, 400), columns=columns, kinds=TYPE_KINDS, policy=POLICY)[1]

    assert run(leads) == {}
    assert run(with_new(8)) == {"country": pytest.approx(0.1)}
    with pytest.raises(ReleaseRefused, match=r"In country, 50% of the leads have a category that the model does not"):
        run(with_new(40))
    assert run(with_new(1)[:1]) == {"country": pytest.approx(1.0)}
