"""What a backtest and a training tell people on a terminal: who was beaten, by how much, when, and for whom."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.card import METRIC_NAMES, number

if TYPE_CHECKING:  # it brings MLflow and LightGBM with it, which take seconds
    from pipelines.train import TrainReport

#: Segments that a terminal has room for, the largest first.
MOST_SEGMENTS: Final = 12
_WIDE: Final = 120
_COLOUR: Final = {"better": "green", "level": "yellow", "worse": "red"}

Facts = Mapping[str, Any]


def print_training(report: "TrainReport") -> None:
    """The verdict, the metrics, who was beaten, the leaks."""
    console = _console()
    facts = report.facts
    for table in (_metrics(facts), _contestants(facts), _cut_offs(facts)):
        console.print(table)
    counts = facts["snapshots"]
    console.print(
        f"Snapshots: train {counts['train']:,} · calibrate {counts['calibrate']:,} · test {counts['test']:,} · "
        f"dropped as immature {counts['dropped_immature']:,} · dropped in gaps {counts['dropped_in_gap']:,}"
    )
    for leak in facts["leaks"]:
        console.print(f"[bold red]leak?[/] {escape(leak['column'])}: {escape(leak['sentence'])}")
    if report.version is None:
        console.print(f"[bold]{escape(facts['verdict_reason'])}[/]")
        return
    if facts["champion"].get("differences"):
        console.print(_champion(facts["champion"]))
    console.print(
        f"[bold]Registered as version {report.version}, alias candidate.[/] Next: leadscore card {report.version}; "
        f"leadscore review {report.version} --approve --by NAME --note TEXT; leadscore promote {report.version}"
    )


def print_backtest(report: Facts) -> None:
    """All of a backtest: metrics, contestants, cut-offs, months, segments, targets and the learning curve."""
    console = _console()
    for table in (_metrics(report), _contestants(report), _cut_offs(report), _months(report), _segments(report)):
        if table.row_count:
            console.print(table)
    for line in (*_targets(report), *report["skipped"]):
        console.print(escape(line))
    if report["learning_curve"]:
        console.print(_curve(report["learning_curve"]["points"]))
        console.print(f"[bold]{escape(report['learning_curve']['says'])}[/]")
    console.print(f"[bold]{escape(report['verdict'])}[/]: {escape(report['verdict_reason'])}")


def _metrics(facts: Facts) -> Table:
    table = _table("On later leads it never saw", "metric", "model", "95 % interval")
    for key, metric in facts["metrics"].items():
        table.add_row(METRIC_NAMES.get(key, key), number(metric["value"]), _between(metric))
    return table


def _contestants(facts: Facts) -> Table:
    heads = ("against", "log loss", "model less it", "95 % interval", "model is", "ROC-AUC", "lift 10 %")
    table = _table("The same leads, by everything it must beat", *heads)
    for name, metrics in facts["baselines"].items():
        found = facts["differences"][name]["log_loss"]
        note = f" ({facts['baseline_notes'][name]})" if name in facts["baseline_notes"] else ""
        table.add_row(
            escape(name.replace("_", " ") + note), number(metrics["log_loss"]["value"]), number(found["value"]),
            _between(found), f"[{_COLOUR[found['word']]}]{found['word']}[/]",
            number(metrics["roc_auc"]["value"], digits=3), number(metrics["lift_at_10"]["value"], digits=2),
        )  # fmt: skip
    return table


def _cut_offs(facts: Facts) -> Table:
    heads = ("trained until", "leads of", "snapshots", "leads won", "promised", "kept", "log loss", "ROC-AUC")
    table = _table("Cut-off by cut-off", *heads)
    for fold in facts["folds"]:
        table.add_row(
            fold["trained_until"][:10], f"{fold['from'][:10]} – {fold['to'][:10]}", f"{fold['test']:,}",
            f"{fold['converted']:,}", f"{fold['predicted_mean']:.1%}", f"{fold['observed_rate']:.1%}",
            number(fold["metrics"]["log_loss"]["value"]), number(fold["metrics"]["roc_auc"]["value"], digits=3),
        )  # fmt: skip
    return table


def _months(facts: Facts) -> Table:
    heads = ("month", "snapshots", "converted", "promised", "kept", "95 % interval")
    table = _table("Month by month", *heads)
    for row in facts["months"]:
        table.add_row(
            row["month"], f"{row['snapshots']:,}", f"{row['converted']:,}", f"{row['predicted_mean']:.1%}",
            f"{row['observed_rate']:.1%}", f"{row['observed_low']:.1%} – {row['observed_high']:.1%}",
        )  # fmt: skip
    return table


def _segments(facts: Facts) -> Table:
    heads = ("segment", "snapshots", "converted", "promised", "kept", "95 % interval", "ROC-AUC", "probabilities")
    table = _table("Segment by segment", *heads)
    largest = sorted(facts["segments"], key=lambda row: -row["snapshots"])
    for row in largest[:MOST_SEGMENTS]:
        auc = row["roc_auc"] or {"value": None}
        table.add_row(
            escape(f"{row['column']}: {row['value']}"), f"{row['snapshots']:,}", f"{row['converted']:,}",
            f"{row['predicted_mean']:.1%}", f"{row['observed_rate']:.1%}",
            f"{row['wilson_low']:.1%} – {row['wilson_high']:.1%}", number(auc["value"], digits=3), row["word"],
        )  # fmt: skip
    if len(largest) > MOST_SEGMENTS:
        table.caption = f"{len(largest) - MOST_SEGMENTS} smaller ones: --json, or the model card"
    return table


def _targets(facts: Facts) -> Iterator[str]:
    for name, found in facts["targets"].items():
        if found:
            ratio = "no conversion in the lowest" if found["ratio"] is None else f"{found['ratio']:.1f} × the lowest's"
            yield (
                f"Bands by {name}: {found['top_two_share']:.0%} of the leads in the top two (15–35 % is usual), "
                f"{found['captured']:.0%} of the conversions there (60 %), top band's rate {ratio} (10 ×)"
            )


def _champion(found: Facts) -> str:
    loss = found["differences"]["log_loss"]
    return (
        f"Against the champion, version {found['version']}, on {found['leads']:,} leads that both foretold: "
        f"{loss['word']} (log loss {loss['value']:+.4f}, 95 % interval {loss['low']:+.4f} to {loss['high']:+.4f})."
    )


def _curve(points: Sequence[Facts]) -> Table:
    table = _table("Would more data help?", "leads", "snapshots", "converted", "log loss", "95 % interval", "doubling")
    for point in points:
        gained = point["doubling"]
        table.add_row(
            f"{point['leads']:,}", f"{point['snapshots']:,}", f"{point['converted']:,}",
            number(point["log_loss"]["value"]), _between(point["log_loss"]),
            "" if gained is None else f"{number(gained['value'])} ({_between(gained)})",
        )  # fmt: skip
    return table


def _console() -> Console:
    """As wide as the terminal; where there is none, wide enough that no table is folded."""
    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, _WIDE))


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    return table


def _between(metric: Mapping[str, Any]) -> str:
    return f"{number(metric['low'])} – {number(metric['high'])}"
