"""Company sizes as the field writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.sizes import BANDS, employees, size_band

SMALL, MEDIUM, LARGE = "11-50", "201-1000", "1001-5000"


@pytest.mark.parametrize(
    ("text", "count", "band"),
    [
        ("250", 250, MEDIUM),
        (" 1 ", 1, "1-10"),
        ("~30", 30, SMALL),
        ("environ 30 personnes", 30, SMALL),
        ("250 employés en 2019", 250, MEDIUM),
        ("250 (2019)", 250, MEDIUM),
        ("2019: 250", 250, MEDIUM),
        ("51-200, since 1998", 101, "51-200"),
        ("2019", 2019, LARGE),
        ("5000 Kunden", 5000, LARGE),
        # Thousands
        ("1 200", 1200, LARGE),
        ("1,200 people", 1200, LARGE),
        ("1.200", 1200, LARGE),
        ("1'200", 1200, LARGE),
        ("1\u202f200 salariés", 1200, LARGE),
        ("1\u00a0200", 1200, LARGE),
        ("12k", 12_000, "5001+"),
        ("1.5k", 1500, LARGE),
        ("1,5 K", 1500, LARGE),
        # Ranges: the geometric middle
        ("1-10 employees", 3, "1-10"),
        ("11-50", 23, SMALL),
        ("11 – 50", 23, SMALL),
        ("11—50", 23, SMALL),
        ("11‑50", 23, SMALL),
        ("11 to 50", 23, SMALL),
        ("de 11 à 50 salariés", 23, SMALL),
        ("entre 200 et 499", 316, MEDIUM),
        ("between 200 and 499", 316, MEDIUM),
        ("1 001 - 5 000", 2237, LARGE),
        ("1,001-5,000", 2237, LARGE),
        ("1-5k", 2236, LARGE),
        ("500-1k", 707, MEDIUM),
        ("2000-4500", 3000, LARGE),
        ("0-9", 9, "1-10"),
        # Open ranges: their bound
        ("50+", 50, "51-200"),
        ("10 000+", 10_000, "5001+"),
        ("> 5000", 5000, "5001+"),
        ("plus de 200", 200, MEDIUM),
        ("< 10", 10, "1-10"),
        ("moins de 50", 50, SMALL),
        # Words
        ("Self-employed", 1, "1-10"),
        ("TPE", 5, "1-10"),
        ("PME", 50, SMALL),
        ("Mid-Market", 500, MEDIUM),
        ("Grande entreprise", 5000, LARGE),
        # Nothing said
        (None, None, None),
        ("", None, None),
        ("n/a", None, None),
        ("0", None, None),
        ("+33 (0)612345678", 33, SMALL),
        ("0612345678", None, None),
        ("٣٠", None, None),
    ],
)
def test_texts_of_the_field(text: str | None, count: float | None, band: str | None) -> None:
    found = employees(text)
    assert (None if found is None else round(found)) == count
    assert size_band(text) == band


@given(st.text() | st.text("0123456789 kK.,'-–+<>toà\u00a0\u202f\u212a٣²()", max_size=20))
def test_any_text_gives_a_possible_size_and_its_band_or_neither(text: str) -> None:
    count, band = employees(text), size_band(text)
    assert (count is None) == (band is None)
    if count is not None:
        assert 0 < count <= 10_000_000
        assert band in {name for _, name in BANDS}


@given(st.integers(1, 999_999), st.sampled_from(["{}", "{:,}", " {} employees", "{} (2021)"]))
def test_a_number_is_itself(count: int, form: str) -> None:
    assert employees(form.format(count)) == count


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_bands_follow_one_another(one: int, other: int) -> None:
    order = [name for _, name in BANDS]
    bands = [order.index(str(size_band(str(count)))) for count in sorted((one, other))]
    assert bands == sorted(bands)
