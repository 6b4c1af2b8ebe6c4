"""A frame that is not what the model was trained on is refused, and the refusal shows the difference."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.errors import ReleaseRefused
from models.contract import NEW_CATEGORY_LEAST, Contract, ranges
from tests.models import data
from tests.models.data import texts


@pytest.fixture
def frame() -> pd.DataFrame:
    return data.training().frame.copy()


@pytest.fixture(scope="module")
def contract() -> Contract:
    return data.release().contract


def refusal(contract: Contract, frame: pd.DataFrame) -> str:
    with pytest.raises(ReleaseRefused, match=r"^(The model was trained on|Columns have another type)") as refused:
        contract.check(frame)
    return str(refused.value)


def diff(message: str) -> list[str]:
    """The lines of the difference, without its head."""
    return [line for line in message.split("\n")[1:] if not line.startswith(("---", "+++", "@@"))]


def test_what_it_was_trained_on_passes_and_is_not_changed(contract: Contract, frame: pd.DataFrame) -> None:
    kept = frame.copy(deep=True)
    contract.check(frame)
    contract.check(frame.iloc[:0])
    contract.check(frame.assign(industry=texts([None] * len(frame)), visits=np.nan))
    pd.testing.assert_frame_equal(frame, kept)


def test_two_columns_swapped(contract: Contract, frame: pd.DataFrame) -> None:
    names = list(frame.columns)
    names[0], names[1] = names[1], names[0]
    message = refusal(contract, frame[names])
    assert message.startswith(
        "The model was trained on 8 columns, found 8; the order differs. Give the columns of the contract in their "
        "order, or train again on these.\n--- trained on\n+++ found\n"
    )
    assert diff(message) == ["+demo_requests", " visits", "-demo_requests", " unsubscribes"]


def test_a_column_missing(contract: Contract, frame: pd.DataFrame) -> None:
    message = refusal(contract, frame.drop(columns="unsubscribes"))
    assert "trained on 8 columns, found 7; missing: unsubscribes. Give" in message
    assert diff(message) == [" demo_requests", "-unsubscribes", " days_since_act"]


def test_a_column_too_many(contract: Contract, frame: pd.DataFrame) -> None:
    message = refusal(contract, frame.assign(extra=1.0))
    assert "trained on 8 columns, found 9; unexpected: extra. Give" in message
    assert diff(message) == [" one_text", "+extra"]


def test_a_column_renamed(contract: Contract, frame: pd.DataFrame) -> None:
    message = refusal(contract, frame.rename(columns={"visits": "Visits"}))
    assert "found 8; missing: visits; unexpected: Visits. Give" in message
    assert diff(message) == ["-visits", "+Visits", " demo_requests"]


def test_a_column_twice(contract: Contract, frame: pd.DataFrame) -> None:
    message = refusal(contract, pd.concat([frame, frame[["visits"]]], axis=1))
    assert "found 9" in message
    assert diff(message) == [" one_text", "+visits"]


def test_a_number_that_became_text_and_a_text_that_became_a_number(contract: Contract, frame: pd.DataFrame) -> None:
    retyped = frame.assign(visits=texts(["3"] * len(frame)), industry=1.0)
    assert refusal(contract, retyped) == (
        "Columns have another type than in training: visits should be float64, is str; industry should be text, is "
        "float64."
    )


@pytest.mark.parametrize("type_", ["int64", "bool", "datetime64[us]"])
def test_a_number_of_another_type(contract: Contract, frame: pd.DataFrame, type_: str) -> None:
    retyped = frame.assign(visits=frame["visits"].fillna(0).astype("int64").astype(np.dtype(type_)))
    with pytest.raises(ReleaseRefused, match=re.escape(f"visits should be float64, is {type_}.")):
        contract.check(retyped)


def with_new(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """The first rows are in an industry that nobody has heard of."""
    known = frame["industry"].where(frame["industry"].isin(list(data.INDUSTRIES)), "retail")
    return frame.assign(industry=texts(["Brand new"] * count + known.tolist()[count:]))


def test_too_many_unseen_categories(contract: Contract, frame: pd.DataFrame) -> None:
    encoding = data.release().model.members.encoding
    before = next(c.other_share for c in contract.columns if c.name == "industry") or 0.0
    rows = frame.iloc[:1000]
    most = int((before + 0.2) * 1000)
    says = (
        rf"^In industry, {(most + 1) / 1000:.0%} of the leads have a category that the model does not know "
        rf"\({before:.0%} in training\)\. Map the new values to the old ones in the import, or train again\.$"
    )
    with pytest.raises(ReleaseRefused, match=says):
        contract.check_categories(with_new(rows, most + 1), encoding=encoding)
    told = contract.check_categories(with_new(rows, most), encoding=encoding)
    assert told == {"industry": pytest.approx(0.2, abs=0.002)}


def test_a_few_unseen_categories_are_told_and_no_more_than_in_training_are_not(
    contract: Contract, frame: pd.DataFrame
) -> None:
    encoding = data.release().model.members.encoding
    assert contract.check_categories(frame, encoding=encoding) == {}
    assert contract.check_categories(with_new(frame, 0), encoding=encoding) == {}
    told = contract.check_categories(with_new(frame.iloc[:1000], 150), encoding=encoding)
    assert list(told) == ["industry"]
    assert 0.05 < told["industry"] < 0.15


def test_a_newcomer_among_a_few_leads_does_not_stop_the_night(contract: Contract, frame: pd.DataFrame) -> None:
    encoding = data.release().model.members.encoding
    told = contract.check_categories(with_new(frame.iloc[:3], 1), encoding=encoding)
    assert told == {"industry": pytest.approx(0.33, abs=0.1)}
    few = with_new(frame.iloc[: NEW_CATEGORY_LEAST - 1], NEW_CATEGORY_LEAST - 1)
    assert contract.check_categories(few, encoding=encoding)["industry"] > 0.9
    assert contract.check_categories(frame.iloc[:0], encoding=encoding) == {}


def test_values_out_of_range_are_counted(contract: Contract, frame: pd.DataFrame) -> None:
    assert contract.out_of_range(frame) == {}
    strange = frame.iloc[:4].assign(
        visits=[-1.0, 1e9, 2.0, np.nan], constant=[3.0, 3.0, 3.0, 3.5], days_since_act=np.nan, amount=np.inf
    )
    assert contract.out_of_range(strange) == {"visits": 2, "amount": 4, "constant": 1}
    assert contract.out_of_range(frame.iloc[:0]) == {}


def test_ranges_say_what_training_saw(frame: pd.DataFrame) -> None:
    made = pd.DataFrame(
        {
            "number": [1.0, np.nan, -3.0, 2.0],
            "empty": np.full(4, np.nan),
            "text": texts(["a", None, "b", "a"]),
        }
    )
    encoding = data.release().model.members.encoding
    facts = ranges(made.assign(industry=texts(["software", "new", None, "newer"])), encoding=encoding)
    assert facts == {
        "number": {"missing_share": 0.25, "low": -3.0, "high": 2.0},
        "empty": {"missing_share": 1.0},
        "text": {"missing_share": 0.25, "other_share": 0.0},
        "industry": {"missing_share": 0.25, "other_share": 0.5},
    }


def test_json_gives_back_the_same_contract(contract: Contract) -> None:
    read = Contract.from_dict(json.loads(json.dumps(contract.as_dict(), allow_nan=False)))
    assert read == contract
    assert read.names == tuple(data.training().frame.columns)
    assert read != replace(contract, horizon_days=31)
