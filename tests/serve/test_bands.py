"""Bands have fixed limits, percentiles are ranks: both keep the order of the probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigError
from serve.bands import BANDS, BandLimits, band, percentile

LIMITS = BandLimits(0.30, 0.10, 0.03)

# Few distinct values beside any, so that ties and hits on a limit are drawn often.
PROBABILITIES = st.lists(st.sampled_from([0.0, 0.03, 0.1, 0.3, 1.0]) | st.floats(0, 1), min_size=1, max_size=30)
THREE_LIMITS = st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3, unique=True).map(
    lambda drawn: BandLimits(*sorted(drawn, reverse=True))
)


@given(PROBABILITIES, THREE_LIMITS)
def test_bands_agree_with_the_oracle(probability, limits):
    def oracle(p):
        if p >= limits.a_probability:
            return "A"
        if p >= limits.b_probability:
            return "B"
        return "C" if p >= limits.c_probability else "D"

    assert band(probability, limits).tolist() == [oracle(p) for p in probability]


@given(PROBABILITIES)
def test_percentile_agrees_with_counting(probability):
    counted = [100 * sum(other <= p for other in probability) / len(probability) for p in probability]
    assert percentile(probability).tolist() == pytest.approx(counted)


@given(PROBABILITIES)
def test_percentile_is_in_range_and_keeps_order_and_ties(probability):
    result = percentile(probability)
    assert ((result > 0) & (result <= 100)).all()
    assert result.max() == 100
    for p, at_p in zip(probability, result, strict=True):
        for q, at_q in zip(probability, result, strict=True):
            assert (p < q) == (at_p < at_q)


@given(PROBABILITIES)
def test_band_never_falls_with_the_probability(probability):
    ranks = [BANDS.index(letter) for letter in band(sorted(probability), LIMITS)]
    assert ranks == sorted(ranks)


@given(PROBABILITIES, st.randoms(use_true_random=False))
def test_order_of_leads_does_not_matter(probability, random):
    order = list(range(len(probability)))
    random.shuffle(order)
    shuffled = [probability[i] for i in order]
    assert percentile(shuffled).tolist() == percentile(probability)[order].tolist()
    assert band(shuffled, LIMITS).tolist() == band(probability, LIMITS)[order].tolist()


def test_a_limit_belongs_to_the_band_it_opens():
    just_below = [np.nextafter(limit, 0) for limit in (0.30, 0.10, 0.03)]
    assert band([0.30, 0.10, 0.03], LIMITS).tolist() == ["A", "B", "C"]
    assert band(just_below, LIMITS).tolist() == ["B", "C", "D"]


def test_no_leads_give_no_rows():
    assert band([], LIMITS).tolist() == []
    assert percentile([]).tolist() == []


def test_input_is_not_changed():
    probability = np.array([0.5, 0.1, 0.9])
    percentile(probability)
    band(probability, LIMITS)
    assert probability.tolist() == [0.5, 0.1, 0.9]


@pytest.mark.parametrize("bad", [float("nan"), -0.001, 1.001, float("inf")])
def test_what_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\], got .* at position 1"):
        percentile([0.5, bad])
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\], got .* at position 1"):
        band([0.5, bad], LIMITS)


def test_a_table_of_probabilities_is_refused():
    with pytest.raises(ValueError, match="one probability per lead"):
        percentile([[0.5], [0.6]])


@pytest.mark.parametrize("bad", [0.0, 1.0, 30, float("nan")])
def test_limits_outside_the_open_interval_are_refused(bad):
    with pytest.raises(ConfigError, match=r"\[bands\] a_probability .* strictly between 0 and 1, got .* Write 20 %"):
        BandLimits(bad, 0.10, 0.03)


@pytest.mark.parametrize(
    ("limits", "named"),
    [((0.10, 0.10, 0.03), "a_probability must be above"), ((0.30, 0.03, 0.10), "b_probability must be above")],
)
def test_limits_out_of_order_are_refused(limits, named):
    with pytest.raises(ConfigError, match=named):
        BandLimits(*limits)
