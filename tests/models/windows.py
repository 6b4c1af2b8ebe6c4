"""Windows of simulated snapshots, said by made-up members whose worth is known."""

import numpy as np
from scipy.special import expit

from features.tables import MICROSECONDS_PER_DAY
from models.encoding import Floats
from models.skill import Said, Window

DAY = MICROSECONDS_PER_DAY


def said(
    seed: int,
    *,
    worth: tuple[float, float] = (1.0, 1.0),
    level: float = 0.0,
    leads: int = 400,
    first_day: int = 0,
    days: int = 20,
    spread: float = 1.0,
    base: float = -1.5,
) -> Said:
    """Snapshots of leads seen once, of which the members' differences are worth so much, and the level is off."""
    random = np.random.default_rng(seed)
    parts = random.normal(size=(leads, 2)) * spread
    outcome = (random.random(leads) < expit(base + level + parts @ np.array(worth))).astype(np.int64)
    outcome[:4] = 0, 1, 0, 1
    as_of = (first_day + np.sort(random.integers(0, days, leads))) * DAY
    return Said(base, parts, outcome, np.array([f"lead {seed} {n}" for n in range(leads)], object), as_of)


def window(seed: int, *, begins: int, recent_level: float = 0.0, **given: float) -> Window:
    """A window that begins on a day; the snapshots its members were fitted on lie in the 20 days before."""
    later = said(seed, first_day=begins, **given)  # type: ignore[arg-type]
    recent = said(seed + 10_000, first_day=begins - 20, level=recent_level)
    return Window(begins * DAY, 1_000, later, recent)


def windows(seed: int = 0, *, count: int = 3, apart: int = 20, **given: float) -> list[Window]:
    """Windows that follow one another."""
    return [window(seed + n, begins=(n + 1) * apart, **given) for n in range(count)]


def both(value: float) -> Floats:
    """The same for both members."""
    return np.full(2, value)
