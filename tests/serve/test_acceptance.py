"""The three figures of the bands, and their ratio where bands are empty or nobody converts."""

import pytest

from serve.acceptance import targets
from serve.bands import BandLimits

LIMITS = BandLimits(0.3, 0.15, 0.05)


@pytest.mark.parametrize(
    ("probability", "outcome", "ratio", "rates"),
    [
        ([0.5, 0.5, 0.01, 0.01], [1, 1, 1, 0], 2.0, [1.0, None, None, 0.5]),
        ([0.2, 0.2, 0.1, 0.1], [1, 1, 1, 0], 2.0, [None, 1.0, 0.5, None]),
        ([0.5, 0.5, 0.01, 0.01], [1, 0, 0, 0], None, [0.5, None, None, 0.0]),
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0], 1.0, [0.25, None, None, None]),
    ],
)
def test_the_ratio_is_of_the_highest_and_the_lowest_band_that_are_not_empty(
    probability: list[float], outcome: list[int], ratio: float | None, rates: list[float | None]
) -> None:
    found = targets(probability, outcome, limits=LIMITS)
    assert (found.ratio, [row.rate for row in found.bands]) == (ratio, rates)
    assert sum(row.leads_share for row in found.bands) == sum(row.converted_share for row in found.bands) == 1
