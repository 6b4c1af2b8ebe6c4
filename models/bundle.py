"""A release as plain files, and back: text and JSON only, so that reading one can run nothing.

================== =================================================================================
model.txt          the trees, as LightGBM writes them
linear.json        encoding, coefficients and average lead of the logistic member
calibrator.json    the calibrator, and the band of its uncertainty
contract.json      columns, order, types, ranges, categories; what the features need to be computed
golden.json        made-up rows with the probabilities they must get
card.json          what was measured, for programs
card.md card.html  the same for people, as Markdown and as a page
================== =================================================================================

`manifest.json`, with the size and SHA-256 of each, is written and checked by `pipelines/release.py` *before* any of
these is parsed: a damaged LightGBM file does not raise, it kills the process.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import pandas as pd

from features.errors import ReleaseRefused
from models.calibration import Calibrator
from models.card import to_html
from models.contract import Contract
from models.encoding import MISSING, OTHER, Encoding, Floats
from models.estimator import Members, Model
from models.uncertainty import Band

FILES: Final = (
    "model.txt",
    "linear.json",
    "calibrator.json",
    "contract.json",
    "golden.json",
    "card.json",
    "card.md",
    "card.html",
)
GOLDEN_ROWS: Final = 24
GOLDEN_TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class Release:
    """Everything that scores, and what was measured of it."""

    model: Model
    contract: Contract
    band: Band
    centre: Floats
    """The average training lead, as the logistic member reads it: where its contributions start from."""
    card: Mapping[str, Any]
    card_text: str
    card_page: str = ""
    """As it was reviewed; a release that has none yet gets the page of its `card`."""

    def probability(self, frame: pd.DataFrame) -> Floats:
        """(rows,) calibrated probability, for a frame that keeps the contract."""
        self.contract.check(frame)
        return self.model.probability(frame)


def to_files(release: Release) -> dict[str, bytes]:
    """The release's files by name; the same release gives the same bytes."""
    members = release.model.members
    golden = golden_rows(release.contract, members.encoding)
    return {
        "model.txt": members.booster.model_to_string().encode(),
        "linear.json": _json(
            {
                "encoding": members.encoding.as_dict(),
                "coefficients": members.coefficients.tolist(),
                "intercept": members.intercept,
                "centre": release.centre.tolist(),
            }
        ),
        "calibrator.json": _json({"calibrator": release.model.calibrator.as_dict(), "band": release.band.as_dict()}),
        "contract.json": _json(release.contract.as_dict()),
        "golden.json": _json({"rows": _plain(golden), "probabilities": release.model.probability(golden).tolist()}),
        "card.json": _json(release.card),
        "card.md": release.card_text.encode(),
        "card.html": (release.card_page or to_html(release.card)).encode(),
    }


def from_files(files: Mapping[str, bytes]) -> Release:
    """Read a release whose digests have been verified, and let it prove that it still computes what it did.

    Raises
    ------
    ReleaseRefused
        A file is not what it should be, or the golden rows get other probabilities than when it was made.
    """
    try:
        linear = json.loads(files["linear.json"])
        calibration = json.loads(files["calibrator.json"])
        contract = Contract.from_dict(json.loads(files["contract.json"]))
        members = Members(
            Encoding.from_dict(linear["encoding"]),
            np.array(linear["coefficients"], np.float64),
            float(linear["intercept"]),
            lgb.Booster(model_str=files["model.txt"].decode()),
        )
        release = Release(
            Model(members, Calibrator.from_dict(calibration["calibrator"])),
            contract,
            Band.from_dict(calibration["band"]),
            np.array(linear["centre"], np.float64),
            json.loads(files["card.json"]),
            files["card.md"].decode(),
            files["card.html"].decode(),
        )
        _check_golden(release, json.loads(files["golden.json"]))
    except (AttributeError, KeyError, TypeError, ValueError, lgb.basic.LightGBMError) as error:
        raise ReleaseRefused(
            f"The release cannot be read ({type(error).__name__}: {error}). Train again, or promote another version."
        ) from error
    return release


def golden_rows(contract: Contract, encoding: Encoding) -> pd.DataFrame:
    """Made-up leads that walk through each column's range and categories; no real lead is in a release."""
    levels = {column.name: [level for level in column.log_odds if level != MISSING] for column in encoding.categorical}
    columns: dict[str, Any] = {}
    for c, column in enumerate(contract.columns):
        # A step that shares no factor with the number of places (a prime) visits each of them.
        steps = (np.arange(GOLDEN_ROWS) * (c % (GOLDEN_ROWS - 2) + 1)) % (GOLDEN_ROWS - 1) / (GOLDEN_ROWS - 2)
        if column.type == "categorical":
            known = levels.get(column.name) or [OTHER]
            # Counted without the missing ones, or five categories would never show the first of them.
            texts = [known[(row - row // 5 + c) % len(known)] if row % 5 else None for row in range(GOLDEN_ROWS)]
            columns[column.name] = pd.Series(texts, dtype="str")
        elif column.low is None or column.high is None:
            columns[column.name] = np.full(GOLDEN_ROWS, np.nan)
        else:
            # Squares of the steps: most of a count's range holds few leads.
            values = column.low + (column.high - column.low) * steps**2
            empty = (np.arange(GOLDEN_ROWS) + c) % 4 == 0
            columns[column.name] = np.where(empty, np.nan, values) if column.missing_share > 0 else values
    return pd.DataFrame(columns)


def _check_golden(release: Release, golden: Mapping[str, Any]) -> None:
    rows = pd.DataFrame(
        {
            column.name: pd.Series(
                golden["rows"][column.name], dtype="str" if column.type == "categorical" else "float64"
            )
            for column in release.contract.columns
        }
    )
    expected = np.array(golden["probabilities"], np.float64)
    found = release.probability(rows)
    worst = float(np.max(np.abs(found - expected))) if len(expected) == len(found) and len(found) else np.inf
    if not worst <= GOLDEN_TOLERANCE:
        raise ReleaseRefused(
            f"The release computes other probabilities here than where it was made: its golden rows differ by up to "
            f"{worst:.2g} (at most {GOLDEN_TOLERANCE:g} is allowed). The files are intact, so a library differs: "
            "install the locked versions, or train again."
        )


def _plain(frame: pd.DataFrame) -> dict[str, list[Any]]:
    return {str(name): [None if pd.isna(v) else v for v in frame[name].tolist()] for name in frame.columns}


def _json(plain: Any) -> bytes:
    return (json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=False, allow_nan=False) + "\n").encode()
