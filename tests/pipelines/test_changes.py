"""When a training repeats another one, and when that cannot be said."""

from typing import Any

import pytest

from pipelines.changes import same_training


def facts(**other: Any) -> dict[str, Any]:
    made = {"commit": "5211c8d4bb2ad50a2b9a603123143d206814496f", "seed": 7}
    return {"data": {"digest": "d"}, "settings": {}, "snapshots": {"test": 9}, "made": made, "tuning": None} | other


def test_the_same_data_settings_and_program_are_the_same_training() -> None:
    assert same_training(facts(), facts())


@pytest.mark.parametrize(
    "other",
    [
        {"data": {"digest": "another"}},
        {"settings": {"label.horizon_days": 30}},
        {"made": facts()["made"] | {"seed": 8}},
        {"tuning": {"parameters": {"num_leaves": 3}}},
    ],
)
def test_anything_else_is_another_one(other: dict[str, Any]) -> None:
    assert not same_training(facts(), facts(**other))


@pytest.mark.parametrize("made", [{"commit": None}, {"commit": "5211c8d+"}, {}])
def test_a_program_that_is_not_known_is_never_the_same(made: dict[str, Any]) -> None:
    assert not same_training(facts(made=made), facts(made=made))
