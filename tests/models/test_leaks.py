"""Planted leaks are found by name; honest columns, strong ones too, are left alone."""

import os
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from features.errors import TooLittleData
from models.leak_names import denied_name
from models.leaks import FeatureProbe, Leak, changed_after_outcome_probe, single_feature_probe

Bools = npt.NDArray[np.bool_]
DATA = Path(os.environ.get("LEADSCORE_DATA") or Path(__file__).parents[2] / ".." / "shared" / "data").resolve()
BANK = DATA / "bank-marketing" / "bank-additional-full.csv.gz"


def honest(n: int = 4_000, *, seed: int = 0) -> tuple[pd.DataFrame, Bools]:
    """Interest that shows in several windows and kinds, a fit, and noise; 10–15 % convert."""
    random = np.random.default_rng(seed)
    interest, fit = random.normal(size=n), random.normal(size=n)
    converted = random.random(n) < 1 / (1 + np.exp(3.2 - 1.6 * interest - 0.8 * fit))
    visits = random.poisson(np.exp(1.5 * interest))
    frame = pd.DataFrame(
        {
            "visits_90d": visits,
            "visits_30d": random.binomial(visits, 0.4),
            "pages_90d": random.poisson(2 * np.exp(1.4 * interest)),
            "days_since_visit": np.where(visits > 0, random.exponential(np.exp(-interest) * 20), np.nan),
            "employees": np.exp(fit + random.normal(0, 0.5, n) + 4).round(),
            "industry": np.array(["retail", "software", "public", None], dtype=object)[random.integers(0, 4, n)],
            "company": random.integers(0, n // 2, n).astype(str),
            "opted_in": random.random(n) < 0.4,
            "created": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, n), unit="D"),
            "empty": np.full(n, np.nan),
            "constant": "x",
        }
    )
    return frame, converted


def found(probes: list[FeatureProbe]) -> dict[str, str]:
    return {probe.column: probe.leak.probe for probe in probes if probe.leak}


@pytest.mark.parametrize("seed", range(4))
def test_honest_columns_are_left_alone(seed: int) -> None:
    frame, converted = honest(seed=seed)
    probes = single_feature_probe(frame, converted)
    assert not any(probe.suspicious for probe in probes)
    assert {probe.column for probe in probes} == set(frame.columns)
    assert probes[0].auc > 0.75  # a strong one is among them, and its gain was measured
    assert probes[0].gain < 0.15
    assert [probe.auc for probe in probes] == sorted((probe.auc for probe in probes), reverse=True)


def planted(kind: str, converted: Bools, random: np.random.Generator) -> pd.Series:  # type: ignore[type-arg]
    n = converted.size
    if kind == "revenue":  # filled only for converters, and never zero
        return pd.Series(np.where(converted, random.exponential(1000, n) + 1, np.nan))
    if kind == "close_date":
        return pd.Series(pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 90, n), "D")).where(converted)
    if kind == "stage":
        return pd.Series(np.where(converted & (random.random(n) < 0.4), "customer", "lead"))
    if kind == "contract":  # a different value every time, for a third of the converters
        return pd.Series([f"C{i}" for i in range(n)]).where(converted & (random.random(n) < 0.33))
    if kind == "loss_note":
        return pd.Series(np.where(~converted & (random.random(n) < 0.4), random.integers(0, 10**9, n).astype(str), ""))
    if kind == "call_seconds":
        return pd.Series(random.exponential(np.where(converted, 800, 200)).round())
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "probe"),
    [
        ("revenue", "auc"),
        ("close_date", "auc"),
        ("stage", "deciding_value"),
        ("contract", "filled_after_conversion"),
        ("loss_note", "filled_after_loss"),
        ("call_seconds", "dominant"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_leak_is_found_and_nothing_else(kind: str, probe: str, seed: int) -> None:
    frame, converted = honest(12_000, seed=seed)
    frame["planted"] = planted(kind, converted, np.random.default_rng(seed))
    probes = single_feature_probe(frame, converted)
    assert found(probes) == {"planted": probe}
    leak = next(p.leak for p in probes if p.leak)
    assert "'planted'" in leak.sentence
    assert "Exclude it, or declare when it is known" in leak.sentence
    assert leak.value >= leak.limit


def test_leaks_do_not_hide_each_other() -> None:
    """Two copies of one call length, a second independent leak and a perfect one."""
    frame, converted = honest(12_000)
    random = np.random.default_rng(1)
    seconds = planted("call_seconds", converted, random)
    frame["minutes"], frame["seconds"] = (seconds / 60).round(1), seconds
    frame["calls"] = random.poisson(np.where(converted, 6, 2))
    frame["won"] = converted
    assert set(found(single_feature_probe(frame, converted))) == {"minutes", "seconds", "calls", "won"}


@given(st.integers(0, 1_000), st.booleans(), st.booleans())
@settings(max_examples=25)
def test_auc_is_that_of_scikit_learn_or_better(seed: int, tied: bool, gaps: bool) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=300).round(0 if tied else 9)
    y = random.random(300) < 1 / (1 + np.exp(1 - x))
    y[:2] = True, False
    column = np.where(random.random(300) < 0.3, np.nan, x) if gaps else x
    (probe,) = single_feature_probe(pd.DataFrame({"x": column}), y)
    ends = [roc_auc_score(y, np.nan_to_num(sign * column, nan=end)) for sign in (1, -1) for end in (-99, 99)]
    assert probe.auc >= max(0.5, *ends) - 1e-12
    assert gaps or probe.auc <= max(0.5, *ends) + 0.08  # value ranges can add only a little to a rising relation


def test_a_relation_that_turns_is_seen_too() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=5_000)
    y = random.random(5_000) < np.where(np.abs(x) > 1, 0.6, 0.05)
    (probe,) = single_feature_probe(pd.DataFrame({"x": x}), y)
    assert probe.auc > 0.75 > roc_auc_score(y, x) + 0.2


def test_a_key_with_a_value_per_row_says_nothing() -> None:
    _, converted = honest()
    keys = pd.DataFrame({"lead_id": [f"L{i}" for i in range(converted.size)]})
    assert single_feature_probe(keys, converted)[0].auc == 0.5


def test_same_input_same_answer_and_the_input_is_not_changed() -> None:
    frame, converted = honest(1_000)
    before = frame.copy(deep=True)
    assert repr(single_feature_probe(frame, converted)) == repr(single_feature_probe(frame, converted))
    pd.testing.assert_frame_equal(frame, before)


def test_every_kind_of_column_is_read() -> None:
    frame, converted = honest(1_000)
    odd = pd.DataFrame(
        {
            "nullable": frame["visits_90d"].astype("Int64").mask(frame["visits_90d"] > 5),
            "truth": frame["opted_in"].astype("boolean").mask(frame["visits_90d"] > 5),
            "category": frame["industry"].astype("category"),
            "text": frame["industry"].astype("str"),
            "aware": frame["created"].dt.tz_localize("UTC").where(frame["opted_in"]),
            "lasted": pd.to_timedelta(frame["employees"], unit="s").where(frame["opted_in"]),
            "infinite": frame["employees"].mask(frame["opted_in"], np.inf),
            "mixed": frame["industry"].where(frame["opted_in"], 3),
            7: frame["employees"],
        }
    )
    probes = single_feature_probe(odd, converted)
    assert {probe.column for probe in probes} == {str(name) for name in odd.columns}
    assert all(0.5 <= probe.auc <= 1 and not probe.suspicious for probe in probes)
    assert single_feature_probe(pd.DataFrame(index=range(3)), [0, 1, 0]) == []


def test_refuses_outcomes_that_say_nothing() -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]})
    with pytest.raises(TooLittleData, match="found 3 converters among 3"):
        single_feature_probe(frame, [1, 1, 1])
    for outcome in ([0, 1], [0, 1, 2], [0, 1, np.nan]):
        with pytest.raises(ValueError, match="0 or 1 for each of the 3 rows"):
            single_feature_probe(frame, outcome)


def test_sixty_columns_take_little_time() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(10_000, 60)) + random.normal(size=(10_000, 1))).add_prefix("c")
    start = time.process_time()
    single_feature_probe(frame, frame.mean(axis=1) + random.normal(size=10_000) > 1.5)
    assert time.process_time() - start < 3.0  # 30,000 rows took 1.3 s


@pytest.mark.skipif(not BANK.is_file(), reason=f"{BANK} is not here; LEADSCORE_DATA names the folder of real data")
def test_bank_marketing_call_length_is_found_and_its_honest_columns_are_not() -> None:
    """UCI Bank Marketing (Moro et al. 2014): the length of the call is known once the answer is."""
    bank = pd.read_csv(BANK, sep=";")
    converted = (bank.pop("y") == "yes").to_numpy()
    probes = {probe.column: probe for probe in single_feature_probe(bank, converted)}
    assert found(list(probes.values())) == {"duration": "dominant"}
    assert probes["duration"].auc == pytest.approx(0.818, abs=0.002)
    assert probes["duration"].gain == pytest.approx(0.69, abs=0.02)
    for strong in ("euribor3m", "nr.employed"):
        assert probes[strong].auc == pytest.approx(0.768, abs=0.005)
        assert probes[strong].gain < 0.05
    assert found(single_feature_probe(bank.drop(columns="duration"), converted)) == {}


@pytest.mark.parametrize(
    "name",
    [
        *("closedate", "close_date", "CloseDate", "Close Date", "Close_Date__c", "close_value", "days_to_close"),
        *("total_revenue", "num_associated_deals", "first_deal_created_date", "recent_deal_amount", "Won", "lost"),
        *("hs_date_entered_customer", "hs_date_exited_lead", "hs_time_in_opportunity", "hs_v2_date_entered_customer"),
        *("hs_lifecyclestage_customer_date", "Became a Customer Date", "became_an_opportunity_date"),
        *("hs_time_to_move_from_lead_to_customer", "hs_current_customer", "hs_has_active_subscription"),
        *("converted", "IsConverted", "Converted Date", "ConvertedOpportunityId", "convertedaccountid", "converted_at"),
        *("total_touches_all", "duration", "Call Duration", "deal_duration", "deal_stage", "DealStage", "outcome"),
        *("hs_predictivecontactscore_v2", "hs_predictivescoringtier", "hubspotscore", "OwnerId", "hubspot_owner_id"),
        *("LastViewedDate", "last_referenced_date", "hs_first_closed_order_id", "hs_analytics_revenue", " IsWon "),
    ],
)
def test_known_leaks_are_denied_in_any_spelling(name: str) -> None:
    reason = denied_name(name)
    assert reason is not None
    assert reason.startswith(f"{name!r} is a known leak: ")
    assert reason.endswith("Exclude it, or declare when it is known if it is known before the outcome.")


@pytest.mark.parametrize(
    "name",
    [
        *("contact_duration_preference", "wonder", "lost_password_requests", "outcome_goal", "poutcome", "email", ""),
        *("industry", "num_conversion_events", "recent_conversion_date", "first_conversion_date", "touch_count"),
        *("total_session_duration_seconds", "hs_analytics_num_visits", "annualrevenue", "owner_count", "close_friends"),
        *("createdate", "lifecyclestage", "unconverted_currency", "conversion_page", "days_since_visit", "hs_role"),
    ],
)
def test_a_word_inside_a_longer_name_proves_nothing(name: str) -> None:
    assert denied_name(name) is None


def changes_of(attribute: str, leads: range, known_at: int) -> pd.DataFrame:
    return pd.DataFrame({"lead_id": leads, "attribute": attribute, "known_at": known_at})


def test_an_attribute_written_by_the_conversion_is_found() -> None:
    outcome_at = pd.Series([1_000] * 100 + [None] * 900, index=range(1_000), dtype="Int64")
    changes = pd.concat(
        [
            changes_of("account_type", range(80), 1_000),  # in the very moment: never visible before it
            changes_of("account_type", range(500, 510), 700),
            changes_of("job_title", range(0, 1_000, 3), 500),
            changes_of("phone_type", range(100), 1_200),  # changes for everybody, converted or not
            changes_of("phone_type", range(100, 900), 1_200),
            changes_of("budget", range(10), 1_500),  # too few converters
            changes_of("need", range(100), 999),  # before
        ]
    )
    expected_share, (leak,) = 0.8, changed_after_outcome_probe(changes, outcome_at)
    assert (leak.column, leak.probe, leak.value, leak.limit) == (
        "account_type",
        "changed_after_outcome",
        expected_share,
        0.2,
    )
    assert leak.sentence.startswith("Attribute 'account_type' changes after the outcome for 80% of the converters")
    assert "Exclude it" in leak.sentence
    assert changed_after_outcome_probe(changes, outcome_at, limit=0.9) == []


@given(st.permutations(range(60)), st.integers(1, 3))
@settings(max_examples=20)
def test_order_and_repeats_of_changes_do_not_matter(order: list[int], repeats: int) -> None:
    outcome_at = pd.Series(range(100, 140), index=[f"L{i}" for i in range(40)])
    changes = pd.DataFrame(
        {"lead_id": [f"L{i % 45}" for i in range(60)], "attribute": ["a", "b", "b"] * 20, "known_at": range(90, 150)}
    )
    changes.loc[changes["attribute"] == "b", "known_at"] = 500
    shuffled = pd.concat([changes.iloc[order]] * repeats)
    leaks = changed_after_outcome_probe(changes, outcome_at)
    assert [leak.column for leak in leaks] == ["b"]
    assert changed_after_outcome_probe(shuffled, outcome_at) == leaks


def test_no_changes_or_no_converters_is_no_finding() -> None:
    nothing = pd.DataFrame({"lead_id": [], "attribute": [], "known_at": []})
    assert changed_after_outcome_probe(nothing, pd.Series([5], index=["a"])) == []
    nobody = pd.Series([None, None], index=[1, 2], dtype="Int64")
    assert changed_after_outcome_probe(changes_of("x", range(50), 9), nobody) == []


def test_refuses_a_history_that_cannot_be_read() -> None:
    with pytest.raises(ValueError, match=r"missing: \['known_at'\]"):
        changed_after_outcome_probe(pd.DataFrame({"lead_id": [1], "attribute": ["a"]}), pd.Series([1]))
    with pytest.raises(ValueError, match="found two for 'L1'"):
        changed_after_outcome_probe(changes_of("x", range(1), 1), pd.Series([1, 2], index=["L1", "L1"]))


def test_a_leak_is_a_value() -> None:
    leak = Leak("a", "auc", 0.99, 0.95, "…")
    assert leak == Leak("a", "auc", 0.99, 0.95, "…")
    with pytest.raises(AttributeError, match="cannot assign"):
        leak.column = "b"  # type: ignore[misc]
