"""Two rankings of the same leads: what each finds for the same calls, and which leads change hands between them.

Both hand over the same share of every list (see `handover`). Captured is the share of all conversions found there, lift
how many times as many as by chance, value what the converted leads bring less what calling cost. A lead that stands on
several lists before it converts brings its worth once in all, an equal part of it on each. All intervals resample
leads, and both rankings in each resample, so that differences are paired: what moves both cancels.

The *swap set* is what only one of the two hands over. Of leads that stand level where a list is cut, both hand over the
same part, and only what one hands over beyond the other is swapped: so it is the smallest swap set that fits, and the
conversions in it differ by exactly what the captured ones do.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from models.encoding import Floats
from models.handover import Lists, found, handed_over, stand
from models.intervals import Interval, Word, percentile_interval, plain, resample, verdict
from models.ranking import rank

#: Shares of each list at which a curve is drawn.
SHARES: Final = tuple(step / 200 for step in range(1, 201))


@dataclass(frozen=True)
class Side:
    """What one ranking finds when a share of each list is handed over, and what only it would hand over.

    `found` counts conversions, `captured` is their share of all; `value` is None where nobody told a lead's worth.
    Counts are of snapshots, in parts where leads stand level.
    """

    found: float
    captured: Interval
    lift: Interval
    value: Interval | None
    only: float
    only_converted: float
    only_value: float | None


@dataclass(frozen=True)
class Place:
    """Both rankings when so much of each list is handed over; `captured` and `value` are of A less B."""

    share: float
    handed_over: float
    a: Side
    b: Side
    captured: Interval
    lift: Interval
    value: Interval | None

    @property
    def word(self) -> Word:
        """What the captured conversions say of A."""
        return verdict(self.captured, lower_is_better=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        told = asdict(self)
        for held, of in ((told, self), (told["a"], self.a), (told["b"], self.b)):
            held |= {name: v.as_dict() for name, v in vars(of).items() if isinstance(v, Interval)}
        return told | {"word": self.word}


@dataclass(frozen=True)
class Agreement:
    """How alike the two order each list, in [-1, 1]; means over lists by their length, None where one does not order.

    References
    ----------
    Kendall, M. G. (1945). The treatment of ties in ranking problems. Biometrika 33(3). doi:10.1093/biomet/33.3.239
    """

    spearman: float | None
    kendall: float | None


@dataclass(frozen=True)
class Comparison:
    """Rankings A and B of the same snapshots; `at_capacity` is the place of `curve` where sales stop."""

    snapshots: int
    leads: int
    converted: int
    lists: int
    at_capacity: Place
    curve: tuple[Place, ...]
    agreement: Agreement
    swap: Floats
    """(rows,) at the capacity: how much of each snapshot A hands over and B does not; below 0 the other way round."""
    of_a: Floats
    of_b: Floats


def compare(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    outcome: npt.ArrayLike,
    *,
    lead_id: npt.ArrayLike,
    lists: npt.ArrayLike,
    share: float,
    worth: npt.ArrayLike | None = None,
    touch_cost: float = 0.0,
    shares: tuple[float, ...] = SHARES,
    resamples: int = 500,
    seed: int = 0,
) -> Comparison:
    """Compare ranking A with ranking B.

    Parameters
    ----------
    a, b : (rows,) any numbers, the best highest; NaN stands below all others
    outcome, lead_id : (rows,) mature snapshots: what happened, 0 or 1, at least one 1; and whose it is
    lists : (rows,) the list each snapshot stands on, such as its as_of
    share : of each list that sales can work, in (0, 1]
    worth : (rows,) what the lead brings, once, if it converts; None: nobody told
    touch_cost : what handing over one snapshot costs
    shares : where the curve is drawn, ascending, in (0, 1]; `share` is put in between

    Raises
    ------
    ValueError
        A share outside (0, 1], nobody converted, or what `rank` and `stand` refuse.

    Examples
    --------
    >>> told = {"lead_id": ["w", "x", "y", "z"], "lists": [0, 0, 0, 0], "share": 0.5, "resamples": 50}
    >>> both = compare([4, 3, 2, 1], [1, 4, 2, 2], [1, 1, 0, 0], **told)
    >>> both.at_capacity.a.captured.value, both.at_capacity.b.captured.value, both.swap.tolist()
    (1.0, 0.5, [1.0, 0.0, -0.5, -0.5])
    >>> compare([1, 2], [2, 1], [0, 0], lead_id=["x", "y"], lists=[0, 0], share=0.5)
    Traceback (most recent call last):
    ...
    ValueError: none of the 2 snapshots converted: there is nothing to find.
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"share must lie in (0, 1], got {share}: the share of each list that sales can work.")
    y = np.asarray(outcome, np.float64)
    ranked = rank(np.full(y.shape, 0.5), y, lead_id)  # refuses here, and says how leads are drawn
    if not y.any():
        raise ValueError(f"none of the {y.size} snapshots converted: there is nothing to find.")
    lead = pd.factorize(np.asarray(lead_id), sort=True)[0].astype(np.intp)
    places = np.unique([*shares, share])
    gains = y[:, None]
    if worth is not None:
        often = np.maximum(np.bincount(lead, weights=y), 1.0)[lead]  # snapshots before one and the same conversion
        gains = np.stack([y, y * np.asarray(worth, np.float64) / often], axis=1)
    sides = stand(a, lists), stand(b, lists)
    drawn = _Drawn(sides, gains, lead=lead, shares=places, touch_cost=touch_cost)
    once = drawn.of(np.ones((1, ranked.leads)))
    # A resample in which nobody converted says nothing of a share of conversions: it is told as undefined.
    many = [drawn.of(counts) for counts in resample(ranked, resamples=resamples, seed=seed)]
    every = np.concatenate([once[:, :, :0], *many], axis=2)
    curve = tuple(_place(at, places, sides, gains, once, every, touch_cost=touch_cost) for at in range(places.size))
    of_a, of_b = (handed_over(side, share) for side in sides)
    return Comparison(
        snapshots=y.size,
        leads=ranked.leads,
        converted=int(y.sum()),
        lists=sides[0].ends.size - 1,
        at_capacity=curve[int(np.searchsorted(places, share))],
        curve=curve,
        agreement=agreement(a, b, lists=lists),
        swap=of_a - of_b,
        of_a=of_a,
        of_b=of_b,
    )


def agreement(a: npt.ArrayLike, b: npt.ArrayLike, *, lists: npt.ArrayLike) -> Agreement:
    """Rank correlations within the lists: Spearman's rho, and Kendall's tau-b, which takes ties as they are.

    Examples
    --------
    >>> agreement([3, 2, 1, 5], [30, 20, 10, 5], lists=[0, 0, 0, 1])
    Agreement(spearman=1.0, kendall=1.0)
    >>> agreement([3, 2, 1], [1, 1, 1], lists=[0, 0, 0])
    Agreement(spearman=None, kendall=None)
    """
    one, other = (pd.Series(np.asarray(ranking, np.float64)).fillna(-np.inf).rank() for ranking in (a, b))
    weight, rho, tau = 0, 0.0, 0.0
    for rows in pd.Series(np.arange(len(one))).groupby(np.asarray(lists)).indices.values():
        x, y = one.to_numpy()[rows], other.to_numpy()[rows]
        if np.ptp(x) == 0 or np.ptp(y) == 0:
            continue
        weight += len(rows)
        rho += len(rows) * float(stats.spearmanr(x, y).statistic)
        tau += len(rows) * float(stats.kendalltau(x, y).statistic)
    return Agreement(round(rho / weight, 9), round(tau / weight, 9)) if weight else Agreement(None, None)


@dataclass(frozen=True)
class _Drawn:
    """What both find under weightings of the leads."""

    sides: tuple[Lists, Lists]
    gains: Floats
    lead: npt.NDArray[np.intp]
    shares: Floats
    touch_cost: float

    def of(self, counts: Floats) -> Floats:
        """(2, kinds, k, shares): of A and of B, the share of all conversions, and the value."""
        told = []
        weight = counts @ np.bincount(self.lead)
        for side in self.sides:
            brought = found(side, self.gains, lead=self.lead, counts=counts, shares=self.shares)
            every: Floats = counts @ np.bincount(self.lead, weights=self.gains[:, 0])[:, None]
            captured = np.divide(brought[:, 0], every, out=np.full(brought[:, 0].shape, np.nan), where=every > 0)
            value = [brought[:, 1] - self.touch_cost * weight[:, None] * self.shares] if self.gains.shape[1] > 1 else []
            told.append(np.stack([captured, *value]))
        return np.stack(told)


def _place(
    at: int,
    shares: Floats,
    sides: tuple[Lists, Lists],
    gains: Floats,
    once: Floats,
    many: Floats,
    *,
    touch_cost: float,
) -> Place:
    share, converted = float(shares[at]), float(gains[:, 0].sum())

    def interval(kind: int, side: int | None, scale: float = 1.0) -> Interval:
        def pick(drawn: Floats) -> Floats:
            both: Floats = drawn[:, kind, :, at] * scale
            chosen: Floats = both[0] - both[1] if side is None else both[side]
            return chosen

        return percentile_interval(float(pick(once)[0]), [pick(many)])

    of_a, of_b = (handed_over(side, share) for side in sides)
    beyond = np.maximum(of_a - of_b, 0.0), np.maximum(of_b - of_a, 0.0)
    told, valued = [], gains.shape[1] > 1
    for side, part in enumerate(beyond):
        captured = interval(0, side)
        told.append(
            Side(
                found=captured.value * converted,
                captured=captured,
                lift=interval(0, side, 1 / share),
                value=interval(1, side) if valued else None,
                only=float(part.sum()),
                only_converted=float(part @ gains[:, 0]),
                only_value=float(part @ (gains[:, 1] - touch_cost)) if valued else None,
            )
        )
    return Place(
        share=share,
        handed_over=share * len(gains),
        a=told[0],
        b=told[1],
        captured=interval(0, None),
        lift=interval(0, None, 1 / share),
        value=interval(1, None) if valued else None,
    )


def swapped(comparison: Comparison) -> Mapping[str, Floats]:
    """(rows,) by side, how much of each snapshot only that one hands over.

    Examples
    --------
    >>> told = {"lead_id": ["x", "y"], "lists": [0, 0], "share": 0.5, "resamples": 50}
    >>> {side: part.tolist() for side, part in swapped(compare([2, 1], [1, 2], [1, 0], **told)).items()}
    {'a': [1.0, 0.0], 'b': [0.0, 1.0]}
    """
    return {"a": np.maximum(comparison.swap, 0.0), "b": np.maximum(-comparison.swap, 0.0)}


def plain_agreement(told: Agreement) -> dict[str, float | None]:
    """Plain values for JSON."""
    return {name: None if value is None else plain(value) for name, value in asdict(told).items()}
