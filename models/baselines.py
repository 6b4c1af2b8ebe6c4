"""What a model must beat on the same rows: the base rate, and a plain logistic regression."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from models.encoding import Floats
from models.logistic import fit_logistic


def base_rate(outcome: npt.NDArray[np.int64], *, rows: int) -> Floats:
    """The training rows' conversion rate, for every row: what is known without looking at a lead."""
    return np.full(rows, float(np.mean(outcome)))


def logistic_regression(frame: pd.DataFrame, outcome: npt.NDArray[np.int64], later: pd.DataFrame) -> Floats:
    """The textbook's logistic regression: medians for missing numbers, flags for missing ones, one-hot categories.

    Parameters
    ----------
    frame, outcome : training rows
    later : rows to predict

    Returns
    -------
    (later rows,) probability
    """
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="(missing)"),
        OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist", sparse_output=False),
    )
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="float64")),
        (texts, make_column_selector(dtype_exclude="float64")),
    )
    filled = frame.columns[frame.notna().any()]
    matrix = columns.fit_transform(_plain(frame[filled]))
    coefficients, intercept = fit_logistic(matrix, outcome, penalty=1.0, signs=np.zeros(matrix.shape[1], np.int64))
    probability: Floats = expit(columns.transform(_plain(later[filled])) @ coefficients + intercept)
    return probability


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Text as plain objects, which is what scikit-learn's imputer knows missing values in."""
    texts = [name for name in frame.columns if not pd.api.types.is_float_dtype(frame[name].dtype)]
    objects = {name: frame[name].astype(object).where(frame[name].notna(), None) for name in texts}
    return frame.assign(**{name: column.fillna("(missing)") for name, column in objects.items()})
