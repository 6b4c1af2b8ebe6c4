"""Leaks: columns that know the outcome because they were written after it, found before anything is trained.

Two probes, each blind where the other sees: the *values* (a column that alone, or against all others together, says
too much), and the *history* (an attribute whose values change once a lead has converted). Names are judged in
``leak_names``. A finding is a reason to look, not a proof: it names the column and says what
to do. In lead scoring a leak is worth more than any tuning, and is paid back on the first night (Kaufman et al. 2012).

References
----------
Kaufman, S., Rosset, S., Perlich, C. and Stitelman, O. (2012). Leakage in data mining: formulation, detection, and
avoidance. ACM TKDD 6(4). doi:10.1145/2382577.2382579
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from features.errors import TooLittleData
from models.leak_names import ADVICE

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

AUC_LIMIT: Final = 0.95
#: A column is dominant when it alone ranks at least this well ...
DOMINANT_AUC: Final = 0.75
#: ... and closes at least this share of the way from what all the others reach together (AUC) to a perfect ranking.
#: Measured: strong macro-economic columns up to 0.03, the most telling honest event of a loan process 0.22, one of a
#: few independent simulated causes 0.28; the length of a sales call 0.45 to 0.87, depending on the period.
DOMINANT_GAIN: Final = 0.35
#: Columns that say the same (correlation of their log odds) leave together, or copies of a leak would hide each other.
SAME_CORRELATION: Final = 0.9
#: Least share of converters that a value must explain to be called a leak.
CONVERTERS_SHARE: Final = 0.10
#: Least share of converters whose attribute changes after the conversion.
CHANGED_SHARE: Final = 0.20
_LEAST = 20  # converters: fewer prove nothing
_FOLDS = 5
_BINS = 20
_PRIOR = 10.0  # rows of the base rate added to every group
_CANDIDATES = 5  # a dominant column is among the first few by AUC


@dataclass(frozen=True)
class Leak:
    """One finding: ``value`` is what the probe measured, ``limit`` what it may not pass, ``sentence`` what to do."""

    column: str
    probe: str
    value: float
    limit: float
    sentence: str


@dataclass(frozen=True)
class FeatureProbe:
    """What one column says of the outcome by itself.

    ``auc`` is at least 0.5. ``gain`` is the share of the way from the AUC of all other columns together to a perfect
    ranking that this one adds; NaN where it was not measured because the column is not strong enough to matter.
    """

    column: str
    auc: float
    gain: float
    leak: Leak | None

    @property
    def suspicious(self) -> bool:
        """Whether a person should look before training."""
        return self.leak is not None


def single_feature_probe(
    features: pd.DataFrame, outcome: npt.ArrayLike, *, limit: float = AUC_LIMIT
) -> list[FeatureProbe]:
    """Probe every column by itself, best first.

    A numeric column is ranked as it is (missing values at whichever end suits it) and by out-of-fold conversion rates
    of its value ranges, with missing as a range of its own; any other by out-of-fold rates of its values. The folds
    follow from the row's position alone. A column is suspicious when

    * its AUC passes ``limit``;
    * a value, or its being filled at all, all but decides the outcome for a tenth of the converters;
    * it is filled for many who did not convert and for no converter;
    * it is *dominant*: AUC at least 0.75, and it closes 35 % of what the others together leave open. A strong
      honest column shares what it knows with its neighbours; one written after the fact does not. With only a handful
      of columns an honest one can stand out as well: that is why a person looks.

    Parameters
    ----------
    features
        One row per snapshot (lead_id, as_of); null means not known. Not changed.
    outcome
        0 or 1 per row; mature snapshots only.

    Raises
    ------
    ValueError
        On different lengths, or outcomes other than 0 and 1.
    TooLittleData
        If only one outcome is there.

    Examples
    --------
    >>> rows = pd.DataFrame({"visits": [1, 2, 3, 3] * 50, "invoice": [None, None, None, "x"] * 50})
    >>> for found in single_feature_probe(rows, [0, 0, 0, 1] * 50):
    ...     print(round(found.auc, 2), found.leak.sentence if found.leak else f"{found.column}: nothing to see")
    1.0 Column 'invoice' alone ranks converters at an AUC of 1.000 (limit 0.950): nothing honest does. Exclude it, ...
    0.83 visits: nothing to see
    >>> single_feature_probe(rows, [0] * 200)
    Traceback (most recent call last):
    ...
    features.errors.TooLittleData: the leak probe needs converters and non-converters, found 0 converters among 200 ...
    """
    y = np.asarray(outcome, dtype=np.float64)
    if y.shape != (len(features),) or not np.isin(y, (0.0, 1.0)).all():
        raise ValueError(f"outcome needs 0 or 1 for each of the {len(features)} rows of features, got shape {y.shape}.")
    if not 0 < y.sum() < y.size:
        raise TooLittleData(
            f"the leak probe needs converters and non-converters, found {int(y.sum())} converters among {y.size} "
            "snapshots. Take a longer period, or check the outcome's mapping."
        )
    folds = _folds(y.size)
    names = [str(name) for name in features.columns]
    aucs: list[float] = []
    leaks: dict[int, Leak] = {}
    scores = np.zeros((y.size, len(names)))
    for at, name in enumerate(names):
        column = features.iloc[:, at]
        numbers = _numbers(column)
        groups, filled = _groups(column, numbers)
        rate = _out_of_fold_rate(groups, y, folds)
        auc = max(0.5, _auc(rate, y), 0.5 if numbers is None else _auc_with_missing(numbers, y))
        aucs.append(auc)
        scores[:, at] = np.log(rate / (1 - rate))
        leak = _too_good(name, auc, limit) or _deciding_value(name, groups, filled, y)
        if leak:
            leaks[at] = leak
    gains = _dominant(names, aucs, scores, y, leaks)
    probes = [FeatureProbe(name, aucs[at], gains.get(at, np.nan), leaks.get(at)) for at, name in enumerate(names)]
    return sorted(probes, key=lambda probe: -probe.auc)


def _too_good(name: str, auc: float, limit: float) -> Leak | None:
    if auc <= limit:
        return None
    return Leak(
        name,
        "auc",
        auc,
        limit,
        f"Column {name!r} alone ranks converters at an AUC of {auc:.3f} (limit {limit:.3f}): nothing honest does. "
        f"{ADVICE}",
    )


def _deciding_value(name: str, groups: Codes, filled: npt.NDArray[np.bool_], y: Floats) -> Leak | None:
    """A value, or being filled, after which the outcome is as good as known."""
    base, converters = float(y.mean()), float(y.sum())
    sure = 1 - 0.1 * (1 - base)  # nine tenths of the way from the base rate to certainty
    size, hits = np.bincount(groups), np.bincount(groups, weights=y)
    pure = (hits >= sure * size) & (size >= _LEAST)
    decided = float(hits[pure].sum() / converters)
    if hits[pure].sum() >= _LEAST and decided >= CONVERTERS_SHARE:
        return Leak(
            name,
            "deciding_value",
            decided,
            CONVERTERS_SHARE,
            f"Column {name!r} has values with which practically everybody converted; {decided:.0%} of the converters "
            f"have them. {ADVICE}",
        )
    present, found = float(filled.sum()), float(y[filled].sum())
    if found >= max(_LEAST, sure * present) and found / converters >= CONVERTERS_SHARE:
        return Leak(
            name,
            "filled_after_conversion",
            found / converters,
            CONVERTERS_SHARE,
            f"Column {name!r} is filled (not empty, not zero) for {found / converters:.0%} of the converters and "
            f"hardly anybody else: it looks written by the conversion. {ADVICE}",
        )
    share = (present - found) / (y.size - converters)
    if share >= 2 * CONVERTERS_SHARE and present * base >= 2 * _LEAST and found <= 0.02 * present * base:
        return Leak(
            name,
            "filled_after_loss",
            share,
            2 * CONVERTERS_SHARE,
            f"Column {name!r} is filled (not empty, not zero) for {share:.0%} of those who did not convert and for "
            f"practically no converter: it looks written when a lead is lost. {ADVICE}",
        )
    return None


def _dominant(
    names: list[str], aucs: list[float], scores: Floats, y: Floats, leaks: dict[int, Leak]
) -> dict[int, float]:
    """Add dominant columns to ``leaks``; return what each strong column adds to all others.

    A leak found leaves the pool before the next is looked for, or it would make up for the loss of every other.
    """
    gains: dict[int, float] = {}
    spread = scores.std(axis=0)
    z = (scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    alike = np.abs(z.T @ z) / y.size >= SAME_CORRELATION
    while True:
        pool = [at for at in range(len(names)) if at not in leaks and spread[at] > 0]
        strong = sorted((at for at in pool if aucs[at] >= DOMINANT_AUC), key=lambda at: -aucs[at])[:_CANDIDATES]
        if not strong:
            return gains
        together = _joint_auc(z[:, pool], y)
        for at in strong:
            rest = [other for other in pool if other != at and not alike[at, other]]
            without = _joint_auc(z[:, rest], y) if rest else together
            # However strong, a column cannot stand out from neighbours that it does not have.
            gains[at] = (together - without) / max(1 - without, 1e-9)
        worst = max(strong, key=lambda at: gains[at])
        if gains[worst] < DOMINANT_GAIN:
            return gains
        leaks[worst] = Leak(
            names[worst],
            "dominant",
            gains[worst],
            DOMINANT_GAIN,
            f"Column {names[worst]!r} alone ranks converters at an AUC of {aucs[worst]:.3f}, and adds "
            f"{gains[worst]:.0%} of what all other columns together leave open (limit {DOMINANT_GAIN:.0%}). "
            f"Look whether it is measured during or after the outcome, as the length of the closing call is. {ADVICE}",
        )


def _joint_auc(z: Floats, y: Floats) -> float:
    """AUC of a logistic model on out-of-fold log odds; few numbers on many rows, so its own fit flatters little."""
    return _auc(LogisticRegression(tol=1e-3).fit(z, y).decision_function(z), y)


def _numbers(column: "pd.Series[Any]") -> Floats | None:
    """The column as numbers, NaN where missing or infinite; None for any other kind of column."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        numbers = np.where(column.isna(), np.nan, pd.to_numeric(column).to_numpy(dtype=np.float64))
    elif pd.api.types.is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        return None
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _groups(column: "pd.Series[Any]", numbers: Floats | None) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """Value, or range of values, per row (missing is one of them); and whether the row is filled."""
    if numbers is None:
        codes = pd.factorize(column, use_na_sentinel=False)[0]
        filled = column.notna().to_numpy() & (column.astype(str).str.strip() != "").to_numpy()
        return codes.astype(np.intp), filled
    missing = np.isnan(numbers)
    if missing.all():
        return np.zeros(numbers.size, dtype=np.intp), ~missing
    cuts = np.unique(np.nanquantile(numbers, np.arange(1, _BINS) / _BINS))
    codes = np.searchsorted(cuts, numbers, side="left")
    return np.where(missing, cuts.size + 1, codes), ~missing & (numbers != 0)


def _folds(size: int) -> Codes:
    """Fold per position, scattered: rows in order of time or outcome must not fall into one fold."""
    scattered = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    scattered ^= scattered >> np.uint64(29)
    return ((scattered * np.uint64(0xBF58476D1CE4E5B9)) >> np.uint64(33)).astype(np.intp) % _FOLDS


def _out_of_fold_rate(groups: Codes, y: Floats, folds: Codes) -> Floats:
    """Conversion rate of the row's group in the other folds, shrunk to the base rate."""
    cell, shape = groups * _FOLDS + folds, (int(groups.max()) + 1, _FOLDS)
    size = np.bincount(cell, minlength=shape[0] * _FOLDS).reshape(shape)
    hits = np.bincount(cell, weights=y, minlength=shape[0] * _FOLDS).reshape(shape)
    others, found = size.sum(axis=1, keepdims=True) - size, hits.sum(axis=1, keepdims=True) - hits
    rates: Floats = (found + _PRIOR * y.mean()) / (others + _PRIOR)
    return rates[groups, folds]


def _auc(score: Floats, y: Floats) -> float:
    """Ties count one half."""
    converters = y.sum()
    ranks = pd.Series(score).rank().to_numpy()
    return float((ranks @ y - converters * (converters + 1) / 2) / (converters * (y.size - converters)))


def _auc_with_missing(numbers: Floats, y: Floats) -> float:
    """AUC in the better direction, missing values below or above all others, whichever is better."""
    missing = np.isnan(numbers)
    if not missing.any():
        auc = _auc(numbers, y)
        return max(auc, 1 - auc)
    ends = [_auc(np.where(missing, end, numbers), y) for end in (-np.inf, np.inf)]
    return max(*ends, *(1 - auc for auc in ends))


def changed_after_outcome_probe(
    changes: pd.DataFrame, outcome_at: "pd.Series[Any]", *, limit: float = CHANGED_SHARE
) -> list[Leak]:
    """Attributes whose values change once a lead has converted, and rarely otherwise.

    Such an attribute is harmless where its dated history is read, and a leak where an export of today is: the
    export shows the value that the conversion brought.

    Parameters
    ----------
    changes
        One row per change of a value: lead_id, attribute, known_at (int64 microseconds UTC). The value a lead was
        created with is not a change.
    outcome_at
        Moment of conversion (int64 microseconds UTC) by lead_id, unique, null where it has not converted. Leads that
        appear only in ``changes`` have not converted.
    limit
        Least share of the converters whose value changes at or after the conversion. To be found, an attribute must
        also change three times less often otherwise: before a conversion, or in leads without one.

    Raises
    ------
    ValueError
        On missing columns or a lead with two outcomes.

    Examples
    --------
    >>> changes = pd.DataFrame({"lead_id": range(30), "attribute": "contract_type", "known_at": 200})
    >>> found = changed_after_outcome_probe(changes, pd.Series(100, index=range(30)))
    >>> found[0].column, found[0].value
    ('contract_type', 1.0)
    >>> changed_after_outcome_probe(changes, pd.Series(300, index=range(30)))
    []
    """
    if missing := {"lead_id", "attribute", "known_at"} - set(changes.columns):
        raise ValueError(f"changes needs the columns lead_id, attribute and known_at; missing: {sorted(missing)}.")
    if not outcome_at.index.is_unique:
        twice = outcome_at.index[outcome_at.index.duplicated()][0]
        raise ValueError(f"outcome_at needs one moment per lead, found two for {twice!r}: keep the first.")
    converted_at = outcome_at.dropna()
    leads = outcome_at.index.union(pd.Index(changes["lead_id"].unique())).size
    at = changes["lead_id"].map(converted_at)
    seen = pd.DataFrame(
        {
            "attribute": changes["attribute"],
            "lead_id": changes["lead_id"],
            "after": at.notna() & (changes["known_at"] >= at.fillna(0)),
        }
    ).drop_duplicates()
    counts = seen.groupby(["attribute", "after"], observed=True).size().unstack(fill_value=0)
    counts = counts.reindex(columns=[False, True], fill_value=0)
    found = []
    for attribute, otherwise, after in counts.itertuples():
        share = after / max(converted_at.size, 1)
        if after < _LEAST or share < limit or 3 * otherwise / leads > share:
            continue
        found.append(
            Leak(
                str(attribute),
                "changed_after_outcome",
                float(share),
                limit,
                f"Attribute {str(attribute)!r} changes after the outcome for {share:.0%} of the converters, and for "
                f"{otherwise / leads:.0%} of all leads otherwise. Exclude it, or declare when it is known and import "
                "its dated history rather than today's value.",
            )
        )
    return sorted(found, key=lambda leak: -leak.value)
