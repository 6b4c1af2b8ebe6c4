"""`leadscore rules check`: what of a points card a store cannot fill, and how many leads each criterion matches.

The leads are those that would be scored as of the last moment that the store knows, or as of another.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from features.build import describe
from features.cohort import eligible
from models.rules import matches, points
from pipelines.catalogues import catalogue_for
from pipelines.config import Settings
from pipelines.moments import moment
from pipelines.rules_card import columns_of, for_store, read_card
from pipelines.snapshots import voluntary_types
from pipelines.store import LeadStore
from pipelines.train import known_until, read_inventory


def check_rules(
    store: LeadStore,
    settings: Settings,
    file: Path | None,
    *,
    as_of: int | None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Count a card on the leads that are open.

    Parameters
    ----------
    file : None: the card that comes along
    as_of : microseconds UTC; None: the last moment that the store knows

    Returns
    -------
    `as_of`, `leads`, `criteria` (each with its `points` and how many leads it `matches`), `left_out` (criterion ->
    why), and how many leads have each `stages` and `grades`.

    Raises
    ------
    ConfigError
        The card is not what a card must be, or names a feature that neither leadscore nor this store knows.
    TooLittleData
        The store holds no leads.
    """
    inventory = read_inventory(store, as_of=as_of)
    until = known_until(inventory, as_of=as_of)
    columns = catalogue_for(settings, inventory)
    card = for_store(read_card(file), of=columns)
    needed = columns_of(card, of=columns)
    voluntary = voluntary_types(inventory, columns.kinds, settings.cohort.voluntary_kinds)
    leads, matched, stages, grades = 0, Counter[str](), Counter[str](), Counter[str]()
    criteria = [(group, criterion) for group, of in card.groups.items() for criterion in of.criteria]
    ranges = store.lead_ranges(size=settings.score.range_leads)
    for done, (first, last) in enumerate(ranges):
        tables = store.read(first, last)
        asked = pd.DataFrame({"lead_id": tables.leads.column("lead_id").to_pandas(), "as_of": until})
        cohort = eligible(tables, asked, target_stage=settings.label.target_stage, voluntary_types=voluntary)
        frame = describe(tables, cohort.snapshots, of=needed)
        counted = points(frame, card)
        leads += len(frame)
        stages.update(counted["stage"].tolist())
        grades.update(counted["grade"].tolist())
        for _, criterion in criteria:
            matched[criterion.name] += int(matches(frame[criterion.feature], criterion).sum())
        progress(done + 1, len(ranges))
    return {
        "card": card.where,
        "as_of": moment(until),
        "leads": leads,
        "criteria": [
            {
                "name": criterion.name,
                "group": group,
                "points": float(criterion.points),
                "matches": matched[criterion.name],
            }
            for group, criterion in criteria
        ],
        "left_out": dict(card.left_out),
        "stages": {name: stages[name] for name in ("sql", "mql", "lead")},
        "grades": dict(sorted(grades.items())),
    }
