"""Text columns -> typed columns, and for each row of the file at most one reason why it cannot be loaded.

Each value is trimmed, replaced as the mapping says, and missing if it is one of the texts that stand for "no value".
A row with a required value that is missing or cannot be read is refused whole: it fills no table at all.
"""

from collections import Counter
from collections.abc import Mapping as Columns
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import attributes, dates
from pipelines.attributes import Attribute
from pipelines.mapping import ALWAYS_MISSING, Mapping
from pipelines.sources import Source, Value, When

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

NUL: Final = "a NUL character in a value"
EARLIEST: Final = 0
END: Final = int(np.datetime64("2201-01-01", "us").astype(np.int64))


@dataclass(frozen=True)
class Plan:
    """All that is decided before the first row is converted."""

    where: str
    """The file's name, for messages."""
    mapping: Mapping
    source: Source
    columns: frozenset[str]
    """The columns that the file and its siblings have, under the mapping's names."""
    attributes: tuple[Attribute, ...]
    """Those that are stored."""
    latest: int
    """Microseconds UTC; what is said to have happened later than this cannot be right."""
    created: Integers | None
    """The moments of all rows of the file, where months are all it says."""
    erased: frozenset[str]
    """Leads that asked to be forgotten and must not come back."""


def clean(text: Any, name: str, source: Source, mapping: Mapping) -> pa.Array:
    """One column trimmed, with the mapping's replacements, and null where nothing is known."""
    array = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    array = pc.utf8_trim_whitespace(array)
    if replaced := source.replace.get(name):
        place = pc.index_in(array, pa.array(list(replaced)))
        array = pc.coalesce(pa.array(list(replaced.values()), pa.string()).take(place), array)
    missing = (*ALWAYS_MISSING, *mapping.missing, *source.missing.get(name, ()))
    return pc.if_else(pc.is_in(array, pa.array(missing)), pa.scalar(None, pa.string()), array)


def present(array: pa.Array) -> Mask:
    """Which values are there."""
    return np.asarray(array.is_valid(), dtype=np.bool_)


class TextBatch:
    """Rows of a file on their way into the store: what they say, and what has been found wrong with each."""

    def __init__(self, columns: Columns[str, pa.Array], numbers: Integers, plan: Plan) -> None:
        """Take in a batch.

        Parameters
        ----------
        columns : cleaned text by the mapping's names, joined columns included
        numbers : the number of each row in its file, from 1
        plan : the same for all batches of a file
        """
        self.columns, self.numbers, self.plan = columns, numbers, plan
        self.count = len(numbers)
        self.everywhere: Mask = np.ones(self.count, np.bool_)
        self.reasons: npt.NDArray[Any] = np.full(self.count, None, dtype=object)
        self.sound: Mask = np.ones(self.count, np.bool_)
        self.notes: Counter[str] = Counter()
        for text in columns.values():
            self.refuse(np.asarray(pc.match_substring(text, "\0").fill_null(False), dtype=np.bool_), NUL)
        for name, kept in plan.source.keep.items():
            self.refuse(~self.when({name: kept}), f"{name} is not {' or '.join(kept)}")

    def refuse(self, mask: Mask, reason: str) -> None:
        """Give rows a reason, unless they have one."""
        self.reasons[mask & self.sound] = reason
        self.sound &= ~mask

    def note(self, count: int, sentence: str) -> None:
        """Remember that something was done to so many values."""
        if count:
            self.notes[sentence] += count

    def has(self, value: Value | None) -> bool:
        """Whether the file says anything about this field."""
        return value is not None and (not value.names or any(name in self.plan.columns for name in value.names))

    def text(self, value: Value | None) -> pa.Array:
        """What each row says about a field; null where nothing."""
        if value is None or not self.has(value):
            return pa.nulls(self.count, pa.string())
        if value.constant is not None:
            return pa.array([value.constant] * self.count, pa.string())
        if value.row_number is not None:
            return pa.array([f"{value.row_number}{n:0{value.digits}}" for n in self.numbers.tolist()], pa.string())
        parts = [self.columns.get(name, pa.nulls(self.count, pa.string())) for name in value.columns]
        if len(parts) == 1:
            return parts[0]
        if not value.skip_missing:
            return pc.binary_join_element_wise(*parts, value.joined_by)
        rows = zip(*(part.to_pylist() for part in parts), strict=True)
        return pa.array([value.joined_by.join(filter(None, row)) or None for row in rows], pa.string())

    def required(self, value: Value | None, field: str, mask: Mask) -> pa.Array:
        """The text of a field, refusing the rows of `mask` that have none."""
        text = self.text(value)
        self.refuse(mask & ~present(text), f"no {field}")
        return text

    def moment(self, value: Value, field: str, mask: Mask) -> Integers:
        """The microseconds of a field, refusing the rows of `mask` where it is missing, unreadable or impossible."""
        plan = self.plan
        if value.month_sequence is not None:
            assert plan.created is not None
            micros: Integers = plan.created[self.numbers - 1]
            self.refuse(mask & (micros == 0), f"{field} has no month")
            return micros
        text = pc.if_else(pa.array(mask), self.required(value, field, mask), pa.scalar(None, pa.string()))
        where = f"{plan.where}: {field}"
        found = dates.moments(text, formats=plan.mapping.formats, zone=plan.mapping.zone, where=where)
        self.note(found.local, f"{field}: times without an offset, read in the zone {plan.mapping.zone}")
        self.note(found.shifted, f"{field}: local times that a clock change skips or repeats (see zone)")
        self.refuse(mask & ~found.valid, f"{field} is not a date")
        self.refuse(mask & ((found.micros < EARLIEST) | (found.micros >= END)), f"{field} is not between 1970 and 2200")
        self.refuse(mask & (found.micros > plan.latest), f"{field} lies in the future")
        return found.micros

    def month(self, value: Value, field: str, mask: Mask) -> pa.Array:
        """The first day of the month of a field, written 2024-05 or as any day, refusing the rows that say neither."""
        text = self.required(value, field, mask)
        day = pc.replace_substring_regex(text, r"^(\d{4}-\d{2})$", r"\1-01")
        formats, where = self.plan.mapping.formats, f"{self.plan.where}: {field}"
        # A month is the same on every clock: read as if in UTC, whatever the zone.
        found = dates.moments(day, formats=formats, zone="UTC", where=where)
        self.refuse(mask & ~found.valid, f"{field} is not a month")
        self.refuse(mask & ((found.micros < EARLIEST) | (found.micros >= END)), f"{field} is not between 1970 and 2200")
        months = found.micros.astype("datetime64[us]").astype("datetime64[M]").astype("datetime64[D]")
        return pa.array(months, pa.date32())

    def number(self, value: Value | None, field: str, mask: Mask, *, needed: bool = False) -> pa.Array:
        """The numbers of a field, refusing the rows of `mask` that say something else; null where it says nothing."""
        text = self.required(value, field, mask) if needed else self.text(value)
        values, good = attributes.numbers(text, decimal=self.plan.mapping.decimal)
        self.refuse(mask & present(text) & ~good, f"{field} is not a number")
        self.refuse(mask & np.isinf(values), f"{field} is infinite")
        return pa.array(values, mask=~good)

    def attribute(self, attribute: Attribute) -> pa.Array:
        """The text of an attribute as its type has it. What does not fit the type is left out and counted."""
        text = self.columns.get(attribute.column, pa.nulls(self.count, pa.string()))
        if attribute.kind == "categorical":
            return text
        if attribute.kind == "boolean":
            found = attributes.truths(text)
        elif attribute.kind == "numeric":
            values, good = attributes.numbers(text, decimal=self.plan.mapping.decimal)
            self.refuse(np.isinf(values), f"{attribute.column} is infinite")
            plain = pc.replace_substring(text, ",", ".") if self.plan.mapping.decimal == "," else text
            found = pc.if_else(pa.array(good), plain, pa.scalar(None, pa.string()))
        else:
            mapping, where = self.plan.mapping, f"{self.plan.where}: {attribute.column}"
            moments = dates.moments(text, formats=mapping.formats, zone=mapping.zone, where=where)
            iso = np.datetime_as_string(moments.micros.astype("datetime64[us]"), unit="s")
            found = pa.array([f"{moment}Z" for moment in iso.tolist()], pa.string(), mask=~moments.valid)
        left_out = present(text) & ~present(found)
        self.note(int(left_out.sum()), f"{attribute.column}: values that are not {attribute.kind}, left out")
        return found

    def when(self, conditions: When) -> Mask:
        """The rows where every column has one of its values."""
        mask = self.everywhere.copy()
        for name, values in conditions.items():
            if name in self.columns:
                mask &= np.asarray(pc.is_in(self.columns[name], pa.array(values)), dtype=np.bool_)
            else:
                mask[:] = False
        return mask
