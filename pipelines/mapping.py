"""A mapping: one TOML file that says which column of an export is what in the lead store.

`pipelines/mappings/generic.toml` explains every key. A mapping has settings for reading values, and one or more
`[[source]]` blocks, each a kind of file. `load_mapping` finds a mapping by name or path and refuses unknown keys.

What names a column can be written in three ways::

    lead_id = "case_id"                                   # one column
    event_id = ["case_id", "seq"]                         # several, joined by "-"; missing if one is missing
    full_name = { columns = ["first", "last"], joined_by = " ", skip_missing = true }
    stage = { constant = "customer" }                     # the same text in every row

Besides, `lead_id = { row_number = "contact-", digits = 5 }` numbers the rows of a file that has no ids, and
`created_at = { month_sequence = "month", first_year = 2008 }` dates the rows of a file in date order that names
only months.
"""

import hashlib
import json
import tomllib
import zoneinfo
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from features.errors import ConfigError
from pipelines.sources import Source, Strict

FOLDER: Final = Path(__file__).parent / "mappings"

#: What stands for "no value" in every mapping, besides its own list. Neither "NA" (Namibia) nor "None" (an answer).
ALWAYS_MISSING: Final = ("", "NULL", "null", "NaN", "nan", "N/A", "n/a", "#N/A", "<NA>", "\\N")


class Mapping(Strict):
    """How the files of one system are read."""

    name: str
    about: str = ""
    zone: str | None = None
    formats: tuple[str, ...] = ("iso",)
    missing: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    source: tuple[Source, ...]

    @model_validator(mode="after")
    def _whole(self) -> "Mapping":
        if not self.source:
            raise ValueError("expected at least one [[source]]")
        if self.zone is not None:
            try:
                zoneinfo.ZoneInfo(self.zone)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError(f"zone {self.zone!r} is no time zone; write one like 'Europe/Paris'") from error
        return self

    @property
    def digest(self) -> str:
        """SHA-256 over what the mapping says; comments and the order of keys do not change it."""
        text = json.dumps(self.model_dump(mode="json", exclude={"about"}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def known_mappings() -> list[str]:
    """The names of the mappings that come with leadscore."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_mapping(name_or_path: str | Path) -> Mapping:
    """Read a mapping: one of `known_mappings()`, or the path of a TOML file.

    Raises
    ------
    ConfigError
        There is none of that name, or it is no mapping; the message names the key and the known ones.

    Examples
    --------
    >>> load_mapping("bpi2012").zone
    'UTC'
    >>> load_mapping("bpi2021")
    Traceback (most recent call last):
    ...
    features.errors.ConfigError: There is no mapping 'bpi2021'. Known: ... Or give the path of a TOML file...
    """
    known = known_mappings()
    path = FOLDER / f"{name_or_path}.toml" if str(name_or_path) in known else Path(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"There is no mapping {str(name_or_path)!r}. Known: {', '.join(known)}. Or give the path of a TOML file; "
            f"copy {FOLDER / 'generic.toml'} to start one."
        ) from error
    return parse_mapping(text, name=path.stem, where=str(name_or_path))


def parse_mapping(text: str, *, name: str, where: str) -> Mapping:
    """Turn the text of a mapping file into a `Mapping`.

    Raises
    ------
    ConfigError
        It is no TOML, or a key or value of it is wrong; all that is wrong is named.

    Examples
    --------
    >>> parse_mapping("zone = 'Mars'", name="m", where="m.toml")
    Traceback (most recent call last):
    ...
    features.errors.ConfigError: The mapping m.toml cannot be used: source: Field required...
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The mapping {where} is no TOML: {error}. Mend that line.") from error
    try:
        return Mapping.model_validate(_frozen({"name": name} | raw))
    except ValidationError as error:
        found = "; ".join(f"{_place(e['loc'], raw)}: {_said(e['msg'])}" for e in error.errors())
        raise ConfigError(
            f"The mapping {where} cannot be used: {found}. {FOLDER / 'generic.toml'} explains every key."
        ) from error


def _frozen(value: Any) -> Any:
    """Lists as tuples, which is what the strict models hold."""
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _said(message: str) -> str:
    return message.removeprefix("Value error, ").replace("valid tuple", "valid list")


def _place(location: tuple[int | str, ...], raw: dict[str, Any]) -> str:
    """A key's place as it is written, with a source's name in place of its number."""
    parts = [str(part) for part in location]
    if len(location) > 1 and location[0] == "source" and isinstance(location[1], int):
        source = raw["source"][location[1]]
        parts[1] = repr(source.get("name", parts[1])) if isinstance(source, dict) else parts[1]
    return ".".join(parts) or "the file"
