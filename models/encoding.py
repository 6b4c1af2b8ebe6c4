"""Features -> the two matrices that the members of the model read; learned from training rows, kept as JSON.

The logistic member reads signed-log numerics (sign(x)·log1p|x|, standardised, clipped, 0 where missing), a flag for
each column that is often missing, and one column per category. The trees read the numerics as they are, missing left
missing, and each categorical column as the log odds of its categories' conversion rates: out of fold for the rows the
rates were learned from, so that no row sees its own outcome.

Categories of fewer than `MIN_CATEGORY` rows are one category, "other": too few to learn from, and no person should be
found again in a model's file.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int64]

MIN_CATEGORY: Final = 20
#: Pseudo-rows at the base rate that a category's rate starts from.
CATEGORY_PRIOR: Final = 20.0
#: Signed-log numerics are cut at so many standard deviations: one absurd value must not carry a lead away.
CLIP: Final = 5.0
OTHER: Final = "(other)"
MISSING: Final = "(missing)"


@dataclass(frozen=True)
class NumericColumn:
    """How one numeric column enters the logistic member."""

    name: str
    mean: float
    deviation: float
    flag_missing: bool


@dataclass(frozen=True)
class CategoricalColumn:
    """The categories of one column, "other" and missing among them, with the log odds of their conversion rates."""

    name: str
    log_odds: Mapping[str, float]


@dataclass(frozen=True)
class Encoding:
    """What was learned of the columns. `base` is the log odds of the base rate."""

    numeric: tuple[NumericColumn, ...]
    categorical: tuple[CategoricalColumn, ...]
    base: float

    @property
    def linear_sources(self) -> tuple[str, ...]:
        """The feature behind each column of `linear`."""
        flags = [column.name for column in self.numeric if column.flag_missing]
        one_hot = [column.name for column in self.categorical for _ in column.log_odds]
        return (*(column.name for column in self.numeric), *flags, *one_hot)

    @property
    def tree_sources(self) -> tuple[str, ...]:
        """The feature behind each column of `trees`."""
        return (*(column.name for column in self.numeric), *(column.name for column in self.categorical))

    def linear(self, frame: pd.DataFrame) -> Floats:
        """(rows, `linear_sources`) for the logistic member."""
        values = frame[[column.name for column in self.numeric]].to_numpy(np.float64)
        means = np.array([column.mean for column in self.numeric])
        deviations = np.array([column.deviation for column in self.numeric])
        scaled = np.clip((_signed_log(values) - means) / deviations, -CLIP, CLIP)
        flagged = [i for i, column in enumerate(self.numeric) if column.flag_missing]
        one_hot = [_one_hot(_categories(frame[c.name], c.log_odds), list(c.log_odds)) for c in self.categorical]
        return np.concatenate([np.nan_to_num(scaled, nan=0.0), np.isnan(values[:, flagged]), *one_hot], axis=1)

    def trees(self, frame: pd.DataFrame) -> Floats:
        """(rows, `tree_sources`) for the trees, for rows the rates were not learned from."""
        values = frame[[column.name for column in self.numeric]].to_numpy(np.float64)
        rates = [_mapped(_categories(frame[c.name], c.log_odds), c.log_odds, self.base) for c in self.categorical]
        return np.column_stack([values, *rates]) if rates else values

    def trees_out_of_fold(self, frame: pd.DataFrame, outcome: npt.NDArray[np.int64], *, folds: Folds) -> Floats:
        """The same for the rows the rates were learned from: each row's rate is learned from the other folds.

        Where all leads fall into one fold there are no others: every category is at the base rate.
        """
        matrix = self.trees(frame)
        first = len(self.numeric)
        for c, column in enumerate(self.categorical):
            texts = _categories(frame[column.name], column.log_odds)
            for fold in np.unique(folds):
                inside = folds == fold
                others = ~inside
                rates, base = (
                    _rates(texts[others], outcome[others], list(column.log_odds)) if others.any() else ({}, self.base)
                )
                matrix[inside, first + c] = _mapped(texts[inside], rates, base)
        return matrix

    def other_share(self, frame: pd.DataFrame) -> dict[str, float]:
        """Share of rows in "other", by categorical column: what was rare, or never seen, in training."""
        return {
            column.name: float((_categories(frame[column.name], column.log_odds) == OTHER).mean())
            for column in self.categorical
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "base": self.base,
            "numeric": [[c.name, c.mean, c.deviation, c.flag_missing] for c in self.numeric],
            "categorical": [[c.name, dict(c.log_odds)] for c in self.categorical],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `as_dict` wrote."""
        return cls(
            tuple(NumericColumn(str(n), float(m), float(d), bool(f)) for n, m, d, f in plain["numeric"]),
            tuple(CategoricalColumn(str(n), {str(k): float(v) for k, v in t.items()}) for n, t in plain["categorical"]),
            float(plain["base"]),
        )


def lead_folds(lead_ids: Sequence[str], *, folds: int) -> Folds:
    """A fold for each row, the same for every row of a lead, whatever the order of rows and the machine."""
    codes, distinct = pd.factorize(np.asarray(lead_ids, object))
    by_lead = np.array([zlib.crc32(str(lead).encode()) % folds for lead in distinct], np.int64)
    return by_lead[codes]


def learn_encoding(frame: pd.DataFrame, outcome: npt.NDArray[np.int64]) -> Encoding:
    """Learn an encoding from training rows.

    Parameters
    ----------
    frame : numeric columns float64 (NaN = missing), categorical ones text (null = missing)
    outcome : 0 or 1 per row

    Returns
    -------
    Encoding
        Columns that hold one value only are left out: nothing can be learned from them.
    """
    numeric, categorical = [], []
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_float_dtype(column.dtype):
            values = column.to_numpy(np.float64)
            known = values[~np.isnan(values)]
            missing = len(values) - len(known)
            if len(known) == 0 or (missing == 0 and known.min() == known.max()):
                continue
            logs = _signed_log(known)
            deviation = float(logs.std())
            flag = MIN_CATEGORY <= missing <= len(values) - MIN_CATEGORY
            numeric.append(NumericColumn(str(name), float(logs.mean()), deviation if deviation > 0 else 1.0, flag))
        else:
            counts = column.value_counts()
            levels = sorted(str(level) for level, n in counts.items() if n >= MIN_CATEGORY)
            texts = _categories(column, dict.fromkeys(levels, 0.0))
            present = [level for level in (*levels, MISSING, OTHER) if (texts == level).any()]
            if len(present) > 1:
                rates, base = _rates(texts, outcome, present)
                categorical.append(CategoricalColumn(str(name), {OTHER: base, MISSING: base} | rates))
    return Encoding(tuple(numeric), tuple(categorical), _log_odds(float(outcome.mean())))


def _signed_log(values: Floats) -> Floats:
    logs: Floats = np.sign(values) * np.log1p(np.abs(values))
    return logs


def _categories(column: "pd.Series[Any]", known: Mapping[str, float]) -> npt.NDArray[np.object_]:
    codes, distinct = pd.factorize(column)
    names = np.array([str(d) if str(d) in known else OTHER for d in distinct] + [MISSING], object)
    return names[codes]


def _one_hot(texts: npt.NDArray[np.object_], levels: Sequence[str]) -> Floats:
    codes, distinct = pd.factorize(texts)
    of_distinct = np.array([[float(text == level) for level in levels] for text in distinct], np.float64)
    return of_distinct.reshape(-1, len(levels))[codes]


def _rates(
    texts: npt.NDArray[np.object_], outcome: npt.NDArray[np.int64], levels: Sequence[str]
) -> tuple[dict[str, float], float]:
    base = float(outcome.mean())
    codes, distinct = pd.factorize(texts)
    rows, converted = np.bincount(codes), np.bincount(codes, weights=outcome)
    place = {str(text): i for i, text in enumerate(distinct)}
    rates = {}
    for level in levels:
        n, hits = (int(rows[place[level]]), float(converted[place[level]])) if level in place else (0, 0.0)
        rates[level] = _log_odds((hits + CATEGORY_PRIOR * base) / (n + CATEGORY_PRIOR))
    return rates, _log_odds(base)


def _mapped(texts: npt.NDArray[np.object_], log_odds: Mapping[str, float], base: float) -> Floats:
    codes, distinct = pd.factorize(texts)
    return np.array([log_odds.get(str(d), base) for d in distinct], np.float64)[codes]


def _log_odds(rate: float) -> float:
    clipped = min(max(rate, 1e-6), 1 - 1e-6)
    return float(np.log(clipped / (1 - clipped)))
