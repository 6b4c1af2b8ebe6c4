"""The swap set of a comparison, lead by lead, with what the model and the points say of each."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from features.catalogue import Catalogue
from features.errors import ReleaseRefused
from features.measures import measures
from models import rules
from models.bundle import Release
from models.comparison import Comparison, swapped
from models.contract import Contract, ContractColumn
from models.encoding import Floats
from models.explanation import explain, linear_centre
from models.handover import percentile, stand
from pipelines.config import Settings
from pipelines.contest import Contest
from pipelines.points import PointsCard
from pipelines.snapshots import TrainingFrame
from serve.reasons import reasons
from serve.swap_list import Portrait, Swapped, in_order, parts_of, portrait, read_reasons

Labels = Mapping[str, npt.NDArray[np.object_]]


def swap_list(
    contest: Contest,
    found: Comparison,
    data: TrainingFrame,
    columns: Catalogue,
    settings: Settings,
    *,
    lists: npt.NDArray[np.int64],
    card: PointsCard | None,
    worth: Floats | None,
) -> list[Swapped]:
    """Every snapshot that changes hands, the clearest cases first.

    Parameters
    ----------
    card : what counts the points, where they are B and a card counts them
    """
    a, b = (percentile(stand(ranking, lists)) for ranking in (contest.a, contest.b))
    part = np.abs(found.swap)
    rows = in_order(part, a - b, contest.lead_id, contest.as_of)
    because = _reasons(contest, data, columns, settings, rows)
    parts = _parts(contest, data, rows, card)
    b_says = contest.b if contest.points is not None else contest.b_probability
    return [
        Swapped(
            lead_id=str(contest.lead_id[row]),
            as_of=int(contest.as_of[row]),
            only="a" if found.swap[row] > 0 else "b",
            part=round(float(part[row]), 6),
            converted=bool(contest.outcome[row]),
            a=float(a[row]),
            b=float(b[row]),
            a_says=float(contest.a_probability[row]),
            b_says=None if np.isnan(b_says[row]) else float(b_says[row]),
            worth=None if worth is None else float(worth[row]),
            reasons=because.get(row),
            parts=parts.get(row),
        )
        for row in rows
    ]


def portraits(contest: Contest, found: Comparison, listed: list[Swapped], labels: Labels) -> dict[str, Portrait]:
    """Who the leads of each side are, by side."""
    return {
        side: portrait(
            [one for one in listed if one.only == side],
            labels,
            part,
            converted=float(part @ contest.outcome),
        )
        for side, part in swapped(found).items()
    }


def _reasons(
    contest: Contest, data: TrainingFrame, columns: Catalogue, settings: Settings, rows: list[int]
) -> dict[int, dict[str, Any]]:
    """By row: the reasons of the very model that foretold it; of a version, those that its release has now."""
    if contest.release is not None:
        return _release_reasons(contest.release, contest, data, settings, rows)
    if contest.proof is None or not rows:
        return {}
    contract = _contract(columns, settings)
    about = {column.name: column.about for column in contract.columns}
    told: dict[int, dict[str, Any]] = {}
    wanted = np.array(rows, np.intp)
    end = 0
    for period in contest.proof.backtest.folds:  # the rows of a proof are those of its folds, one after the other
        begin, end = end, end + len(period.fold.split.later)
        inside = wanted[(wanted >= begin) & (wanted < end)]
        if not inside.size:
            continue
        model = period.learned.model
        centre = linear_centre(model.members.encoding, data.frame.iloc[period.fold.split.earlier])
        frame = data.frame.iloc[contest.row[inside]]
        texts = reasons(explain(model, frame, centre=centre), frame, contract=contract, most=settings.score.reasons)
        told |= {int(row): read_reasons(text, about=about) for row, text in zip(inside, texts, strict=True)}
    return told


def _release_reasons(
    release: Release, contest: Contest, data: TrainingFrame, settings: Settings, rows: list[int]
) -> dict[int, dict[str, Any]]:
    """By row that is in the training frame; nothing where the release reads other columns than that has."""
    here, contract = [row for row in rows if contest.row[row] >= 0], release.contract
    if not here or not set(contract.names) <= set(map(str, data.frame.columns)):
        return {}
    frame = data.frame.iloc[contest.row[here]][list(contract.names)]
    try:
        contract.check(frame)
    except ReleaseRefused:  # a column has another type by now
        return {}
    about = {column.name: column.about for column in contract.columns}
    told = explain(release.model, frame, centre=release.centre)
    texts = reasons(told, frame, contract=contract, most=settings.score.reasons)
    return {row: read_reasons(text, about=about) for row, text in zip(here, texts, strict=True)}


def _contract(columns: Catalogue, settings: Settings) -> Contract:
    """The columns in words: all that reasons need."""
    measure_of = measures(columns.columns, kinds=columns.kinds)
    return Contract(
        columns=tuple(
            ContractColumn(
                c.name, c.type, c.about, c.unit, c.missing, c.family, c.monotone, 0.0, measure=measure_of[c.name]
            )
            for c in columns.columns
        ),
        kinds=dict(columns.kinds),
        own_kinds=columns.own_kinds,
        attributes=dict(columns.attributes),
        profile_columns=columns.profile_columns,
        target_stage=settings.label.target_stage,
        horizon_days=settings.label.horizon_days,
    )


def _parts(
    contest: Contest, data: TrainingFrame, rows: list[int], card: PointsCard | None
) -> dict[int, list[tuple[str, float]]]:
    """By row: what its points are made of; nothing where the CRM keeps them, or the card reads columns kept out."""
    if card is None or contest.points is None or not rows or not set(card.columns.names) <= set(data.frame.columns):
        return {}
    sheet = rules.units(data.frame.iloc[contest.row[rows]], card.card)
    return dict(zip(rows, parts_of(sheet, decimals=card.card.decimals), strict=True))
