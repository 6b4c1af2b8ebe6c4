"""A page that stands alone: no data can break out of it."""

import base64
import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.page import as_json, page

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(data=PLAIN)
def test_data_come_back_as_they_went_in_and_hold_nothing_that_markup_reads(data: object) -> None:
    told = as_json(data)
    assert json.loads(told) == data
    assert not set("<&") & set(told)


def test_a_number_that_json_has_no_word_for_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"rate": float("nan")})


def test_the_browser_is_told_to_run_this_script_and_no_other() -> None:
    told = page(title="<t>", body="<p>b</p>", style="p { color: red; }", script="go()", data=[1])
    ((ran,),) = (re.findall(r"<script>(.*)</script>", told),)
    digest = base64.b64encode(hashlib.sha256(ran.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in told
    assert "<title>&lt;t&gt;</title>" in told
    assert "script-src" not in page(title="t", body="")
