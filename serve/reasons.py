"""The reasons behind a probability, in words: what raised it, what lowered it, and by how much.

Effects are in log odds, where they add: start + reasons + the rest + calibration = the log odds of the probability.
One thing is one reason: the windows of a count, and the days since it last happened, are not five of them.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.contract import Contract, ContractColumn
from models.explanation import Contributions

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

#: Effects smaller than this, in log odds, are no reason anyone would tell.
LEAST_EFFECT: Final = 0.01


def reasons(contributions: Contributions, frame: pd.DataFrame, *, contract: Contract, most: int) -> list[str]:
    """For each row, the strongest reasons as a JSON object; keys in reading order.

    A reason is a measure: what several columns say of the same events, or of the same part of the profile, is summed,
    and told in the words of the column that says most of it.

    Parameters
    ----------
    most : at most so many reasons are told by name; the others are summed

    Returns
    -------
    list of JSON text
        `{"start": …, "reasons": [{"feature": …, "says": …, "effect": …}], "rest": …, "calibration": …}`; the numbers
        add up to the log odds of the probability, which is asserted.
    """
    effects, telling = _by_measure(contributions, contract)
    order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :most]
    strongest = np.take_along_axis(effects, order, axis=1)
    columns = np.take_along_axis(telling, order, axis=1)
    rest = effects.sum(axis=1) - np.where(np.abs(strongest) >= LEAST_EFFECT, strongest, 0.0).sum(axis=1)
    said = {name: [None] * len(frame) for name in contributions.features}
    wanted = {contributions.features[c] for c in np.unique(columns)}
    for column in contract.columns:
        if column.name in wanted:
            said[column.name] = _sayings(column, frame[column.name])
    texts = []
    for row in range(len(frame)):
        told = [
            {
                "feature": contributions.features[c],
                "says": said[contributions.features[c]][row],
                "effect": round(float(effect), 6),
            }
            for c, effect in zip(columns[row], strongest[row], strict=True)
            if abs(effect) >= LEAST_EFFECT
        ]
        plain = {
            "start": round(contributions.base, 6),
            "reasons": told,
            "rest": round(float(rest[row]), 6),
            "calibration": round(float(contributions.calibration[row]), 6),
        }
        total = plain["start"] + sum(r["effect"] for r in told) + plain["rest"] + plain["calibration"]
        assert abs(total - contributions.log_odds[row]) < 1e-4, "the reasons do not add up to the log odds"
        texts.append(json.dumps(plain, ensure_ascii=False))
    return texts


def _by_measure(contributions: Contributions, contract: Contract) -> tuple[Floats, Positions]:
    """(rows, measures): the effect of each measure, and the column that says most of it, in the effect's direction.

    Where a measure has words and numbers (seniority, and its rank), the words are told.
    """
    measure = {column.name: column.measure or column.name for column in contract.columns}
    in_words = {column.name for column in contract.columns if column.type == "categorical"}
    codes, measures = pd.factorize(np.array([measure[name] for name in contributions.features], object))
    rows = len(contributions.values)
    effects, telling = np.zeros((rows, len(measures))), np.zeros((rows, len(measures)), np.intp)
    for group in range(len(measures)):
        columns = np.flatnonzero(codes == group)
        effects[:, group] = contributions.values[:, columns].sum(axis=1)
        told = np.array([c for c in columns if contributions.features[c] in in_words] or columns, np.intp)
        pulls = contributions.values[:, told] * np.sign(effects[:, [group]])
        telling[:, group] = told[np.argmax(pulls, axis=1)]
    return effects, telling


def in_words(reason: Mapping[str, Any]) -> str:
    """One reason as a sentence.

    >>> in_words({"feature": "demo_requests_30d", "says": "Demo requests in the last 30 days: 2", "effect": 0.8})
    '▲ Demo requests in the last 30 days: 2 (×2.2 odds)'
    """
    arrow = "▲" if reason["effect"] > 0 else "▼"
    times = float(f"{np.exp(reason['effect']):.2g}")
    return f"{arrow} {reason['says']} (×{_short(times)} odds)"


def _sayings(column: ContractColumn, values: "pd.Series[Any]") -> list[Any]:
    if column.type == "categorical":
        return [f"{column.about}: {column.missing if pd.isna(v) else v}" for v in values.tolist()]
    numbers: Floats = values.to_numpy(np.float64)
    codes, distinct = pd.factorize(numbers, use_na_sentinel=False)
    unit = f" {column.unit}" if column.unit in ("days", "employees") else ""
    texts = [f"{column.about}: {column.missing if np.isnan(v) else _short(float(v)) + unit}" for v in distinct]
    return [texts[code] for code in codes]


def _short(value: float) -> str:
    """A number as people write it: whole, or with three significant figures."""
    if value == round(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.3g}" if abs(value) < 999.5 else f"{value:,.0f}"
