"""The model against marketing's points, or one version against another: who finds more for the same calls.

Both are judged on mature snapshots later than everything they learned from. Rankings hand over the same share of each
list, points as marketing's list has them; as probabilities points are judged in their fairest form, by isotonic
regression on the earlier snapshots. Differences are paired: each resample of leads judges both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import RegistryUnreachable, UserError
from models.comparison import Comparison, plain_agreement
from models.comparison import compare as put_together
from models.comparison_groups import by_group, named
from models.encoding import Floats
from models.evaluation import Evaluation
from pipelines import figures
from pipelines.compare_swap import portraits, swap_list
from pipelines.config import Settings
from pipelines.contest import POINTS, Contest, model_against_points, version_against
from pipelines.contest_worth import with_worth
from pipelines.decisions import economics_of
from pipelines.moments import moment
from pipelines.points import card_for
from pipelines.proving import capacity_leads, capacity_share, lists, segment_columns
from pipelines.spreadsheet import write_csv
from pipelines.store import LeadStore
from pipelines.tracking import Tracking, ask_briefly
from pipelines.train import read_catalogue, read_frame, read_inventory
from serve.comparison_verdict import sentence
from serve.economics import Economics
from serve.swap_list import Swapped

METRICS: Final = ("lift_at_10", "roc_auc", "pr_auc", "log_loss", "brier")
#: The share of each list that is handed over where nobody has said what sales can work.
USUAL_SHARE: Final = 0.1
#: Leads of the swap set that a page, or a program, is told; a CSV file holds them all.
MOST_LISTED: Final = 500


def compare(
    store: LeadStore,
    settings: Settings,
    *,
    as_of: int | None,
    tracking: Tracking | None = None,
    version: str | None = None,
    against: str = POINTS,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Put two rankings before the same later snapshots.

    Parameters
    ----------
    tracking : the registry that knows the candidate; needed where a version is compared
    version : a registered version; None: the model as it would be trained, or against a version the candidate
    against : "points", or a registered version

    Returns
    -------
    Plain values for JSON. "a" and "b" are the two, called by `names`; captured, lift and value differ by A less B.
    `swap_set.leads` holds every snapshot that changes hands.

    Raises
    ------
    UserError
        The store holds no points.
    TooLittleData
        Too few outcomes on either side of the split, or that both versions foretold.
    ReleaseRefused
        A version was not registered from this store.
    """
    inventory = read_inventory(store, as_of=as_of)
    for left_out in inventory.left_out:
        say(left_out)
    columns = read_catalogue(inventory, settings)
    economics = economics_of(settings)
    data = read_frame(store, settings, inventory, columns, as_of=as_of, progress=progress)
    if version is None and against == POINTS:
        contest = model_against_points(store, settings, inventory, columns, data, say=say)
    else:
        if tracking is None:
            raise UserError("To compare versions, say where they are registered: [tracking] uri.")
        other = None if against == POINTS else against
        contest = version_against(store, settings, tracking, inventory, data, version=version, against=other, say=say)
    card = card_for(settings, inventory) if contest.points is not None else None

    def listed(found: Comparison, on: npt.NDArray[np.int64], worth: Floats | None) -> list[Swapped]:
        say("telling who changes hands, and why")
        return swap_list(contest, found, data, columns, settings, lists=on, card=card, worth=worth)

    frame = with_worth(contest.frame(data), economics, contest, store, settings, inventory)
    return report_of(contest, frame, settings, economics=economics, swap=listed)


def report_of(
    contest: Contest,
    frame: pd.DataFrame,
    settings: Settings,
    *,
    economics: Economics | None,
    swap: Callable[[Comparison, npt.NDArray[np.int64], Floats | None], list[Swapped]],
) -> dict[str, Any]:
    """What a contest comes to, as `compare` returns it.

    Parameters
    ----------
    frame : the features of the contest's snapshots, in its order, and what [economics] names
    swap : lists the leads that change hands, given what was found, each snapshot's list, and what each is worth
    """
    on = lists(contest.as_of, settings)
    share = capacity_share(contest.as_of, settings, drawn=contest.drawn)
    worth = economics.value(frame) if economics else None
    asked: dict[str, Any] = {
        "lead_id": contest.lead_id, "resamples": settings.model.resamples, "seed": settings.model.seed,
    }  # fmt: skip
    found = put_together(
        contest.a,
        contest.b,
        contest.outcome,
        lists=on,
        share=USUAL_SHARE if share is None else share,
        worth=worth,
        touch_cost=economics.sales_touch_cost if economics else 0.0,
        **asked,
    )
    labels = {name: named(frame[name].to_numpy(object), contest.lead_id) for name in segment_columns(frame, settings)}
    swapped = swap(found, on, worth)
    handed = {"of_a": found.of_a, "of_b": found.of_b, **asked}
    months = by_group({"month": _months(contest)}, contest.outcome, **handed)
    segments = by_group(labels, contest.outcome, **handed) if labels else ()
    report = {
        **_facts(contest, found, settings, economics),
        "months": [row.as_dict() for row in sorted(months, key=lambda row: row.value)],
        "segments": [row.as_dict() for row in segments],
        "swap_set": {
            **{side: asdict(one) for side, one in portraits(contest, found, swapped, labels).items()},
            "snapshots": len(swapped),
            "leads": [asdict(one) | {"as_of": moment(one.as_of)} for one in swapped],
        },
    }
    return report | {"verdict": sentence(report, language="en")}


def shortened(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report with at most `MOST_LISTED` leads of the swap set, as many of either side as there are."""
    leads = report["swap_set"]["leads"]
    sides = {side: [lead for lead in leads if lead["only"] == side] for side in ("a", "b")}
    half = MOST_LISTED // 2
    room = {side: MOST_LISTED - min(half, len(sides[other])) for side, other in (("a", "b"), ("b", "a"))}
    kept = {id(lead) for side, of in sides.items() for lead in of[: room[side]]}
    return {**report, "swap_set": report["swap_set"] | {"leads": [lead for lead in leads if id(lead) in kept]}}


def write_swap_set(report: Mapping[str, Any], file: Path) -> None:
    """Every lead of the swap set as a CSV file that a spreadsheet can open without harm."""
    one, other = report["names"]
    columns = ("lead_id", "as_of", "only", "part", "converted", one, other, f"percentile {one}", f"percentile {other}",
               "worth", "reasons", "points_parts")  # fmt: skip

    def row(lead: Mapping[str, Any]) -> dict[str, object]:
        reasons, parts = lead["reasons"], lead["parts"]
        return {
            **lead,
            "only": one if lead["only"] == "a" else other,
            one: lead["a_says"],
            other: lead["b_says"],
            f"percentile {one}": round(lead["a"], 4),
            f"percentile {other}": round(lead["b"], 4),
            "reasons": _sum([(says, effect) for says, effect, _ in reasons["reasons"]] if reasons else []),
            "points_parts": _sum(parts or []),
        }

    write_csv(file, (row(lead) for lead in report["swap_set"]["leads"]), columns=columns)


def _sum(parts: Sequence[tuple[str, float]]) -> str:
    return "; ".join(f"{says} ({amount:+.3g})" for says, amount in parts)


def log(tracking: Tracking, settings: Settings, report: Mapping[str, Any], *, say: Callable[[str], None]) -> None:
    """Keep the report and its figures as a run in MLflow; with that away, say so."""
    names, place = report["names"], report["at_capacity"]
    numbers = {f"{side}.captured": place[side]["captured"]["value"] for side in ("a", "b")}
    numbers |= {f"difference.captured.{end}": place["captured"][end] for end in ("value", "low", "high")}
    for name in METRICS:
        numbers |= {f"{side}.{name}": report["metrics"][name][of] for side, of in zip("ab", names, strict=True)}
    curve = [
        {"share": at["share"]}
        | {of: at[side]["captured"]["value"] for side, of in zip("ab", names, strict=True)}
        for at in report["curve"]
    ]  # fmt: skip
    drawn = {"gain.png": figures.gain(curve)}
    drawn |= {f"reliability-{side}.png": figures.reliability(report["calibration"][side]) for side in ("a", "b")}
    ask_briefly()
    try:
        tracking.log_run(
            name=f"compare {names[0]} and {names[1]}",
            parameters=settings.flat(),
            metrics={name: number for name, number in numbers.items() if number is not None},
            tags={"verdict": report["word"], "a": names[0], "b": names[1]},
            documents={"comparison.json": shortened(report)},
            figures=drawn,
            release=None,
        )
    except RegistryUnreachable as error:
        say(f"warning: not kept in MLflow: {error}")


def _facts(contest: Contest, found: Comparison, settings: Settings, economics: Economics | None) -> dict[str, Any]:
    share, leads = found.at_capacity.share, capacity_leads(settings)
    evaluations, differences = contest.together.evaluations, contest.together.differences["b"]
    return {
        "names": list(contest.names),
        "label": settings.label.model_dump(),
        "snapshots": found.snapshots,
        "leads": found.leads,
        "converted": found.converted,
        "lists": found.lists,
        "drawn": contest.drawn,
        "data": {
            "first_as_of": moment(int(contest.as_of.min())),
            "last_as_of": moment(int(contest.as_of.max())),
        },
        "per": "night" if settings.snapshots.at == "calendar" else "month",
        "capacity": {
            "share": share,
            "told": leads > 0,
            "leads": leads or share * found.snapshots / found.lists / contest.drawn,
        },
        "economics": {"currency": economics.currency, "touch_cost": economics.sales_touch_cost} if economics else None,
        "word": found.at_capacity.word,
        "at_capacity": found.at_capacity.as_dict(),
        "curve": [place.as_dict() for place in found.curve],
        "agreement": plain_agreement(found.agreement),
        "metrics": {
            name: {
                contest.names[0]: evaluations["a"].metrics[name].value,
                contest.names[1]: evaluations["b"].metrics[name].value,
                "difference": differences[name].interval.as_dict(),
                "word": differences[name].word,
            }
            for name in METRICS
        },
        "calibration": {side: _calibration(evaluations[side]) for side in ("a", "b")},
    }


def _calibration(of: Evaluation) -> list[dict[str, Any]]:
    return [asdict(row) for row in of.calibration_table]


def _months(contest: Contest) -> npt.NDArray[np.object_]:
    when = pd.to_datetime(contest.as_of, unit="us", utc=True)
    return np.asarray(when.strftime("%Y-%m"), object)
