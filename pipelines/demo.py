"""See it work in minutes: simulate a trade's lead store, train, promote, score, explain, and say what to look at."""

import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from features.errors import ConfigError, ReleaseRefused
from features.tables import MICROSECONDS_PER_DAY
from pipelines import config
from pipelines.config import Settings
from pipelines.explaining import explanation
from pipelines.gate_report import print_gate
from pipelines.promote import promote
from pipelines.report import print_scoring
from pipelines.report_lead import print_lead
from pipelines.report_proof import print_training
from pipelines.reviewing import approve
from pipelines.score import cache_of
from pipelines.score import run as score
from pipelines.store import INPUT_TABLES, LeadStore
from pipelines.synthetic import COMPANIES, SimulatedStore, simulate
from pipelines.tracking import Tracking
from pipelines.train import train
from serve.lead_story import story

MARK: Final = "made-by-leadscore-demo"
_BATCH: Final = 200_000
Say = Callable[[str], None]
Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


@dataclass(frozen=True)
class _Shown:
    """What a preset's demo lays stress on: the kind of event that says most, and what the company earns and spends."""

    kind: str
    did: str
    economics: str


_SHOWN: Final[Mapping[str, _Shown]] = {
    "saas": _Shown(
        "product_use",
        "used the product",
        """customer_value = 6300.0
segment = "company_size_band"
sales_touch_cost = 150.0
nurture_touch_cost = 6.0
touches_per_day = 25

[economics.values]
"1-10" = 2100.0
"11-50" = 4900.0
"51-200" = 11200.0
"201-1000" = 24500.0
"1001-5000" = 49000.0
"5001+" = 84000.0
""",
    ),
    "agency": _Shown(
        "quote_request",
        "asked for a quote",
        """customer_value = 2800.0
amount = "project_amount"
margin = 0.35
sales_touch_cost = 180.0
nurture_touch_cost = 10.0
touches_per_day = 6
""",
    ),
    "ecommerce": _Shown(
        "basket",
        "filled a basket",
        """customer_value = 25.0
amount = "last_basket_value"
margin = 0.35
sales_touch_cost = 3.0
nurture_touch_cost = 0.2
touches_per_day = 60
""",
    ),
}


def demo(
    folder: Path,
    *,
    preset: str = "saas",
    leads: int | None = None,
    seed: int,
    say: Say,
    bar: Bar,
    clock: Callable[[], datetime],
) -> None:
    """Make a demo store in `folder` and run the main job on it, end to end.

    Parameters
    ----------
    preset : the trade: one of `synthetic.COMPANIES`
    leads : how many to simulate; None takes what the company has

    Raises
    ------
    ConfigError
        There is no simulated company for the preset, or the folder holds something that no demo made: it is left alone.
    """
    if preset not in COMPANIES:
        raise ConfigError(
            f"expected the preset of a trade: {', '.join(COMPANIES)}; found {preset!r}, of which there is no simulated "
            "company. Choose one of them."
        )
    _fresh(folder)
    company = COMPANIES[preset]
    leads = company.leads if leads is None else leads
    more = f"Simulate more leads: leadscore demo --preset {preset} --leads {max(2 * leads, company.leads)}"
    say(f"1/5  Simulating {leads:,} leads of {company.what} over {company.days // 30} months …")
    simulated = simulate(company=company, leads=leads, seed=seed)
    (folder / config.FILE).write_text(_own_file(preset), encoding="utf-8")
    settings = config.load(
        folder / config.FILE,
        environment={},
        flags={
            "store.url": str(folder / "leads.duckdb"),
            "tracking.uri": f"sqlite:///{folder / 'mlflow.db'}",
            "release.cache": str(folder / ".leadscore" / "releases"),
        },
    )
    tracking = Tracking(
        uri=settings.tracking.uri, experiment=settings.tracking.experiment, model_name=settings.tracking.model_name
    )
    with LeadStore.open(settings.store.url, create=True) as store:
        with bar("Filling the store") as progress:
            fill(store, simulated, progress=progress)
        inventory = store.inventory()
        say(f"     {inventory.leads:,} leads, {inventory.events:,} events, {inventory.stages['customer']:,} customers")
        say("2/5  Training on the past, proving it on later leads …")
        with bar("Reading leads") as progress:
            report = train(
                store, settings, tracking, as_of=None, now=clock(), say=lambda m: say("     " + m), progress=progress
            )
        print_training(report)
        if report.version is None:
            say(f"No candidate, so there is nothing to score. {more}")
            return
        say(f"3/5  Version {report.version}: here the demo signs its card; the gate lets it score, or does not.")
        cache = cache_of(settings)
        approve(store, tracking, cache, version=report.version, by="the demo", note="Signed unread.", now=clock())
        try:
            promote(
                store, tracking, cache, settings, version=report.version, now=clock(),
                tell=lambda judged: print_gate(judged.chosen.version, judged.checks),
            )  # fmt: skip
        except ReleaseRefused as error:
            say(f"{error}\n{more}")
            return
        say("4/5  Scoring every open lead, as the nightly job does …")
        as_of = _last_midnight(inventory.known_until)
        with bar("Scoring leads") as progress:
            scored = score(store, settings, tracking, as_of=as_of, clock=clock, progress=progress)
        print_scoring(scored)
        _say_truth(store, simulated, as_of, horizon_days=settings.label.horizon_days, say=say)
        _say_point(store, settings, _SHOWN[preset], as_of, say=say)
        say("5/5  Three leads, and why:")
        three = _three(store)
        for lead in three:
            print_lead(story(explanation(store, settings, lambda: tracking, lead), language="en"))
    say(
        f"\nEverything is in {folder}/. Next:\n"
        f"  cd {folder}\n"
        "  leadscore status                       what is in the store, what is published\n"
        "  leadscore next                         what to do with each lead, and what waiting costs\n"
        f"  leadscore explain {three[0]}         why a lead stands where it stands, points beside it\n"
        "  leadscore compare --out report.html    the model against marketing's points, a page for a browser\n"
        "  leadscore funnel                       from lead to customer by channel: rates, days, costs\n"
        "  leadscore economics                    what a lead is worth, and where the limits of stages should lie\n"
        "  leadscore card --out card.html         the model card, with plots, for a browser; --lang fr\n"
        "  mlflow ui --backend-store-uri sqlite:///mlflow.db   runs, metrics and plots of the training\n"
        "Then bring your own leads: README, 'Your own CSV'."
    )


def fill(
    store: LeadStore, simulated: SimulatedStore, *, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> None:
    """Put a simulated store's tables into an empty lead store; the truth stays outside."""
    tables = simulated.tables()
    total, done = sum(table.num_rows for table in tables.values()), 0
    store.declare_attributes(simulated.attribute_types())
    with store.transaction():
        for name in INPUT_TABLES:
            table = tables[name]
            for start in range(0, table.num_rows, _BATCH):
                part: pa.Table = table.slice(start, _BATCH)
                store.append(name, part)
                done += part.num_rows
                progress(done, total)


def _own_file(preset: str) -> str:
    """The demo's leadscore.toml: the preset, and money, which a preset leaves to the company."""
    return (
        f"{config.preset(preset)}\n# Made up for the demo, like all that stands in its store: no advice.\n[economics]\n"
        f"{_SHOWN[preset].economics}"
    )


def _fresh(folder: Path) -> None:
    """An empty folder: a former demo's is cleared, anything else is left alone."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise ConfigError(
                f"{folder} holds something that 'leadscore demo' did not make; it was left alone. Name another with "
                "--folder."
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("leadscore demo may delete this folder and make it anew.\n", encoding="utf-8")


def _last_midnight(known_until: int) -> datetime:
    days = known_until // MICROSECONDS_PER_DAY
    return datetime.fromtimestamp(days * 86_400, tz=UTC)


def _say_truth(store: LeadStore, simulated: SimulatedStore, as_of: datetime, *, horizon_days: int, say: Say) -> None:
    """Only a simulation can do this: hold the published probabilities against the true ones."""
    scores = store.arrow("SELECT lead_id, probability FROM current_scores ORDER BY lead_id").to_pandas()
    truth = simulated.true_probability(
        scores["lead_id"].to_numpy(str), int(as_of.timestamp()) * 1_000_000, horizon_days
    )
    known = ~np.isnan(truth)
    p, t = scores["probability"].to_numpy(float)[known], truth[known]
    t = np.clip(t, 1e-6, 1 - 1e-6)
    together = float(np.corrcoef(np.log(p / (1 - p)), np.log(t / (1 - t)))[0, 1])
    say(
        f"     Against the simulation's true probabilities: mean {p.mean():.1%} (true {t.mean():.1%}), "
        f"correlation of the log odds {together:.2f}."
    )


def _say_point(store: LeadStore, settings: Settings, shown: _Shown, as_of: datetime, *, say: Say) -> None:
    """How much of what is expected lies with the leads that did what matters in this trade."""
    days = settings.label.horizon_days
    scores = store.arrow("SELECT lead_id, probability, recommended_stage FROM current_scores").to_pandas()
    did = store.rows(
        "SELECT DISTINCT lead_id FROM events WHERE type = $1 AND occurred_at >= $2 AND known_at < $3",
        [shown.kind, as_of - timedelta(days=days), as_of],
    )
    here = scores["lead_id"].isin([lead for (lead,) in did])
    theirs, others = scores["probability"][here], scores["probability"][~here]
    if theirs.empty or others.empty:
        return
    stages = scores["recommended_stage"][here].value_counts()
    say(
        f"     The point: {here.mean():.1%} of these leads {shown.did} in the last {days} days. They are "
        f"{theirs.mean():.1%} likely to buy within {days} days (the others {others.mean():.1%}) and make "
        f"{theirs.sum() / scores['probability'].sum():.0%} of the customers expected; recommended: "
        + ", ".join(f"{count:,} {stage}" for stage, count in stages.head(4).items())
        + "."
    )


def _three(store: LeadStore) -> list[str]:
    """The likeliest lead, one in the middle, and one that looks out of target (or the least likely)."""
    best = "SELECT lead_id FROM current_scores ORDER BY probability DESC, lead_id LIMIT 1"
    middle = "SELECT lead_id FROM current_scores ORDER BY abs(percentile - 60), lead_id LIMIT 1"
    least = (
        "SELECT lead_id FROM current_scores ORDER BY recommended_stage <> 'disqualified', probability, lead_id LIMIT 1"
    )
    return [str(store.rows(query)[0][0]) for query in (best, middle, least)]
