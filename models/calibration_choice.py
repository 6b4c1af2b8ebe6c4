"""Which calibration is worth its numbers: judged on windows that come after everything it was fitted on.

Judged in sample, the freest method always wins. So every window is cut in two, and for each half but the first the
members' weights, the share of the level's shift to believe and each method are fitted on the halves before it, on
those snapshots alone whose outcome was known when it began (as_of + horizon <= begin), and the log loss is taken on
the half itself. Over all of them the simplest method is taken whose loss is not beyond doubt (two standard errors)
above the best one's; Breiman et al. (1984) take one. Methods are listed from simple to free. The error is that of the
paired difference, clustered by lead, or between halves where these differ by more: what helps in one season and harms
in the next has proved nothing, however many leads there were. The chosen one is then fitted on all windows.

The level is corrected before (`prior_shift`), so "none" means: the shifted log odds as they are; and every method keeps
the mean. Members of an earlier moment lie off in level by more than those fitted on everything will, who have seen
the newest leads: a level learned on the windows would be put right twice (on bank-marketing the newest third was
promised 70 % where 46 % came; without it 58 %).

References
----------
Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification and Regression Trees, section 3.4.3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from models.calibration import MIN_POSITIVES, SLOPE_POSITIVES, Calibrator, Floats, fit_calibrator, identity
from models.calibration_steps import fit_isotonic, fit_venn_abers
from models.prior_shift import before_and_after, share_that_stays, shift_of
from models.skill import Window, weigh

Outcome = npt.NDArray[np.int64]
Fit = Callable[[Floats, Outcome], Calibrator]

#: Pseudo-converters behind "changes nothing" (`fit_calibrator`): the members' weights have said what slopes are worth,
#: so a change is believed by half when so many bear it out.
PRIOR_STRENGTH: Final = 400.0
NEVER: Final = 10**9
#: Standard errors by which a freer method must be better.
ERRORS: Final = 2.0
_fit = partial(fit_calibrator, prior_strength=PRIOR_STRENGTH)

#: From simple to free, each with the fewest of the rarer outcome that it takes.
CANDIDATES: Final[Mapping[str, tuple[int, Fit]]] = MappingProxyType(
    {
        "none": (0, lambda _x, _y: identity()),
        "temperature": (SLOPE_POSITIVES, lambda x, y: level_kept(_fit(x, y, min_positives=NEVER), x)),
        "beta": (MIN_POSITIVES, lambda x, y: level_kept(_fit(x, y), x)),
        "isotonic": (MIN_POSITIVES, lambda x, y: level_kept(fit_isotonic(x, y), x)),
        "venn_abers": (MIN_POSITIVES, lambda x, y: level_kept(fit_venn_abers(x, y), x)),
    }
)


@dataclass(frozen=True)
class Judged:
    """One method on one window: what it was fitted to be before it, and its log loss of every snapshot in it."""

    method: str
    begins: int
    calibrator: Calibrator
    losses: Floats
    lead_id: npt.NDArray[np.object_]


@dataclass(frozen=True)
class Choice:
    """The chosen calibrator, before the level of the final model is put right, and how it was chosen."""

    calibrator: Calibrator
    method: str
    losses: tuple[Mapping[str, Any], ...]
    """By candidate: method, log_loss, difference to the best, standard_error of that difference."""
    judged: int
    """Snapshots in judged windows."""
    shifted: tuple[Mapping[str, Any], ...]
    """By judged window: what the shift of the level did (`before_and_after`)."""


def choose_calibration(windows: Sequence[Window], *, weights: Floats, share: float, horizon_days: int) -> Choice:
    """Choose out of time, then fit on all windows.

    Parameters
    ----------
    windows : in order of time
    weights, share : of the members and of the level's shift, found on all windows: for the final fit alone
    """
    judged, shifted = judge(windows, horizon_days=horizon_days)
    method, losses = _simplest_among_the_best(judged)
    z, outcome = _shifted(windows, weights, share)
    # What was judged on earlier windows may be more than the last ones bear: then the next simpler one.
    names = [name for name in list(CANDIDATES)[: list(CANDIDATES).index(method) + 1] if _enough(name, outcome)]
    calibrator = CANDIDATES[names[-1]][1](z, outcome)
    rows = sum(len(one.losses) for one in judged if one.method == "none")
    return Choice(calibrator, names[-1], losses, rows, shifted)


def judge(windows: Sequence[Window], *, horizon_days: int) -> tuple[tuple[Judged, ...], tuple[Mapping[str, Any], ...]]:
    """Every method on every half of a window but the first, fitted on what was known when the half began."""
    windows = [half for window in windows for half in window.halves()]
    judged: list[Judged] = []
    shifted: list[Mapping[str, Any]] = []
    for place, window in enumerate(windows[1:], start=1):
        known = [earlier.known_by(window.begins, horizon_days=horizon_days) for earlier in windows[:place]]
        if not sum(len(earlier.later.outcome) for earlier in known):
            continue  # nothing that was said out of time was known yet
        weights = weigh(known, converted=window.converted)
        share = share_that_stays(known, weights)
        x, y = _shifted(known, weights, share)
        z = window.later.log_odds(weights) + shift_of(window.recent, weights, share=share)
        shifted.append(before_and_after(window, weights, share=share))
        for name, (_, fit) in CANDIDATES.items():
            if _enough(name, y):
                calibrator = fit(x, y)
                to = calibrator.apply_log_odds(z)
                losses = np.logaddexp(0.0, to) - window.later.outcome * to
                judged.append(Judged(name, window.begins, calibrator, losses, window.later.lead_id))
    return tuple(judged), tuple(shifted)


def level_kept(calibrator: Calibrator, log_odds: Floats) -> Calibrator:
    """The same calibration of the differences between leads, with the mean probability that these leads had before."""
    if not log_odds.size:
        return calibrator
    wanted, to = float(expit(log_odds).mean()), calibrator.apply_log_odds(log_odds)
    low, high = -40.0, 40.0
    for _ in range(100):  # the mean rises with the shift: halving the interval finds it
        middle = (low + high) / 2
        low, high = (middle, high) if float(expit(to + middle).mean()) < wanted else (low, middle)
    return calibrator.raised((low + high) / 2)


def _enough(method: str, outcome: Outcome) -> bool:
    converted = int(outcome.sum())
    return min(converted, len(outcome) - converted) >= CANDIDATES[method][0]


def _shifted(windows: Sequence[Window], weights: Floats, share: float) -> tuple[Floats, Outcome]:
    z = [w.later.log_odds(weights) + shift_of(w.recent, weights, share=share) for w in windows]
    y = [w.later.outcome for w in windows]
    return np.concatenate([np.empty(0), *z]), np.concatenate([np.empty(0, np.int64), *y])


def _simplest_among_the_best(judged: Sequence[Judged]) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """The simplest method that no other is shown to beat, over methods that were fitted before every judged window."""
    begins = {name: [one.begins for one in judged if one.method == name] for name in CANDIDATES}
    names = [name for name in CANDIDATES if begins[name] and begins[name] == begins["none"]]
    if not names:
        return "none", ()
    losses = {name: [one.losses for one in judged if one.method == name] for name in names}
    leads = [one.lead_id for one in judged if one.method == "none"]
    means = {name: float(np.concatenate(losses[name]).mean()) for name in names}
    best = min(names, key=lambda name: means[name])
    told, chosen = [], ""
    for name in names:
        differences = [a - b for a, b in zip(losses[name], losses[best], strict=True)]
        above, error = means[name] - means[best], _error(differences, leads)
        told.append({"method": name, "log_loss": means[name], "above_best": above, "standard_error": error})
        if not chosen and above <= ERRORS * error:
            chosen = name
    # One window cannot tell what lasts.
    return (chosen if len(leads) > 1 else "none"), tuple(told)


def _error(differences: Sequence[Floats], leads: Sequence[npt.NDArray[np.object_]]) -> float:
    """Standard error of the mean difference: by leads, or by windows where that is more."""
    together = np.concatenate(differences)
    mean = float(together.mean())
    by_lead = pd.Series(together - mean).groupby(np.concatenate(leads)).sum().to_numpy()
    by_window = np.array([float((one - mean).sum()) for one in differences])
    windows = len(by_window)
    between = float((by_window**2).sum()) * windows / max(windows - 1, 1)
    return float(np.sqrt(max(float((by_lead**2).sum()), between))) / len(together)
