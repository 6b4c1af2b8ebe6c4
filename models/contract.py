"""What a model was trained on: column names, order, types, ranges and categories. Nothing else is scored.

LightGBM takes columns by position: with two of them swapped it gives other probabilities and no error. So a frame is
checked by name, order and type before anything is computed, and the error shows the difference.
"""

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from features.errors import ReleaseRefused
from models.encoding import Encoding

#: More rows than this may not fall into categories that training did not have.
NEW_CATEGORY_LIMIT: Final = 0.2
#: Fewer leads than this prove nothing about a column: one newcomer among three leads must not stop the night.
NEW_CATEGORY_LEAST: Final = 20
_TYPES: Final = {"categorical": "text", "numeric": "float64"}


@dataclass(frozen=True)
class ContractColumn:
    """One feature column as it was in training."""

    name: str
    type: str
    about: str
    unit: str
    missing: str
    family: str
    monotone: int
    missing_share: float
    low: float | None = None
    high: float | None = None
    other_share: float | None = None
    """Categorical: share of training rows in categories too rare to stand alone."""
    measure: str = ""
    """The first column that tells of the same thing (`features.measures`): told as one reason. Empty: stands alone."""


@dataclass(frozen=True)
class Contract:
    """The columns in order, and what the features need to know of the store to compute them again."""

    columns: tuple[ContractColumn, ...]
    kinds: Mapping[str, str]
    own_kinds: tuple[str, ...]
    attributes: Mapping[str, str]
    profile_columns: tuple[str, ...]
    target_stage: str
    horizon_days: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    def check(self, frame: pd.DataFrame) -> None:
        """Refuse a frame that is not what the model was trained on.

        Raises
        ------
        ReleaseRefused
            A column is missing, unexpected, out of order or of another type; the message shows the difference.
        """
        found = [str(name) for name in frame.columns]
        if found != list(self.names):
            missing = [name for name in self.names if name not in found]
            unexpected = [name for name in found if name not in self.names]
            says = [f"missing: {', '.join(missing)}"] if missing else []
            says += [f"unexpected: {', '.join(unexpected)}"] if unexpected else []
            says += ["the order differs"] if not says else []
            diff = "\n".join(
                line for line in difflib.unified_diff(self.names, found, "trained on", "found", lineterm="", n=1)
            )
            raise ReleaseRefused(
                f"The model was trained on {len(self.names)} columns, found {len(found)}; {'; '.join(says)}. Give the "
                f"columns of the contract in their order, or train again on these.\n{diff}"
            )
        wrong = [
            f"{column.name} should be {_TYPES[column.type]}, is {frame[column.name].dtype}"
            for column in self.columns
            if not _is_type(frame[column.name], column.type)
        ]
        if wrong:
            raise ReleaseRefused("Columns have another type than in training: " + "; ".join(wrong) + ".")

    def check_categories(self, frame: pd.DataFrame, *, encoding: Encoding) -> dict[str, float]:
        """Share of rows in categories the model never learned, by column, where there are more than in training.

        Raises
        ------
        ReleaseRefused
            In some column it is more than 20 points above training, by 20 leads at least: the column does not mean
            what it meant.
        """
        if len(frame) == 0:
            return {}
        before = {column.name: column.other_share or 0.0 for column in self.columns}
        more = {name: share - before[name] for name, share in encoding.other_share(frame).items()}
        worst = max(more, key=lambda name: more[name], default=None)
        if worst is not None and more[worst] > NEW_CATEGORY_LIMIT and more[worst] * len(frame) >= NEW_CATEGORY_LEAST:
            raise ReleaseRefused(
                f"In {worst}, {more[worst] + before[worst]:.0%} of the leads have a category that the model does not "
                f"know ({before[worst]:.0%} in training). Map the new values to the old ones in the import, or train "
                "again."
            )
        return {name: share for name, share in more.items() if share > 0.01}

    def out_of_range(self, frame: pd.DataFrame) -> dict[str, int]:
        """How many values of each numeric column lie outside what training saw."""
        counts = {}
        for column in self.columns:
            if column.low is not None and column.high is not None:
                values = frame[column.name].to_numpy(np.float64)
                outside = int(((values < column.low) | (values > column.high)).sum())
                if outside:
                    counts[column.name] = outside
        return counts

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `as_dict` wrote."""
        return cls(
            columns=tuple(ContractColumn(**column) for column in plain["columns"]),
            kinds=dict(plain["kinds"]),
            own_kinds=tuple(plain["own_kinds"]),
            attributes=dict(plain["attributes"]),
            profile_columns=tuple(plain["profile_columns"]),
            target_stage=str(plain["target_stage"]),
            horizon_days=int(plain["horizon_days"]),
        )


def ranges(frame: pd.DataFrame, *, encoding: Encoding) -> dict[str, dict[str, float]]:
    """What a contract records of each training column: its range, share missing, and share in rare categories."""
    others = encoding.other_share(frame)
    facts: dict[str, dict[str, float]] = {}
    for name in map(str, frame.columns):
        column = frame[name]
        facts[name] = {"missing_share": float(column.isna().mean())}
        if _is_type(column, "numeric"):
            values = column.to_numpy(np.float64)
            if not np.isnan(values).all():
                facts[name] |= {"low": float(np.nanmin(values)), "high": float(np.nanmax(values))}
        else:
            facts[name]["other_share"] = others.get(name, 0.0)
    return facts


def _is_type(column: "pd.Series[Any]", type_: str) -> bool:
    if type_ == "categorical":
        return bool(pd.api.types.is_string_dtype(column.dtype) or column.isna().all())
    return bool(pd.api.types.is_float_dtype(column.dtype))
