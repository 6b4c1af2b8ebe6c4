"""The account of an import: what became of every row, and what was assumed, in plain sentences."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from features.errors import InputError
from pipelines.admitting import CONFLICT
from pipelines.converting import Plan
from pipelines.matching import Match
from pipelines.sources import Value


@dataclass(frozen=True)
class ImportReport:
    """What an import did; `loaded + quarantined == rows`."""

    file: str
    mapping: str
    source: str
    """Which source of the mapping the file is."""
    import_id: str
    """From the bytes of the file and the mapping: the same import has the same id, and quarantine rows bear it."""
    rows: int
    """Records in the file, without the header and blank lines."""
    loaded: int
    """Rows of which everything is in the store now, whether this import put it there or it was there already."""
    quarantined: int
    reasons: dict[str, int]
    """Why rows were quarantined -> how many; most frequent first."""
    new: dict[str, int]
    """Table -> rows added to it."""
    unchanged: dict[str, int]
    """Table -> rows that were there already."""
    attributes: dict[str, str]
    """Declared attributes of this file -> type."""
    messages: tuple[str, ...]
    """What was assumed, left out or noticed, in plain sentences."""
    dry_run: bool


@dataclass
class Tally:
    """The running account of an import."""

    rows: int = 0
    loaded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


def too_many(file: Path, tally: Tally, *, max_rejects: int) -> InputError:
    """The error for a file with more bad rows than are let pass: how many, why, and the first of them."""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in tally.reasons.most_common(5))
    return InputError(
        f"{file}: {tally.reasons.total():,} of {tally.rows:,} rows cannot be loaded; at most {max_rejects:,} are let "
        f"pass. Why: {reasons}. First: {'; '.join(tally.examples)}. Nothing was loaded. Mend the file or the mapping, "
        "or raise --max-rejects."
    )


def sentences(plan: Plan, found: Match, tally: Tally) -> list[str]:
    """What no column of the file says and what was taken instead, and what was done to values."""
    source, mapping = found.source, plan.mapping

    def silent(values: Iterable[Value | None]) -> bool:
        return any(value is None or not plan.columns.issuperset(value.names) for value in values)

    said = []
    if tally.rows == 0:
        said.append("The file has a header and no rows.")
    if source.created_at is not None and source.created_at.month_sequence is not None:
        said.append(
            "created_at is reconstructed: the file names only months; its rows are spread evenly over each of them."
        )
    if source.created_at is not None and silent([source.known_at]):
        said.append(
            "No column says when the store knew of a lead and its profile: taken to be created_at. Columns that were "
            "filled in later would tell of the future; declare them ignored."
        )
    if silent(event.known_at for event in source.event):
        said.append("No column says when the store knew of an event: taken to be when it occurred.")
    if silent(stage.known_at for stage in source.stage):
        said.append("No column says when the store knew of a stage change: taken to be when it was entered.")
    if absent := [name for name in source.optional if name not in plan.columns]:
        said.append(f"Optional columns that the file does not have: {', '.join(absent)}.")
    if "*" not in source.attributes and (left := [name for name in found.unnamed if name in found.columns]):
        said.append(f"Columns that the mapping does not name, left out: {', '.join(left[:20])}.")
    said += [f"{count:,} × {sentence}." for sentence, count in tally.notes.most_common()]
    if tally.reasons[CONFLICT]:
        said.append(
            f"Rows that differ from what is stored ({tally.reasons[CONFLICT]:,}) were quarantined: nothing stored is "
            "overwritten. A later export of the same leads needs a column known_at that says since when its values "
            "are known."
        )
    if tally.rows and not tally.loaded:
        said.append(f"No row could be loaded: does the mapping {mapping.name!r} fit this file?")
    return said
