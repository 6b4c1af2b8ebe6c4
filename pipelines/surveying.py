"""The first look at a whole file: which type fits each attribute, and the dates of a file that names only months."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.errors import InputError
from pipelines import dates
from pipelines.attributes import Attribute, Inference, attribute_names
from pipelines.converting import clean
from pipelines.joining import Lookup
from pipelines.mapping import Mapping
from pipelines.matching import Match
from pipelines.reading import Batch, TableFile


class Passes:
    """A file read once or twice from end to end, with the progress over all of it."""

    def __init__(self, table: TableFile, on_progress: Callable[[int, int], None] | None, *, times: int) -> None:
        self.table, self.on_progress = table, on_progress
        self.before, self.total = 0, table.size * times
        self.stamp = self._stamp()

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.table.batches():
            yield batch
            self._tell(batch.bytes_read)
        self._tell(self.table.size)
        self.before += self.table.size

    def check_unchanged(self) -> None:
        """Refuse a file that was written to since it was opened.

        Raises
        ------
        InputError
        """
        if self._stamp() != self.stamp:
            raise InputError(
                f"{self.table.path} was written to while it was read. Nothing was loaded. Wait until the program that "
                "writes it is done, and import again."
            )

    def _stamp(self) -> tuple[int, int]:
        status = self.table.path.stat()
        return status.st_size, status.st_mtime_ns

    def _tell(self, done: int) -> None:
        if self.on_progress is not None:
            self.on_progress(min(self.before + done, self.total), self.total)


@dataclass(frozen=True)
class Survey:
    """What can be known only once the whole file has been read."""

    attributes: tuple[Attribute, ...]
    created: npt.NDArray[np.int64] | None
    """The moments of all rows of a file that names only months."""
    messages: tuple[str, ...]


def needs_survey(found: Match) -> bool:
    """Whether the file has to be read twice."""
    return "inferred" in found.source.attributes.values() or _months(found) is not None


def survey(passes: Passes, found: Match, mapping: Mapping, *, lookups: list[Lookup], stored: dict[str, str]) -> Survey:
    """Decide the type of each attribute, and date the rows of a file that names only months.

    Parameters
    ----------
    stored : types of the attributes that the store knows already; they stand
    """
    there = {*found.columns, *(name for lookup in lookups for name in lookup.columns)}
    kinds: dict[str, str] = {name: kind for name, kind in found.source.attributes.items() if name in there}
    if found.source.attributes.get("*") == "inferred":
        kinds |= {name: "inferred" for name in found.unnamed if name in there}
    inference = Inference([name for name, kind in kinds.items() if kind == "inferred"], decimal=mapping.decimal)
    sequence = _months(found)
    months = [np.zeros(0, np.int8)]
    for batch in passes if needs_survey(found) else ():
        columns = columns_of(batch, found, mapping, lookups)
        inference.see(columns)
        if sequence is not None:
            part = np.zeros(len(batch.lines) + len(batch.unreadable), np.int8)
            part[batch.numbers - 1 - sum(map(len, months))] = dates.month_numbers(columns[sequence])
            months.append(part)
    for lookup in lookups:
        lookup.missed.clear()  # counted again when the rows are loaded
    inferred, messages = inference.kinds()
    names = attribute_names(sorted(kinds))
    for name in inference.columns:
        kinds[name] = inferred.get(name) or stored.get(names[name], "")
    attributes = [Attribute(name, names[name], kind) for name, kind in kinds.items() if kind]
    messages += [
        f"Attribute {a.name} is {stored[a.name]} in the store and would be {a.kind} by this file: the store's word "
        "stands, and values that do not fit it are left out."
        for a in attributes
        if stored.get(a.name, a.kind) != a.kind
    ]
    created = found.source.created_at
    return Survey(
        tuple(Attribute(a.column, a.name, stored.get(a.name, a.kind)) for a in attributes),
        dates.spread_over_months(np.concatenate(months), first_year=created.first_year)
        if sequence and created
        else None,
        tuple(messages),
    )


def columns_of(batch: Batch, found: Match, mapping: Mapping, lookups: list[Lookup]) -> dict[str, pa.Array]:
    """The batch's columns, cleaned, under the mapping's names, with those of the sibling files."""
    wanted = {*found.source.used(), *found.source.attributes}
    wanted |= set(found.unnamed) if "*" in found.source.attributes else set()
    columns = {
        name: clean(text, name, found.source, mapping)
        for name, text in zip(found.columns, batch.table.columns, strict=True)
        if name in wanted
    }
    for lookup in lookups:
        lookup.add_to(columns)
    return columns


def _months(found: Match) -> str | None:
    created = found.source.created_at
    return created.month_sequence if created is not None else None
