"""Odoo's predictive lead scoring, the naive Bayes that a widespread CRM sorts leads by, written anew from its rules.

It counts, among closed leads, how often each value of each field was seen on won and on lost ones, and multiplies::

    won  = n_won/n  · Π W(field, value) / Σ W(field, ·)        p = won / (won + lost)
    lost = n_lost/n · Π L(field, value) / Σ L(field, ·)

What is Odoo's own, and kept: 0.1 is added to both counts of every value seen (`SMOOTHING`); a stage counts as *reached
at least*, so a won lead counts for every stage and a lost one for those up to its own, and n_won, n_lost are the counts
of the first stage; a team that has closed leads goes by its own counts alone, every other lead by those of all teams
together; tags of fewer than `TAG_LEADS` closed leads are ignored; a value never seen is skipped; the percentage is
rounded to two digits and stays within `LOWEST` and `HIGHEST`. One slip of Odoo's is not kept: that a lead whose team
has no closed lead in the first stage may be given the prior of the team before it. Here it has no probability.

References
----------
Odoo documentation, CRM, Track leads, "Lead scoring"; the published numbers are those of its tests of `crm.lead`.
Maron, M. E. (1961). Automatic indexing: an experimental inquiry. J. ACM 8(3). doi:10.1145/321075.321084
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from models.encoding import Floats

Integers = npt.NDArray[np.int64]

SMOOTHING: Final = 0.1
TAG_LEADS: Final = 50
LOWEST: Final = 0.01
HIGHEST: Final = 99.99
STAGE: Final = "stage"
TAG: Final = "tag"
#: The only stage there is where nobody tells stages: every lead has reached it.
_ANY_STAGE: Final = "(any)"
NO_STAGES: Final = (_ANY_STAGE,)


@dataclass(frozen=True)
class Leads:
    """Leads as Odoo sees them, one row each; closed ones to learn from, open ones to score.

    `fields` : one column per field, text or anything hashable; null = empty
    `stage` : a stage per lead, null = none; None where stages play no part: then every lead is in the same
    `team` : a team per lead, null = none
    `tags` : the tags of each lead
    """

    fields: pd.DataFrame
    stage: Sequence[Any] | npt.NDArray[Any] | None = None
    team: Sequence[Any] | npt.NDArray[Any] | None = None
    tags: Sequence[Collection[str]] | None = None

    def __post_init__(self) -> None:
        for name in ("stage", "team", "tags"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.fields):
                raise ValueError(
                    f"{name} needs one entry per lead: {len(self.fields)} leads, got {len(given)} entries."
                )


@dataclass(frozen=True)
class Frequencies:
    """Smoothed counts of one field's values, by scope: a row per team that has closed leads, and all leads last.

    `won`, `lost` : (scopes, values + 2); the last two columns are "empty" and "never seen", 0 = no such row
    `won_total`, `lost_total` : (scopes,) what the counts are divided by
    """

    values: "pd.Index[Any]"
    won: Floats
    lost: Floats
    won_total: Floats
    lost_total: Floats

    def places(self, column: "pd.Series[Any]") -> Integers:
        """The column of `won` and `lost` that each row's value has."""
        codes, distinct = pd.factorize(column)
        known = self.values.get_indexer(pd.Index(np.asarray(distinct, object)))
        empty = len(self.values)
        # Code -1, an empty value, finds the entry that is put last.
        return np.append(np.where(known < 0, empty + 1, known), empty).astype(np.int64)[codes]

    def shares(self) -> tuple[Floats, Floats]:
        """P(value | won) and P(value | lost), shaped as the counts; NaN where a value weighs nothing."""
        with np.errstate(divide="ignore", invalid="ignore"):
            seen = (self.won > 0) & (self.won_total > 0)[:, None] & (self.lost_total > 0)[:, None]
            won = np.where(seen, self.won / self.won_total[:, None], np.nan)
            return won, np.where(seen, self.lost / self.lost_total[:, None], np.nan)


@dataclass(frozen=True)
class FrequencyTable:
    """What was counted: `fields` by name, `stage`, `tags`; `teams` in the order of the scopes."""

    teams: "pd.Index[Any]"
    fields: Mapping[str, Frequencies]
    stage: Frequencies
    tags: Frequencies
    won_stage: str | None

    def percent(self, leads: Leads) -> Floats:
        """Odoo's automated probability, in percent, two digits.

        Returns
        -------
        (leads,) within `LOWEST` and `HIGHEST`, but 0 where a lead has no stage, 100 where it is in the won stage, and
        NaN where nothing can be said because the lead's scope holds no closed lead in the first stage.
        """
        scope, stage = self._scope(leads), _stages(leads)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_odds: Floats = np.log(self.stage.won_total / self.stage.lost_total)[scope]
        for name, counted in (*self.fields.items(), (None, self.stage)):
            column = stage if name is None else leads.fields[name]
            log_odds = log_odds + _log_ratio(counted)[scope, counted.places(column)]
        row, tag = _tags(leads)
        added = _log_ratio(self.tags)[scope[row], self.tags.places(tag)]
        log_odds = log_odds + np.bincount(row, weights=added, minlength=len(scope))
        percent: Floats = np.clip(np.round(100 * expit(log_odds), 2), LOWEST, HIGHEST)
        percent[stage.isna().to_numpy()] = 0.0
        if self.won_stage is not None:
            percent[(stage == self.won_stage).to_numpy(bool)] = 100.0
        return percent

    def explain(self, leads: Leads) -> pd.DataFrame:
        """What speaks for and against each lead.

        Returns
        -------
        DataFrame with one row per (row, field, value) that weighs in
            `row` : position of the lead; `field` : its name, or "stage", "tag"; `value` : null = empty; `score` : in
            (0, 1), P(value | won) / (P(value | won) + P(value | lost)), and for the stage the share of lost leads that
            never got so far. Above one half it helps, below it harms.
        """
        scope, everyone = self._scope(leads), np.arange(len(leads.fields))
        tag_rows, tags = _tags(leads)
        found = []
        asked = [(name, everyone, leads.fields[name], counted) for name, counted in self.fields.items()]
        asked += [(STAGE, everyone, _stages(leads), self.stage)] if leads.stage is not None else []
        asked += [(TAG, tag_rows, tags, self.tags)]
        for name, rows, column, counted in asked:
            won, lost = counted.shares()
            scores = 1 - lost if counted is self.stage else won / (won + lost)
            score = scores[scope[rows], counted.places(column)]
            values = column.astype(object).where(column.notna(), None).reset_index(drop=True)
            found.append(pd.DataFrame({"row": rows, "field": name, "value": values, "score": score}))
        return pd.concat(found, ignore_index=True).dropna(subset="score").reset_index(drop=True)

    def _scope(self, leads: Leads) -> Integers:
        if leads.team is None:
            return np.full(len(leads.fields), len(self.teams), np.int64)
        place = self.teams.get_indexer(pd.Index(np.asarray(leads.team, object)))
        return np.where(place < 0, len(self.teams), place).astype(np.int64)


def learn(
    leads: Leads,
    won: npt.ArrayLike,
    *,
    stages: Sequence[str] = NO_STAGES,
    won_stage: str | None = None,
    empty_is_value: Collection[str] = (),
) -> FrequencyTable:
    """Count closed leads.

    Parameters
    ----------
    leads : closed leads; a lost one without a stage counts for no stage
    won : (leads,) 1 won, 0 lost
    stages : all stages from first to last
    won_stage : the stage of won leads, if it is one of them
    empty_is_value : fields for which being empty is itself a value (in Odoo the qualities of e-mail and phone)

    Examples
    --------
    >>> closed = Leads(pd.DataFrame({"source": ["fair", "fair", "web", "web"]}))
    >>> table = learn(closed, [1, 1, 0, 1])
    >>> table.percent(Leads(pd.DataFrame({"source": ["fair", "web", "never seen", None]}))).tolist()
    [95.69, 51.38, 73.81, 73.81]
    >>> table.explain(Leads(pd.DataFrame({"source": ["web"]})))["score"].round(2).tolist()
    [0.27]
    >>> learn(closed, [1, 0])
    Traceback (most recent call last):
    ValueError: won needs 0 (lost) or 1 (won) for each of the 4 closed leads, got shape (2,): leave open leads out.
    """
    y = np.asarray(won)
    if y.shape != (len(leads.fields),) or not np.isin(y, (0, 1)).all():
        raise ValueError(
            f"won needs 0 (lost) or 1 (won) for each of the {len(leads.fields)} closed leads, got shape {y.shape}: "
            "leave open leads out."
        )
    y, stage = y.astype(np.int64), _stages(leads)
    row, tag = _tags(leads)
    # A lead that nothing is counted of leaves no trace of its team either.
    counted = (y == 1) | stage.isin(list(stages)).to_numpy() | leads.fields.notna().any(axis=1).to_numpy()
    counted[row] = True
    counted |= any(name in empty_is_value for name in leads.fields.columns)
    team_names = pd.Series([None] * len(y) if leads.team is None else leads.team, dtype=object)
    team, teams = pd.factorize(team_names.where(counted, None))
    team = np.where(team < 0, len(teams), team).astype(np.int64)  # the leads of no team are a row as well
    fields = {
        str(name): _count(leads.fields[name], y, team=team, teams=len(teams), empty=name in empty_is_value)
        for name in leads.fields.columns
    }
    return FrequencyTable(
        pd.Index(np.asarray(teams, object)),
        fields,
        _count_stages(stage, y, team=team, teams=len(teams), stages=stages),
        _count(tag, y[row], team=team[row], teams=len(teams), least=TAG_LEADS),
        won_stage,
    )


def strongest(
    explained: pd.DataFrame, *, most: int = 3, never_helps: Collection[tuple[str, Any]] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What helps one lead most and what harms it most, as Odoo shows it: strongest first, at most `most` of each.

    Parameters
    ----------
    explained : rows of `FrequencyTable.explain` for one lead
    never_helps : (field, value) that would be absurd as a help, such as ("email_quality", "incorrect")

    Examples
    --------
    >>> rows = pd.DataFrame({"field": ["source", "city"], "value": ["web", "Lyon"], "score": [0.9, 0.5]})
    >>> [len(side) for side in strongest(rows)]
    [1, 0]
    """
    absurd = np.array(
        [(f, v) in never_helps for f, v in zip(explained["field"], explained["value"], strict=True)], bool
    )
    helps = explained[(explained["score"] > 0.5).to_numpy(bool) & ~absurd]
    harms = explained[(explained["score"] < 0.5).to_numpy(bool)]
    return (
        helps.sort_values("score", ascending=False, kind="stable")[:most],
        harms.sort_values("score", kind="stable")[:most],
    )


def _count(
    column: "pd.Series[Any]", won: Integers, *, team: Integers, teams: int, empty: bool = False, least: float = 0
) -> Frequencies:
    codes, distinct = pd.factorize(column)
    size = len(distinct) + 2
    counted = (codes >= 0) | empty
    place = team[counted] * size + np.where(codes < 0, len(distinct), codes)[counted]
    shape = (teams + 1, size)
    rows = np.bincount(place, minlength=shape[0] * size).reshape(shape)
    wins = np.bincount(place[won[counted] == 1], minlength=shape[0] * size).reshape(shape)
    w, lost = _scopes(wins, rows - wins, (rows > 0) & (rows >= least))
    return Frequencies(pd.Index(np.asarray(distinct, object)), w, lost, w.sum(axis=1), lost.sum(axis=1))


def _count_stages(
    column: "pd.Series[Any]", won: Integers, *, team: Integers, teams: int, stages: Sequence[str]
) -> Frequencies:
    values = pd.Index(np.asarray(stages, object))
    reached = values.get_indexer(pd.Index(column.array))
    wins = np.repeat(np.bincount(team[won == 1], minlength=teams + 1)[:, None], len(values), axis=1)
    left = np.zeros_like(wins)  # how many were lost in each stage
    losers = (won == 0) & (reached >= 0)
    np.add.at(left, (team[losers], reached[losers]), 1)
    lost = left[:, ::-1].cumsum(axis=1)[:, ::-1]  # ... and in it or a later one
    never = ((0, 0), (0, 2))
    wins, lost = np.pad(wins, never), np.pad(lost, never)
    w, lost = _scopes(wins, lost, wins + lost > 0)
    return Frequencies(values, w, lost, w[:, 0], lost[:, 0])


def _scopes(won: Integers, lost: Integers, kept: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Smoothed counts of each team, and of all together: summed, so smoothed once for every team, none included."""
    smoothed = [np.where(kept, counts + SMOOTHING, 0.0) for counts in (won, lost)]
    won_of, lost_of = (np.concatenate([counts[:-1], counts.sum(axis=0, keepdims=True)]) for counts in smoothed)
    return won_of, lost_of


def _log_ratio(counted: Frequencies) -> Floats:
    won, lost = counted.shares()
    ratio: Floats = np.nan_to_num(np.log(won) - np.log(lost), nan=0.0)
    return ratio


def _stages(leads: Leads) -> "pd.Series[Any]":
    return pd.Series([_ANY_STAGE] * len(leads.fields) if leads.stage is None else leads.stage, dtype=object)


def _tags(leads: Leads) -> tuple[Integers, "pd.Series[Any]"]:
    """Each tag of each lead once: the lead's position, and the tag."""
    each = [sorted(set(tags)) for tags in leads.tags or ()]
    rows = np.repeat(np.arange(len(each)), [len(tags) for tags in each]).astype(np.int64)
    return rows, pd.Series([tag for tags in each for tag in tags], dtype=object)
