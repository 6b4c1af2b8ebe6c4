"""Evidence that a lead is out of target, from what its features say: for a person to confirm, never on its own."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd


def out_of_target(
    frame: pd.DataFrame,
    *,
    functions: Collection[str],
    email_classes: Collection[str],
    countries: Collection[str],
) -> npt.NDArray[np.object_]:
    """The evidence in words for each row, None where there is none.

    Parameters
    ----------
    frame : features; columns that are not there give no evidence
    functions, email_classes, countries : what is out of target, compared case-folded

    Examples
    --------
    >>> frame = pd.DataFrame({"job_function": ["student", "purchasing"]})
    >>> out_of_target(frame, functions=["student"], email_classes=[], countries=[]).tolist()
    ['job function: student', None]
    """
    evidence = np.full(len(frame), None, object)
    rules = (("country", "country", countries), ("email_class", "e-mail class", email_classes))
    for name, words, values in (*rules, ("job_function", "job function", functions)):
        if values and name in frame:
            folded = {value.casefold() for value in values}
            texts = frame[name].astype(object).where(frame[name].notna(), None)
            for row, text in enumerate(texts):
                if text is not None and text.casefold() in folded:
                    evidence[row] = f"{words}: {text}"
    return evidence
