"""What a model must beat on the same rows: from knowing nothing to what other tools, and marketing, do today.

Each takes the training rows and gives a probability for later ones. The frames are those of features: numeric columns
float64 (NaN = missing), categorical ones text (null = missing). Columns that are empty or constant, values never seen
in training, and frames of one kind of column alone are no obstacle to any of them.

Odoo's naive Bayes is given the values as of each snapshot, where Odoo itself learns from those a lead had when it was
closed; rows that did not convert within the horizon count as lost, where Odoo leaves leads out until a person gives
them up; and each snapshot counts, where Odoo knows a lead once. So it is judged at the task that the model has.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import isotonic_regression
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from models import odoo_bayes as odoo
from models.encoding import CATEGORY_PRIOR, MIN_CATEGORY, MISSING, Floats, Folds
from models.logistic import fit_logistic

Outcome = npt.NDArray[np.int64]

#: Isotonic regression says 0 and 1 where it saw few leads; nobody should bet a log loss on that.
CLIP: Final = 1e-3
#: The stages an open lead climbs. Whoever stands elsewhere (nothing recorded, recycled) is where every lead begins.
STAGES: Final = ("lead", "mql", "sal", "pql", "sql", "opportunity", "customer")
#: Odoo takes an empty quality of the e-mail address for a value; this is the column of ours that says the same.
EMPTY_IS_VALUE: Final = ("email_class",)
#: Parts of equal size, by training rows, that "Odoo with bins" cuts a number into.
BINS: Final = 5
_FINE_BINS = 100
_BLOCKS = 5


def base_rate(outcome: Outcome, *, rows: int) -> Floats:
    """The training rows' conversion rate, for every row: what is known without looking at a lead."""
    return np.full(rows, float(np.mean(outcome)))


def logistic_regression(frame: pd.DataFrame, outcome: Outcome, later: pd.DataFrame) -> Floats:
    """The textbook's logistic regression: medians for missing numbers, flags for missing ones, one-hot categories.

    Parameters
    ----------
    frame, outcome : training rows
    later : rows to predict

    Returns
    -------
    (later rows,) probability
    """
    numbers = _numeric(frame)
    blocks = [_standardised(frame[numbers].to_numpy(np.float64), later[numbers].to_numpy(np.float64))]
    blocks += [_one_hot(_texts(frame[name]), _texts(later[name])) for name in _categorical(frame)]
    matrix, later_matrix = (np.concatenate(side, axis=1) for side in zip(*blocks, strict=True))
    coefficients, intercept = fit_logistic(matrix, outcome, penalty=1.0, signs=np.zeros(matrix.shape[1], np.int64))
    probability: Floats = expit(later_matrix @ coefficients + intercept)
    return probability


def odoo_bayes(frame: pd.DataFrame, outcome: Outcome, later: pd.DataFrame) -> Floats:
    """Odoo's naive Bayes without the stage: what it would say of a lead that nobody has worked on yet.

    Every categorical column is a field, whatever the number of its values, and numbers are none: Odoo has no use for
    them. Without categorical columns it is the prior.

    Parameters
    ----------
    frame, outcome : training rows
    later : rows to predict

    Returns
    -------
    (later rows,) probability in [0.0001, 0.9999]
    """
    texts = _categorical(frame)
    return _odoo(odoo.Leads(frame[texts]), outcome, odoo.Leads(later[texts]))


def odoo_bayes_with_stage(
    frame: pd.DataFrame,
    outcome: Outcome,
    later: pd.DataFrame,
    *,
    stage: "Sequence[Any] | npt.NDArray[Any] | pd.Series[Any]",
    later_stage: "Sequence[Any] | npt.NDArray[Any] | pd.Series[Any]",
) -> Floats:
    """Odoo's naive Bayes with the stage people had recorded: it knows what sales have found out by then.

    Training rows that converted count for every stage, others for those up to their own, as in Odoo. As of an early
    moment few of either have got far, so a late stage promises too much: Odoo's assumption, not mended here. A stage
    that is not among `STAGES`, or null, is the first one: Odoo puts every new lead there.

    Parameters
    ----------
    frame, outcome : training rows
    later : rows to predict
    stage, later_stage : the stage last recorded before the as_of of each row (`features.history.stage_as_of`)

    Returns
    -------
    (later rows,) probability in [0.0001, 0.9999]

    Examples
    --------
    >>> nothing, outcome = pd.DataFrame(index=range(5)), np.array([1, 1, 1, 0, 0])
    >>> stage, asked = [None, None, "sql", "sql", None], [None, "mql", "sql", "opportunity", "recycled"]
    >>> odoo_bayes_with_stage(nothing, outcome, nothing, stage=stage, later_stage=asked).tolist()
    [0.5962, 0.7381, 0.7381, 0.9688, 0.5962]
    >>> odoo_bayes_with_stage(nothing, outcome, nothing, stage=["sql"], later_stage=asked)
    Traceback (most recent call last):
    ValueError: stage needs one entry per lead: 5 leads, got 1 entries.
    """
    texts = _categorical(frame)
    return _odoo(
        odoo.Leads(frame[texts], stage=_stages(stage)),
        outcome,
        odoo.Leads(later[texts], stage=_stages(later_stage)),
        stages=STAGES,
    )


def odoo_bayes_with_bins(frame: pd.DataFrame, outcome: Outcome, later: pd.DataFrame) -> Floats:
    """Odoo's naive Bayes without the stage, numbers cut in `BINS` parts: what a patient administrator would make of it.

    A number's bins are learned from the training rows; missing is a bin of its own, for in features it says something
    ("it never happened").

    Parameters
    ----------
    frame, outcome : training rows
    later : rows to predict

    Returns
    -------
    (later rows,) probability in [0.0001, 0.9999]
    """
    texts = _categorical(frame)
    fields, asked = ({name: side[name].array for name in texts} for side in (frame, later))
    for name in _numeric(frame):
        values = frame[name].to_numpy(np.float64)
        edges = _edges(values, BINS)
        fields[name], asked[name] = _bins(values, edges), _bins(later[name].to_numpy(np.float64), edges)
    return _odoo(
        odoo.Leads(pd.DataFrame(fields, index=range(len(frame)))),
        outcome,
        odoo.Leads(pd.DataFrame(asked, index=range(len(later)))),
    )


def best_single_feature(
    frame: pd.DataFrame, outcome: Outcome, later: pd.DataFrame, *, folds: Folds | None = None
) -> tuple[str | None, Floats]:
    """The one column that alone foretells best, and what it foretells: is a model worth its trouble at all?

    A number is read by isotonic regression, rising or falling, over up to a hundred bins of equal size, a category by
    its conversion rate; missing is a value of its own, and `CATEGORY_PRIOR` rows at the base rate are added to each
    category. Columns are compared by log loss out of fold.

    Parameters
    ----------
    frame, outcome : training rows
    later : rows to predict
    folds : (rows,) a fold per row, as of `lead_folds`; None: five blocks of rows that follow one another, which are
        spans of time where rows are in order of as_of; give folds by lead where leads have several rows and values
        of their own that do not change

    Returns
    -------
    (name, probability)
        The name is None, and the probability the base rate, where no column does better than that.
    """
    by_row = np.arange(len(outcome)) * _BLOCKS // max(len(outcome), 1) if folds is None else folds
    fold = np.unique(by_row, return_inverse=True)[1].astype(np.int64)
    base = base_rate(outcome, rows=len(later))
    best, least, chosen = None, _held_out_loss(_tally(np.zeros_like(fold), outcome, fold, 1), ordered=False), base
    numbers = _numeric(frame)
    for name in [*numbers, *_categorical(frame)]:
        levels, later_levels, size = (_number_levels if name in numbers else _text_levels)(frame[name], later[name])
        tally = _tally(levels, outcome, fold, size)
        loss = _held_out_loss(tally, ordered=name in numbers)
        if loss < least * (1 - 1e-12):  # less by more than rounding
            best, least = name, loss
            chosen = _rates(tally.sum(axis=1), ordered=name in numbers)[later_levels]
    return best, chosen


def points_probability(points: npt.ArrayLike, outcome: Outcome, later_points: npt.ArrayLike) -> Floats:
    """Marketing's points in their fairest form: the conversion rate of training rows with as many, never falling.

    Isotonic regression keeps the order of the points and gives them the best level they could have, so that they are
    judged for what they say and not for their scale. A lead without points stands below every lead that has some, as it
    does on marketing's list.

    Parameters
    ----------
    points, outcome : training rows; NaN = no points
    later_points : of the rows to predict

    Returns
    -------
    (later rows,) probability in [`CLIP`, 1 - `CLIP`]

    Examples
    --------
    >>> points_probability([10, 10, 20, 20, np.nan], np.array([0, 1, 1, 1, 0]), [np.nan, 10, 15, 99]).tolist()
    [0.001, 0.5, 0.7495, 0.999]
    """
    earlier, later = np.asarray(points, np.float64), np.asarray(later_points, np.float64)
    known = np.concatenate([earlier[~np.isnan(earlier)], later[~np.isnan(later)]])
    below = float(known.min()) - 1.0 if len(known) else 0.0
    fair = IsotonicRegression(y_min=CLIP, y_max=1 - CLIP, out_of_bounds="clip")
    fair.fit(np.where(np.isnan(earlier), below, earlier), outcome)
    probability: Floats = fair.predict(np.where(np.isnan(later), below, later))
    return probability


def _numeric(frame: pd.DataFrame) -> list[str]:
    """Numeric columns of which the training rows know anything."""
    return [str(n) for n in frame.columns if pd.api.types.is_float_dtype(frame[n].dtype) and frame[n].notna().any()]


def _categorical(frame: pd.DataFrame) -> list[str]:
    """All others of which the training rows know anything."""
    return [str(n) for n in frame.columns if not pd.api.types.is_float_dtype(frame[n].dtype) and frame[n].notna().any()]


def _standardised(values: Floats, later: Floats) -> tuple[Floats, Floats]:
    """Numbers, and a flag for those that are sometimes missing, all to mean 0 and deviation 1 on the training rows."""
    medians = np.array([np.nanmedian(column) for column in values.T])
    flagged = np.isnan(values).any(axis=0)
    filled, later_filled = (
        np.concatenate([np.where(np.isnan(side), medians, side), np.isnan(side[:, flagged])], axis=1)
        for side in (values, later)
    )
    mean, deviation = filled.mean(axis=0), filled.std(axis=0)
    deviation[(filled == filled[:1]).all(axis=0)] = 1.0  # rounding leaves a constant column a deviation above 0
    return (filled - mean) / deviation, (later_filled - mean) / deviation


def _texts(column: "pd.Series[Any]") -> npt.NDArray[np.object_]:
    codes, distinct = pd.factorize(column)
    return np.array([*map(str, distinct), MISSING], object)[codes]


def _one_hot(texts: npt.NDArray[np.object_], later: npt.NDArray[np.object_]) -> tuple[Floats, Floats]:
    """A column per common category, missing among them, and one for rare ones; unseen ones are as rare ones."""
    codes, levels = pd.factorize(texts)
    rows = np.bincount(codes)
    common = pd.Index(sorted(levels[rows >= MIN_CATEGORY]))
    # The last row is what is not common: a category like the others or, where none is rare in training, all zeros.
    hot = np.eye(len(common) + 1)[:, : len(common) + int((rows < MIN_CATEGORY).any())]
    return hot[common.get_indexer(pd.Index(texts))], hot[common.get_indexer(pd.Index(later))]


def _odoo(leads: odoo.Leads, outcome: Outcome, later: odoo.Leads, *, stages: Sequence[str] = odoo.NO_STAGES) -> Floats:
    return odoo.learn(leads, outcome, stages=stages, empty_is_value=EMPTY_IS_VALUE).percent(later) / 100


def _stages(stage: "Sequence[Any] | npt.NDArray[Any] | pd.Series[Any]") -> npt.NDArray[np.object_]:
    texts = pd.Series(stage, dtype=object)
    return texts.where(texts.isin(STAGES), STAGES[0]).to_numpy()


def _edges(values: Floats, bins: int) -> Floats:
    """The greatest value of each bin but the last; bins of equal size as far as equal values allow."""
    known = values[~np.isnan(values)]
    return np.unique(np.quantile(known, np.arange(1, bins) / bins, method="inverted_cdf"))


def _bins(values: Floats, edges: Floats) -> npt.NDArray[np.int64]:
    """Each value's bin, from 0; the number after the last bin's where it is missing."""
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, "left")).astype(np.int64)


def _number_levels(column: "pd.Series[Any]", later: "pd.Series[Any]") -> tuple[Folds, Folds, int]:
    values = column.to_numpy(np.float64)
    edges = _edges(values, _FINE_BINS)
    return _bins(values, edges), _bins(later.to_numpy(np.float64), edges), len(edges) + 2


def _text_levels(column: "pd.Series[Any]", later: "pd.Series[Any]") -> tuple[Folds, Folds, int]:
    """The last level is what was never seen in training."""
    codes, distinct = pd.factorize(_texts(column))
    known = pd.Index(distinct).get_indexer(pd.Index(_texts(later)))
    return codes.astype(np.int64), np.where(known < 0, len(distinct), known).astype(np.int64), len(distinct) + 1


def _tally(levels: Folds, outcome: Outcome, fold: Folds, size: int) -> Floats:
    """(2, folds, levels): rows, and those that converted."""
    folds = int(fold.max(initial=-1)) + 1
    place = fold * size + levels
    both = [np.bincount(at, minlength=folds * size).reshape(folds, size) for at in (place, place[outcome == 1])]
    return np.array(both, np.float64)


def _held_out_loss(tally: Floats, *, ordered: bool) -> float:
    """Log loss of each fold at the rates of the others, summed over rows."""
    loss = 0.0
    for own, others in zip(
        np.moveaxis(tally, 1, 0), np.moveaxis(tally.sum(axis=1, keepdims=True) - tally, 1, 0), strict=True
    ):
        p = _rates(others, ordered=ordered)
        loss -= float(own[1] @ np.log(p) + (own[0] - own[1]) @ np.log1p(-p))
    return loss


def _rates(tally: Floats, *, ordered: bool) -> Floats:
    """Conversion rate of each level; where ordered, all but the last, which is "missing", rise or fall together."""
    rows, converted = tally
    base = float(converted.sum() / rows.sum()) if rows.sum() else 0.5
    rates: Floats = (converted + CATEGORY_PRIOR * base) / (rows + CATEGORY_PRIOR)
    seen = np.flatnonzero(rows[:-1])
    if ordered and len(seen):
        rate, weight = converted[seen] / rows[seen], rows[seen]
        fits = {rising: isotonic_regression(rate, weights=weight, increasing=rising) for rising in (True, False)}
        rising, fit = min(fits.items(), key=lambda item: float(weight @ (rate - item[1].x) ** 2))
        step = np.repeat(fit.weights, np.diff(fit.blocks))  # rows of the step that each level lies on
        drawn = (step * fit.x + CATEGORY_PRIOR * base) / (step + CATEGORY_PRIOR)
        # Small steps are drawn to the base rate more than large ones are: once more, lest one overtakes its neighbour.
        in_order = isotonic_regression(drawn, weights=weight, increasing=rising).x
        rates[:-1] = np.interp(np.arange(len(rows) - 1), seen, in_order)
    return np.clip(rates, 1e-6, 1 - 1e-6)
