"""Columns that a sibling file adds: the accounts, products or teams that lie beside an export."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.errors import InputError
from pipelines.converting import clean
from pipelines.mapping import Mapping
from pipelines.reading import open_table
from pipelines.sources import Join, Source


@dataclass
class Lookup:
    """A sibling file in memory: row by key, and how often a key was looked up in vain."""

    join: Join
    path: Path
    digest: str
    rows: dict[str, int]
    columns: dict[str, pa.Array]
    missed: dict[str, int] = field(default_factory=dict)

    def add_to(self, columns: dict[str, pa.Array]) -> None:
        """Look up the joined columns for each row; a row whose key is not there gets nulls."""
        coded = columns[self.join.on].dictionary_encode()
        keys, codes = coded.dictionary.to_pylist(), np.asarray(coded.indices.fill_null(-1), dtype=np.int64)
        counts = np.bincount(codes + 1, minlength=len(keys) + 1)[1:]
        for key, count in zip(keys, counts, strict=True):
            if key not in self.rows and count:
                self.missed[key] = self.missed.get(key, 0) + int(count)
        place = np.array([*(self.rows.get(key, -1) for key in keys), -1], dtype=np.int64)[codes]
        indices = pa.array(place, mask=place < 0)
        for name, values in self.columns.items():
            columns[name] = values.take(indices)

    def messages(self, rows: int) -> list[str]:
        """A sentence about the keys that were not found."""
        if not self.missed:
            return []
        often = sorted(self.missed, key=lambda key: (-self.missed[key], key))[:5]
        return [
            f"{sum(self.missed.values()):,} of {rows:,} rows name a {self.join.on} that {self.path.name} does not have "
            f"({', '.join(f'{key!r} {self.missed[key]:,} times' for key in often)}). If one is another spelling, say "
            f"so in [source.replace.{self.join.on}]."
        ]


def open_lookups(source: Source, mapping: Mapping, *, folder: Path) -> tuple[list[Lookup], list[str]]:
    """Read the sibling files that a source joins; a sentence about each that is missing or has a key twice.

    Raises
    ------
    InputError
        A sibling file is there but cannot be read, or lacks a column.
    """
    lookups: list[Lookup] = []
    said: list[str] = []
    for join in source.join:
        path = _packed_or_plain(folder / join.file)
        if path is None:
            said.append(f"There is no {join.file} beside the file: {', '.join(join.columns)} left out.")
            continue
        file = open_table(path, encoding=mapping.encoding, delimiter=mapping.delimiter)
        key = join.their or join.on
        lacking = [name for name in (key, *join.columns) if name not in file.columns]
        if lacking:
            raise InputError(
                f"{path} lacks {', '.join(map(repr, lacking))}, which the mapping {mapping.name!r} joins by "
                f"{join.on!r}. Columns found: {', '.join(file.columns[:20])}. Name the right ones in [[source.join]]."
            )
        batches = list(file.batches())
        table = pa.concat_tables([batch.table for batch in batches]) if batches else None
        columns = (
            {
                name: clean(table.column(name), join.on if name == key else name, source, mapping)
                for name in (key, *join.columns)
            }
            if table
            else {}
        )
        keys = columns[key].to_pylist() if columns else []
        rows = {k: i for i, k in reversed(list(enumerate(keys))) if k is not None}
        if len(rows) < len(keys):
            said.append(
                f"{path.name}: {len(keys) - len(rows):,} rows with a repeated or empty {key}; the first counts."
            )
        values = {name: columns.get(name, pa.nulls(0, pa.string())) for name in join.columns}
        lookups.append(Lookup(join, path, file.digest, rows, values))
    return lookups, said


def _packed_or_plain(path: Path) -> Path | None:
    for candidate in (path, *(path.with_name(path.name + ending) for ending in (".gz", ".bz2", ".xz", ".zip"))):
        if candidate.is_file():
            return candidate
    return None
