"""Event types of any CRM become kinds; names become identifiers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import kinds
from features.errors import ConfigError
from features.kinds import KINDS, identifier, kinds_of


@given(st.text())
def test_an_identifier_is_one_whatever_the_text_and_stays_one(text: str) -> None:
    name = identifier(text)
    assert re.fullmatch(r"[0-9a-z]+(_[0-9a-z]+)*", name)
    assert identifier(name) == name


@given(st.lists(st.text(max_size=8) | st.sampled_from(sorted(KINDS))))
def test_every_type_gets_a_kind_whatever_their_order(types: list[str]) -> None:
    found = kinds_of(types, {})
    assert found == {name: identifier(name) for name in types}
    assert found == kinds_of(reversed(types * 2), {})
    assert list(found) == sorted(found)


def test_the_table_goes_before_the_name() -> None:
    table = {"Visited pricing": "pricing_page", "page": "product_use", "ping": "ignored", "not in the store": "form"}
    assert kinds_of(["Visited pricing", "page", "ping", "form"], table) == {
        "Visited pricing": "pricing_page",
        "form": "form",
        "page": "product_use",
        "ping": "ignored",
    }


def test_a_kind_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"found 'Pricing page'. Write 'pricing_page', or one of: page, pricing_page"):
        kinds_of(["Visited pricing"], {"Visited pricing": "Pricing page"})


def test_the_groups_of_kinds_hold_known_kinds_only() -> None:
    assert all(name == identifier(name) for name in KINDS)
    for group in (kinds.VOLUNTARY, kinds.ACTS, kinds.ANSWERS, kinds.INTENT):
        assert set(group) <= set(KINDS)
    assert set(kinds.INTENT) <= set(kinds.VOLUNTARY) <= set(kinds.ACTS)
    # What we do to a lead is no act of the lead's.
    assert not {"email_delivered", "bounce", "call", "unsubscribe"} & set(kinds.ACTS)
