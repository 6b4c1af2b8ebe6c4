"""The leads that change hands, each with two sums: the model's reasons, and the parts of its points.

Both are exact. The reasons add up to the log odds of the probability (see `reasons`), the parts to the points.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.encoding import Floats
from models.swap_set import Standout, common, standouts

#: Reasons of a lead that count as what is said of it.
TELLING: Final = 3


@dataclass(frozen=True)
class Swapped:
    """A snapshot that only one of the two rankings hands over, or hands over more of.

    Attributes
    ----------
    only : "a" or "b". part : how much of it, 1 but where leads stand level at the end of a list
    as_of : microseconds UTC
    a, b : its percentile on its list, in [0, 1]. a_says, b_says : its probability or points
    worth : what it brings if it converts, None where nobody told
    reasons : start, reasons (says, effect, about), rest, calibration, in log odds; None where the model gives none
    parts : name and points of what its points are made of; None where the CRM keeps them
    """

    lead_id: str
    as_of: int
    only: str
    part: float
    converted: bool
    a: float
    b: float
    a_says: float | None
    b_says: float | None
    worth: float | None
    reasons: Mapping[str, Any] | None
    parts: Sequence[tuple[str, float]] | None


def in_order(part: Floats, gap: Floats, lead_id: npt.NDArray[np.object_], as_of: npt.NDArray[np.int64]) -> list[int]:
    """Rows of the swap set: whole ones first, then by how far apart the two place them, then by lead and date.

    Examples
    --------
    >>> gap, leads = np.array([0.1, 0.9, -0.4, 1.0]), np.array([*"abcd"], object)
    >>> in_order(np.array([1.0, 0.5, 1.0, 0.0]), gap, leads, np.zeros(4, np.int64))
    [2, 0, 1]
    """
    rows = np.flatnonzero(part > 0)
    names = lead_id[rows].astype(str)
    order = np.lexsort((as_of[rows], names, -np.abs(gap[rows]).round(9), -part[rows].round(9)))
    return [int(row) for row in rows[order]]


def read_reasons(text: str, *, about: Mapping[str, str]) -> dict[str, Any]:
    """Reasons as `serve.reasons` writes them; what each is about, without its value, stands in a feature's place.

    Examples
    --------
    >>> written = '{"start": -2, "reasons": [{"feature": "f", "says": "Forms: 2", "effect": 1}], "rest": 0}'
    >>> read_reasons(written, about={"f": "Forms"})["reasons"]
    [('Forms: 2', 1, 'Forms')]
    """
    plain: dict[str, Any] = json.loads(text)
    told = [(reason["says"], reason["effect"], about[reason["feature"]]) for reason in plain["reasons"]]
    return plain | {"reasons": told}


def parts_of(sheet: pd.DataFrame, *, decimals: int) -> list[list[tuple[str, float]]]:
    """Parts of each row's points that are not 0, the largest first.

    Examples
    --------
    >>> parts_of(pd.DataFrame({"Forms": [300, 0], "cap of all": [-50, 0]}), decimals=1)
    [[('Forms', 30.0), ('cap of all', -5.0)], []]
    """
    names, amounts = [str(name) for name in sheet.columns], sheet.to_numpy(np.float64) / 10**decimals
    told = []
    for row in amounts:
        order = np.argsort(-np.abs(row), kind="stable")
        told.append([(names[at], float(row[at])) for at in order if row[at]])
    return told


@dataclass(frozen=True)
class Portrait:
    """Who the leads are that only one side would hand over: counts, segments, and what speaks for and against them.

    `for_model` are reasons of the model that raise them, `against_model` that lower them; so with the points' parts.
    Each is a saying with the share of the leads that it is said of; empty where nothing is known.
    """

    leads: float
    converted: float
    standouts: tuple[Standout, ...]
    for_model: list[tuple[str, float]]
    against_model: list[tuple[str, float]]
    for_points: list[tuple[str, float]]
    against_points: list[tuple[str, float]]


def portrait(
    swapped: Sequence[Swapped], labels: Mapping[str, npt.NDArray[np.object_]], part: Floats, *, converted: float
) -> Portrait:
    """What is common among the leads of one side.

    Parameters
    ----------
    swapped : those of that side of which reasons are known
    labels : column -> one text per snapshot, of all there are
    part : (rows,) how much of each of all snapshots only that side hands over
    """
    weight = np.array([one.part for one in swapped])

    def said(raising: bool) -> list[tuple[str, float]]:
        told = [
            [about for _, effect, about in one.reasons["reasons"][:TELLING] if (effect > 0) == raising]
            if one.reasons
            else []
            for one in swapped
        ]
        return common(told, weight) if weight.size else []

    def counted(above: bool) -> list[tuple[str, float]]:
        told = [[name for name, points in one.parts or () if (points > 0) == above] for one in swapped]
        return common(told, weight) if weight.size else []

    return Portrait(
        leads=float(part.sum()),
        converted=converted,
        standouts=standouts(labels, part),
        for_model=said(True),
        against_model=said(False),
        for_points=counted(True),
        against_points=counted(False),
    )
