"""Which source of a mapping a file is, and which of its columns is which."""

import difflib
from dataclasses import dataclass

from features.errors import InputError
from pipelines.mapping import Mapping
from pipelines.reading import TableFile
from pipelines.sources import Source, same_name


@dataclass(frozen=True)
class Match:
    """A file understood as one source of a mapping."""

    source: Source
    columns: tuple[str, ...]
    """The file's columns, in its order, under the mapping's names where the mapping names them."""
    unnamed: tuple[str, ...]
    """Columns, joined ones included, that neither a field nor an attribute of the source names."""


def match(mapping: Mapping, file: TableFile) -> Match:
    """Choose the source of `mapping` that the columns of `file` fit: of those that fit, the one that needs most.

    Raises
    ------
    InputError
        None fits, or a name could mean two columns; the message names the nearest ones and the line to write.
    """
    fits = [(source, _named(source, file)) for source in mapping.source]
    whole = [(source, names) for source, names in fits if set(source.needed()) <= set(names)]
    if not whole:
        raise _no_fit(mapping, file, fits)
    source, names = max(whole, key=lambda pair: len(pair[0].needed()))
    columns = tuple(names)
    known = {*source.used(), *source.attributes}
    unnamed = dict.fromkeys([*columns, *(name for join in source.join for name in join.columns)])
    return Match(source, columns, tuple(name for name in unnamed if name not in known))


def _named(source: Source, file: TableFile) -> list[str]:
    """The file's columns, renamed to what the source calls them: by the exact name, else by the same name."""
    wanted = dict.fromkeys([*source.used(), *(name for name in source.attributes if name != "*")])
    renamed = {name: name for name in file.columns}
    for name in wanted:
        if name in file.columns:
            continue
        alike = [column for column in file.columns if same_name(column) == same_name(name) and column not in wanted]
        if len(alike) > 1:
            raise InputError(
                f"{file.path}: {name!r} could be any of the columns {', '.join(map(repr, alike))}. Write the exact "
                "name in the mapping."
            )
        if alike:
            renamed[alike[0]] = name
    return list(renamed.values())


def _no_fit(mapping: Mapping, file: TableFile, fits: list[tuple[Source, list[str]]]) -> InputError:
    """Speak of the source of which the least is missing."""

    def missing(source: Source, names: list[str]) -> list[str]:
        return [name for name in source.needed() if name not in names]

    source, names = min(fits, key=lambda fit: len(missing(*fit)) / max(len(fit[0].needed()), 1))
    hints = []
    for name in missing(source, names):
        field_name = _field_of(source, name)
        near = difflib.get_close_matches(name, names, 1, 0.5)
        line = f"{field_name} = {near[0]!r}" if near else f"{field_name} = '...'"
        hints.append(
            f"{name!r} (nearest: {near[0]!r}; to take it, write {line})" if near else f"{name!r} (write {line})"
        )
    kinds = ", ".join(f"{s.name!r} ({', '.join(s.needed()[:6])})" for s in mapping.source)
    return InputError(
        f"{file.path} fits no source of the mapping {mapping.name!r}. Nearest is {source.name!r}, for which it lacks "
        f"{'; '.join(hints[:5])}. Columns found: {', '.join(file.columns[:20])}. The mapping knows: {kinds}. Copy the "
        "mapping, say there which column is which, and name the copy with --mapping."
    )


def _field_of(source: Source, column: str) -> str:
    """The key under which the source speaks of a column."""
    for name in ("lead_id", "created_at", "known_at"):
        value = getattr(source, name)
        if value is not None and column in value.names:
            return name
    return f'"{column}"' if column in source.attributes else column
