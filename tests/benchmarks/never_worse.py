"""The procedure against its baselines on simulated stores whose truth is known, in one table by kind of store.

    python -m tests.benchmarks.never_worse [--stores 200] [--kind "rare"] [--first-seed 0] [--jobs 2] [--json]

Each store is cut in time as `leadscore train` cuts it. On the later part the model is compared with each baseline, once
by its outcomes (log loss, intervals paired by lead), once by the truth: the log loss to be expected, exactly. Then the
model is fitted on everything, and its band is held against leads of the 60 days after: the true rate of leads scored
like one is the mean true probability given the score, a smooth curve through many thousand fresh snapshots.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.preprocessing import SplineTransformer

from models.baselines import (
    base_rate,
    best_single_feature,
    logistic_regression,
    odoo_bayes,
    odoo_bayes_with_bins,
)
from models.estimator import Learned, learn
from models.evaluation import evaluate, paired_difference, verdict
from models.splits import TEST_SHARE, split_by_time
from models.uncertainty import fit_band
from tests.benchmarks.simulated_stores import DRIFTING, HORIZON_DAYS, KINDS, MONOTONE, Snapshots, Store, make_store

Floats = npt.NDArray[np.float64]

RESAMPLES: Final = 300
FRESH_LEADS: Final = 12_000
KNOTS: Final = 9
#: Snapshots of the one store that is large enough to see an error of calibration of one in a hundred, and its test's.
LARGE: Final = 170_000
#: What the project asks of itself.
TARGETS: Final = (
    "Targets: significantly worse in at most 5 % of stores; at most 1 % worse by the truth; slope intervals that hold "
    "1 in at least 90 % of the stores without drift; bands that hold the true rate of 92–98 % of leads."
)
BASELINES: Final[Mapping[str, Callable[[Snapshots, Snapshots], Floats]]] = {
    "base rate": lambda earlier, later: base_rate(earlier.outcome, rows=len(later.outcome)),
    "best single feature": lambda earlier, later: best_single_feature(earlier.frame, earlier.outcome, later.frame)[1],
    "logistic": lambda earlier, later: logistic_regression(earlier.frame, earlier.outcome, later.frame),
    "Odoo": lambda earlier, later: odoo_bayes(earlier.frame, earlier.outcome, later.frame),
    "Odoo, bins": lambda earlier, later: odoo_bayes_with_bins(earlier.frame, earlier.outcome, later.frame),
}


@dataclass(frozen=True)
class Found:
    """What one store showed. Losses are differences of log loss, the model's less a baseline's: below 0 is better."""

    kind: str
    seed: int
    snapshots: int
    converted: int
    best: str
    """The baseline with the least log loss by the truth."""
    verdicts: dict[str, str]
    """By the outcomes, paired by lead, against each baseline."""
    loss: dict[str, float]
    """By the outcomes, against each."""
    true_loss: dict[str, float]
    """To be expected under the truth, relative to the baseline's."""
    regret: float
    """Log loss above that of the truth itself, relative to it."""
    ece: float
    slope: tuple[float, float, float]
    covered: float
    """Share of fresh snapshots whose true rate given the score lies in the band."""
    width: float
    """Width of the band at the median fresh snapshot, relative to the probability."""
    seconds: float
    notes: tuple[str, ...]


def learned(snapshots: Snapshots) -> Learned:
    """The procedure, as `leadscore train` calls it."""
    return learn(
        snapshots.frame,
        snapshots.outcome,
        lead_id=snapshots.lead_id.tolist(),
        as_of=snapshots.as_of,
        horizon_days=HORIZON_DAYS,
        monotone=MONOTONE,
    )


def expected_log_loss(probability: Floats, truth: Floats) -> float:
    """Mean log loss over all outcomes that the truth allows."""
    p = np.clip(probability, 2e-16, 1 - 2e-16)
    return float(-(truth * np.log(p) + (1 - truth) * np.log1p(-p)).mean())


def true_rate(log_odds: Floats, truth: Floats) -> Floats:
    """Mean true probability given the score: a smooth curve through the truths, at each snapshot.

    A logistic regression of the truth on a cubic spline of the score, with knots at its quantiles (fractional
    regression: Papke and Wooldridge 1996, doi:10.1002/(SICI)1099-1255(199611)11:6<619::AID-JAE418>3.0.CO;2-1). The
    truths carry no noise of outcomes, so that tens of thousands of them leave an error far below any band's width.
    """
    knots = np.unique(np.quantile(log_odds, np.linspace(0, 1, KNOTS)))
    if knots[-1] - knots[0] < 1e-9:
        return np.full(len(truth), truth.mean())  # everybody is told the same
    score, knots = ((values - knots[0]) / (knots[-1] - knots[0]) for values in (log_odds, knots))
    design = SplineTransformer(knots=knots[:, None], include_bias=False).fit_transform(score[:, None])
    design = np.column_stack([design, np.ones(len(truth))])
    theta = np.zeros(design.shape[1])
    theta[-1] = np.log(truth.mean() / (1 - truth.mean()))
    for _ in range(30):
        mu = expit(design @ theta)
        hessian = (design.T * (mu * (1 - mu))) @ design + 1e-6 * np.eye(len(theta))
        step = np.linalg.solve(hessian, design.T @ (mu - truth))
        theta -= step / max(1.0, float(np.abs(step).max()) / 3)
        if float(np.abs(step).max()) < 1e-8:
            break
    fitted: Floats = expit(design @ theta)
    return fitted


def judge(store: Store, *, resamples: int = RESAMPLES) -> Found:
    """Fit the procedure and the baselines on the earlier part, judge them on the later one; then the band."""
    snapshots = store.snapshots
    split = split_by_time(snapshots.as_of, later_share=TEST_SHARE, horizon_days=HORIZON_DAYS)
    earlier, later = snapshots.take(split.earlier), snapshots.take(split.later)
    started = time.perf_counter()
    proof = learned(earlier)
    seconds = time.perf_counter() - started
    log_odds = proof.model.log_odds(later.frame)
    p = expit(log_odds)
    baselines = {name: predict(earlier, later) for name, predict in BASELINES.items()}
    differences = {
        name: paired_difference(
            "log_loss", p, q, later.outcome, lead_id=later.lead_id, resamples=resamples, seed=store.seed
        )
        for name, q in baselines.items()
    }
    expected = {name: expected_log_loss(q, later.truth) for name, q in baselines.items()}
    ours, least = expected_log_loss(p, later.truth), expected_log_loss(later.truth, later.truth)
    metrics = evaluate(
        p,
        later.outcome,
        lead_id=later.lead_id,
        base_rate_probability=float(earlier.outcome.mean()),
        resamples=resamples,
        seed=store.seed,
    ).metrics
    slope = metrics["calibration_slope"]
    band = fit_band(log_odds, later.outcome, lead_id=later.lead_id.tolist())
    release = learned(snapshots)
    fresh = store.fresh(FRESH_LEADS)
    scored = release.model.log_odds(fresh.frame)
    rate = true_rate(scored, fresh.truth)
    low, high = band.interval(scored)
    return Found(
        kind=store.kind,
        seed=store.seed,
        snapshots=len(snapshots.outcome),
        converted=int(snapshots.outcome.sum()),
        best=min(expected, key=lambda name: expected[name]),
        verdicts={name: verdict(interval) for name, interval in differences.items()},
        loss={name: interval.value for name, interval in differences.items()},
        true_loss={name: ours / value - 1 for name, value in expected.items()},
        regret=ours / least - 1,
        ece=metrics["ece"].value,
        slope=(slope.value, slope.low, slope.high),
        covered=float(((low <= rate) & (rate <= high)).mean()),
        width=float(np.median((high - low) / expit(scored))),
        seconds=seconds,
        notes=proof.notes,
    )


def judge_large(seed: int) -> tuple[int, float]:
    """Snapshots of the test, and its debiased error of calibration, of a store of `LARGE` snapshots."""
    snapshots = make_store("large", seed, snapshots=LARGE).snapshots
    split = split_by_time(snapshots.as_of, later_share=TEST_SHARE, horizon_days=HORIZON_DAYS)
    earlier, later = snapshots.take(split.earlier), snapshots.take(split.later)
    metrics = evaluate(
        learned(earlier).model.probability(later.frame),
        later.outcome,
        lead_id=later.lead_id,
        base_rate_probability=float(earlier.outcome.mean()),
        resamples=1,
    ).metrics
    return len(later.outcome), metrics["ece"].value


def judge_seed(kind: str, seed: int) -> Found:
    """The store of a kind and a seed, judged; a process of its own may do it."""
    return judge(make_store(kind, seed))


def judged(asked: Sequence[tuple[str, int]], *, jobs: int) -> Iterator[Found]:
    """Each of them, as they are done."""
    if jobs == 1:
        yield from (judge_seed(kind, seed) for kind, seed in asked)
        return
    with ProcessPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(judge_seed, kind, seed) for kind, seed in asked]):
            yield done.result()


def table(found: Sequence[Found]) -> str:
    """One row per kind of store, and one for all."""
    head = (
        "| kind | stores | sig. worse than the best baseline | than any | better than the best | log loss by the truth "
        "against the best: mean, worst (its seed) | above the truth's | ECE | slope interval holds 1 | band holds the "
        "true rate | its width | seconds |"
    )
    rows = [head, "|" + "---|" * (head.count("|") - 1)]
    for kind in (*KINDS, "all", "all without drift"):
        of = [f for f in found if kind in (f.kind, "all") or (kind == "all without drift" and f.kind not in DRIFTING)]
        if of:
            rows.append(_row(kind, of))
    return "\n".join(rows)


def _row(kind: str, of: Sequence[Found]) -> str:
    worst = max(of, key=lambda f: f.true_loss[f.best])
    relative = np.mean([f.true_loss[f.best] for f in of])
    seed = worst.seed if kind in KINDS else f"{worst.kind}, {worst.seed}"
    known = [f for f in of if np.isfinite(f.slope).all()]
    cells = [
        f"{len(of)}",
        f"{np.mean([f.verdicts[f.best] == 'worse' for f in of]):.1%}",
        f"{np.mean(['worse' in f.verdicts.values() for f in of]):.1%}",
        f"{np.mean([f.verdicts[f.best] == 'better' for f in of]):.0%}",
        f"{relative:+.2%}, {worst.true_loss[worst.best]:+.2%} ({seed})",
        f"{np.mean([f.regret for f in of]):.2%}",
        f"{np.mean([f.ece for f in of]):.4f}",
        f"{np.mean([f.slope[1] <= 1 <= f.slope[2] for f in known]):.0%}" if known else "–",
        f"{np.mean([f.covered for f in of]):.1%}",
        f"{np.median([f.width for f in of]):.2f}",
        f"{np.median([f.seconds for f in of]):.1f}",
    ]
    return f"| {kind} | " + " | ".join(cells) + " |"


def main() -> None:
    """Judge as many stores as asked, kind by kind in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, default=200)
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind (may be given several times)")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--json", action="store_true", help="each store's numbers instead of the table")
    asked = parser.parse_args()
    kinds = asked.kind or KINDS
    stores = [(kinds[i % len(kinds)], asked.first_seed + i // len(kinds)) for i in range(asked.stores)]
    found, started = [], time.perf_counter()
    for one in judged(stores, jobs=asked.jobs):
        found.append(one)
        sys.stderr.write(
            f"{len(found)}/{len(stores)} after {time.perf_counter() - started:.0f} s: {one.kind} {one.seed}, "
            f"{one.true_loss[one.best]:+.2%} against {one.best}, {one.verdicts[one.best]}; band {one.covered:.0%}\n"
        )
    found.sort(key=lambda one: (KINDS.index(one.kind), one.seed))
    size, error = (0, 0.0) if asked.kind else judge_large(asked.first_seed)
    if asked.json:
        plain = {"stores": [asdict(one) for one in found], "large": {"test": size, "ece": error}}
        # JSON has no NaN: a slope that is not defined is null.
        plain = json.loads(json.dumps(plain), parse_constant=lambda _: None)
        sys.stdout.write(json.dumps(plain, indent=1) + "\n")
        return
    sys.stdout.write(table(found) + "\n")
    if size:
        sys.stdout.write(f"\nDebiased ECE on the {size:,} test snapshots of one large store: {error:.4f}.\n")
    sys.stdout.write("\n" + TARGETS + "\n")


if __name__ == "__main__":
    main()
