"""What the program says of one lead has its French; the lead's own words stay as they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.tables import STAGES
from serve.lead_french import saying_in_french, stage_reason_in_french
from serve.stages import Signals as StageSignals
from serve.stages import StageLimits, percent, recommend

LIMITS = StageLimits(
    mql_probability=0.05, sal_probability=0.15, sql_probability=0.2, pql_min_probability=0.05, keep_share=0.2
)
MAYBE = st.none() | st.sampled_from(STAGES)
ENGLISH = ("likely", "declared", "people", "under ", "over ", "intent", "sales", "until", "out of target")


@given(
    p=st.floats(0, 1),
    intent=st.booleans(),
    uses=st.booleans(),
    qualified=st.booleans(),
    days=st.floats(0, 400),
    since=st.floats(0, 400),
    human=MAYBE,
    before=MAYBE,
    last=MAYBE,
    evidence=st.none() | st.sampled_from(["country: XX", "job function: étudiant", "e-mail class: free: 1) (2"]),
)
def test_every_reason_of_a_stage_has_its_french(
    p: float, intent: bool, uses: bool, qualified: bool, days: float, since: float,
    human: str | None, before: str | None, last: str | None, evidence: str | None,
) -> None:  # fmt: skip
    signals = StageSignals(
        product_use=np.array([uses]),
        explicit_intent=np.array([intent]),
        days_since_act=np.array([days]),
        was_qualified=np.array([qualified]),
        out_of_target=np.array([evidence], object),
        human_stage=np.array([human], object),
        stage_before=np.array([before if human else None], object),
        days_in_stage=np.array([since if human else np.nan]),
    )
    advice = recommend([p], signals, LIMITS, previous=np.array([last], object)).iloc[0]
    english = advice["stage_reason"]
    french = stage_reason_in_french(english)
    assert french is not None, english
    assert not [word for word in ENGLISH if word in french.lower()]
    if evidence and evidence in english:
        assert evidence.partition(": ")[2] in french
    if percent(p) in english and percent(p)[0].isdigit():
        assert percent(p).replace(".", ",").replace(" %", "\u202f%") in french


def test_a_reason_that_no_template_says_is_left_to_the_reader() -> None:
    assert stage_reason_in_french("Runs fast and 16 % likely to convert: for sales to accept.") is None
    assert stage_reason_in_french("") is None


@pytest.mark.parametrize(
    ("says", "french"),
    [
        ("Country: FR", "Pays\u00a0: FR"),
        ("Forms: 1,234", None),
        (
            "Times a form was filled in the last 30 days: 1,234",
            "Formulaires remplis au cours des 30 derniers jours\u00a0: 1\u202f234",
        ),
        ("Company size, as a number: 250 employees", "Taille de l’entreprise, en nombre\u00a0: 250 salariés"),
        ("Industry: 12 days: a film", "Secteur d’activité\u00a0: 12 days: a film"),
        ("Age of the lead: not known", "Ancienneté du prospect\u00a0: inconnu"),
    ],
)
def test_reasons_keep_the_values_of_the_lead(says: str, french: str | None) -> None:
    assert saying_in_french(says) == french


def test_a_reason_of_nobody_knows_what_has_no_french() -> None:
    assert saying_in_french("Moon: full") is None
    assert saying_in_french("no colon") is None
