"""What is published now, lead by lead, and more of those leads as of the moment they were scored for.

Scores are read from `current_scores`; columns that the release need not know are described anew, lead range by lead
range, under the same time cut as the scores themselves.
"""

from collections.abc import Callable
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.build import describe
from features.catalogue import Catalogue
from features.errors import ConfigError, UserError
from features.tables import AS_OF, LEAD_ID
from pipelines.catalogues import catalogue_for, needed
from pipelines.config import Settings
from pipelines.store import Inventory, LeadStore
from serve.economics import Economics

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]


def published(store: LeadStore) -> pd.DataFrame:
    """One row per published lead, by lead_id: lead_id, as_of (microseconds UTC), probability and the stage advised.

    A lead that is no longer among the leads, where a company keeps these itself, is left out: nothing is known of it.

    Raises
    ------
    UserError
        Nothing is published, or of no lead that is still there.
    """
    scores: pd.DataFrame = store.arrow(
        "SELECT lead_id, epoch_us(as_of) AS as_of, probability, recommended_stage, needs_confirmation "
        f"FROM current_scores WHERE lead_id IN (SELECT lead_id FROM {store.source('leads')}) ORDER BY lead_id"
    ).to_pandas()
    if scores.empty:
        if store.rows("SELECT 1 FROM current_scores LIMIT 1"):
            raise UserError(
                f"No score is published of a lead that is still among the leads of {store.where}: look at the table "
                "that [store.tables] reads them from, or run 'leadscore score' anew."
            )
        raise UserError("No score is published, so there is nothing to tell about: run 'leadscore score' first.")
    return scores


def described(
    store: LeadStore,
    scores: pd.DataFrame,
    columns: Catalogue,
    *,
    range_leads: int,
    progress: Progress = lambda _done, _total: None,
) -> pd.DataFrame:
    """The columns of a catalogue for the published leads as of the moment of their scores; rows as in `scores`."""
    parts, ids = [], scores[LEAD_ID].to_numpy(object)
    ranges = range(0, len(scores), range_leads)
    for done, start in enumerate(ranges):
        some = scores.iloc[start : start + range_leads]
        asked = some[[LEAD_ID, AS_OF]].reset_index(drop=True)
        parts.append(describe(store.read(ids[start], ids[start + len(some) - 1]), asked, of=columns))
        progress(done + 1, len(ranges))
    return pd.concat(parts).reset_index(drop=True)


def values(
    store: LeadStore,
    settings: Settings,
    economics: Economics,
    scores: pd.DataFrame,
    *,
    progress: Progress = lambda _done, _total: None,
) -> Floats:
    """(leads,) what each published lead would bring as a customer; the store is read only where that differs by lead.

    Raises
    ------
    ConfigError
        A column that [economics] names is not there, or is not of the type it must be.
    """
    named = {"amount": economics.amount, "segment": economics.segment}
    if not any(named.values()):
        return economics.value(scores)
    inventory = store.inventory(until=int(scores[AS_OF].max()))
    columns = columns_named(settings, inventory, named)
    return economics.value(described(store, scores, columns, range_leads=settings.score.range_leads, progress=progress))


def columns_named(settings: Settings, inventory: Inventory, named: dict[str, str]) -> Catalogue:
    """The columns behind [economics] amount (numeric) and segment (categorical), where they are told ("": not).

    Raises
    ------
    ConfigError
        One is not there, or is not of the type it must be.
    """
    columns = catalogue_for(settings, inventory)
    by_name = {column.name: column for column in columns.columns}
    for key, name in named.items():
        if not name:
            continue
        wanted = "numeric" if key == "amount" else "categorical"
        if name not in by_name:
            fitting = [column.name for column in columns.columns if column.type == wanted]
            near = get_close_matches(name, fitting, n=3)
            why = f" ({columns.left_out[name]})" if name in columns.left_out else ""
            hint = f"Did you mean {' or '.join(near)}?" if near else f"Name a {wanted} column that a model card lists."
            raise ConfigError(f"[economics] {key} names the column {name!r}, which this store has not{why}. {hint}")
        if by_name[name].type != wanted:
            raise ConfigError(
                f"[economics] {key} must name a {wanted} column, and {name!r} is {by_name[name].type}. Name another; "
                "[attributes] says what your own columns are."
            )
    return needed(named.values(), of=columns)
