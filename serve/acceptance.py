"""Whether the bands of a ranking are of use to sales: the three figures that a vendor of the trade holds itself to.

Of all leads 15 to 35 % in the two upper bands, at least 60 % of the conversions there, and the top band converting at
least ten times as often as the lowest (MadKudu's, as published; `models.gate_measured` holds them against it). They say
whether a list is short enough to be worked and long enough to matter, which no metric of ranking does.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serve.bands import BANDS, BandLimits, band


@dataclass(frozen=True)
class BandRow:
    """One band: its share of the snapshots and of the conversions, and its rate (None where it is empty)."""

    band: str
    leads_share: float
    converted_share: float
    rate: float | None


@dataclass(frozen=True)
class Targets:
    """The three figures, and the bands behind them; empty bands aside, `ratio` is of the highest and the lowest.

    It is None where nobody in the lowest converted.
    """

    top_two_share: float
    captured: float
    ratio: float | None
    bands: tuple[BandRow, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"bands": [asdict(row) for row in self.bands]}


def targets(probability: npt.ArrayLike, outcome: npt.ArrayLike, *, limits: BandLimits) -> Targets:
    """Sort snapshots into bands and hold the bands against what happened.

    Parameters
    ----------
    probability, outcome : one entry per mature snapshot; at least one converted

    Examples
    --------
    >>> found = targets([0.5] * 2 + [0.01] * 8, [1, 1] + [0] * 7 + [1], limits=BandLimits(0.3, 0.15, 0.05))
    >>> found.top_two_share, round(found.captured, 2), found.ratio
    (0.2, 0.67, 8.0)
    """
    y = np.asarray(outcome, np.float64)
    bands = band(probability, limits)
    rows = []
    for name in reversed(BANDS):
        inside = bands == name
        rate = float(y[inside].mean()) if inside.any() else None
        rows.append(BandRow(name, float(inside.mean()), float(y[inside].sum() / y.sum()), rate))
    highest = next(row for row in rows if row.rate is not None)
    lowest = next(row for row in reversed(rows) if row.rate is not None)
    return Targets(
        top_two_share=rows[0].leads_share + rows[1].leads_share,
        captured=rows[0].converted_share + rows[1].converted_share,
        ratio=float(highest.rate or 0.0) / lowest.rate if lowest.rate else None,
        bands=tuple(rows),
    )
