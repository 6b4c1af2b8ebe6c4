"""Who the leads are that change hands between two rankings: the segments they come from, and what speaks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.encoding import Floats

#: A segment stands out when its share is so many times that among all leads …
LEAST_TIMES: Final = 1.2
#: … by so many standard errors …
LEAST_ERRORS: Final = 3.0
#: … and at least so many of the leads are in it.
LEAST_LEADS: Final = 10.0


@dataclass(frozen=True)
class Standout:
    """A segment that is more common among some leads than among all: `share` of these, `of_all` of everybody."""

    column: str
    value: str
    share: float
    of_all: float


def standouts(labels: Mapping[str, npt.NDArray[np.object_]], part: Floats, *, most: int = 3) -> tuple[Standout, ...]:
    """The segments that stand out most among leads, by standard errors from their share among all; one per column.

    Parameters
    ----------
    labels : column -> one text per snapshot
    part : (rows,) how much of each snapshot is among them, in [0, 1]

    Examples
    --------
    >>> channel = np.array(["referral"] * 20 + ["search"] * 80, object)
    >>> standouts({"channel": channel}, np.r_[np.ones(20), np.zeros(70), np.ones(10)])
    (Standout(column='channel', value='referral', share=0.6666666666666666, of_all=0.2),)
    >>> standouts({"channel": channel}, np.zeros(100))
    ()
    """
    size = float(part.sum())
    if size < LEAST_LEADS:
        return ()
    told: dict[str, tuple[float, Standout]] = {}
    for column, texts in labels.items():
        values, number = np.unique(texts.astype(str), return_inverse=True)
        inside, every = np.bincount(number, weights=part), np.bincount(number) / texts.size
        for value, count, share in zip(values.tolist(), inside, every, strict=True):
            if share == 1.0 or count < LEAST_LEADS or count / size < LEAST_TIMES * share:
                continue
            errors = (count / size - share) / float(np.sqrt(share * (1 - share) / size))
            if errors >= LEAST_ERRORS and (column not in told or errors > told[column][0]):
                told[column] = errors, Standout(column, value, float(count / size), float(share))
    ranked = sorted(told.values(), key=lambda one: -one[0])
    return tuple(standout for _, standout in ranked[:most])


def common(
    told: Sequence[Sequence[str]], part: Floats, *, most: int = 3, least: float = 0.1
) -> list[tuple[str, float]]:
    """What is said most often of leads: each saying with the share of the leads that it is said of, at least `least`.

    Parameters
    ----------
    told : per lead, what is said of it
    part : (leads,) how much each counts

    Examples
    --------
    >>> common([["demo", "price"], ["demo"]], np.array([1.0, 0.5]))
    [('demo', 1.0), ('price', 0.6666666666666666)]
    >>> common([], np.array([]))
    []
    """
    weight: dict[str, float] = {}
    for sayings, counts in zip(told, part.tolist(), strict=True):
        for saying in dict.fromkeys(sayings):
            weight[saying] = weight.get(saying, 0.0) + counts
    every = float(part.sum())
    ranked = sorted(weight.items(), key=lambda one: (-one[1], one[0]))
    return [(saying, count / every) for saying, count in ranked[:most] if count >= least * every]
