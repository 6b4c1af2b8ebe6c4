"""One kind of file in a mapping: which column is what, and which tables its rows fill. Values only, nothing is read."""

import difflib
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from features.tables import PROFILE_COLUMNS, STAGES

#: Names that other systems give the stages, without case, spaces and underscores.
STAGE_NAMES: Final = {stage: stage for stage in STAGES} | {
    "subscriber": "lead",
    "marketingqualifiedlead": "mql",
    "marketingqualified": "mql",
    "salesacceptedlead": "sal",
    "salesaccepted": "sal",
    "salesqualifiedlead": "sql",
    "salesqualified": "sql",
    "productqualifiedlead": "pql",
    "productqualified": "pql",
    "evangelist": "customer",
    "closedwon": "customer",
    "won": "customer",
    "closedlost": "disqualified",
    "lost": "disqualified",
    "unqualified": "disqualified",
}

AttributeKind = Literal["numeric", "categorical", "boolean", "date", "ignored", "inferred"]


def same_name(name: str) -> str:
    """A name without case, spaces, underscores, dots and dashes: by this form headers and stages are compared.

    Examples
    --------
    >>> same_name("Marketing Qualified_Lead")
    'marketingqualifiedlead'
    """
    return "".join(letter for letter in name.casefold() if letter not in " _.-\u00a0")


class Strict(BaseModel):
    """Frozen, strict about types, and clear about unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value.keys() - cls.model_fields.keys():
                near = difflib.get_close_matches(str(key), list(cls.model_fields), 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"unknown key {key!r}.{hint} Known: {', '.join(cls.model_fields)}")
        return value


class Value(Strict):
    """What a field is made of: columns, a constant, the row's number, or a sequence of months; exactly one of them."""

    columns: tuple[str, ...] = ()
    joined_by: str = "-"
    skip_missing: bool = False
    """Join the columns that have a value; otherwise one missing column makes the whole missing."""
    constant: str | None = None
    row_number: str | None = None
    """A prefix before the number of the row in its file: the same file gives the same ids."""
    digits: int = Field(default=6, ge=1, le=18)
    month_sequence: str | None = None
    """The column that names the month, in a file in date order: the year grows whenever the month goes backwards, and
    the rows of each run of one month are spread evenly over that month."""
    first_year: int = Field(default=1970, ge=1970, le=2200)

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"columns": (value,)}
        if isinstance(value, tuple):
            return {"columns": value}
        if not isinstance(value, dict | Value):
            raise ValueError(f"expected a column's name, a list of names or {{ constant = '...' }}, found {value!r}")
        return value

    @model_validator(mode="after")
    def _one_form(self) -> "Value":
        forms = (self.columns or None, self.constant, self.row_number, self.month_sequence)
        if sum(form is not None for form in forms) != 1:
            raise ValueError("write exactly one of columns, constant, row_number and month_sequence")
        if self.month_sequence is not None and "first_year" not in self.model_fields_set:
            raise ValueError("month_sequence needs first_year, the year of the first row")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the file that this is made of."""
        return self.columns if self.month_sequence is None else (self.month_sequence,)


def _plain(value: Value) -> Value:
    if value.row_number is not None or value.month_sequence is not None:
        raise ValueError("expected columns or a constant; row_number is for ids, month_sequence for created_at")
    return value


def _identifier(value: Value) -> Value:
    return value if value.row_number is not None else _plain(value)


def _creation(value: Value) -> Value:
    return value if value.month_sequence is not None else _plain(value)


Plain = Annotated[Value, AfterValidator(_plain)]
Identifier = Annotated[Value, AfterValidator(_identifier)]
Creation = Annotated[Value, AfterValidator(_creation)]
When = dict[str, tuple[str, ...]]


class Contact(Strict):
    """Personal data: goes to `contacts` and nowhere else, but for the class of the e-mail address."""

    email: Plain | None = None
    full_name: Plain | None = None
    company_name: Plain | None = None
    phone: Plain | None = None


class Profile(Strict):
    """The profile columns that every store has. `email_class` is worked out from `contact.email`."""

    source_channel: Plain | None = None
    direction: Plain | None = None
    job_title: Plain | None = None
    industry: Plain | None = None
    company_size: Plain | None = None
    country: Plain | None = None
    language: Plain | None = None
    email_class: Plain | None = None


class Event(Strict):
    """An event in each row where every column of `when` has one of its values."""

    type: Plain
    at: Plain
    event_id: Identifier | None = None
    value: Plain | None = None
    known_at: Plain | None = None
    when: When = {}


class Stage(Strict):
    """A stage that the row's lead entered, in each row where every column of `when` has one of its values."""

    stage: Plain
    at: Plain
    known_at: Plain | None = None
    amount: Plain | None = None
    reason: Plain | None = None
    after_minutes: int = 0
    when: When = {}

    @model_validator(mode="after")
    def _known_stage(self) -> "Stage":
        if self.stage.constant is not None and same_name(self.stage.constant) not in STAGE_NAMES:
            raise ValueError(f"{self.stage.constant!r} is no stage; the stages are {', '.join(STAGES)}")
        return self


class RulePoints(Strict):
    """Points that the CRM gave the lead."""

    known_at: Plain
    points: Plain


class ChannelCost(Strict):
    """What a channel cost in a month; the only rows that belong to no lead."""

    channel: Plain
    month: Plain
    cost: Plain


class Objection(Strict):
    """The lead objects to being profiled."""

    since: Plain


class Join(Strict):
    """Columns of a sibling file, looked up by a column of this one."""

    file: str
    on: str
    their: str | None = None
    """The sibling's name for `on`, if it has another one."""
    columns: tuple[str, ...] = Field(min_length=1)


class Source(Strict):
    """One kind of file: the columns that tell it, and the tables that its rows fill."""

    name: str
    about: str = ""
    optional: tuple[str, ...] = ()
    """Columns that may be absent from the file; every other column named below must be there."""
    lead_id: Identifier | None = None
    created_at: Creation | None = None
    known_at: Plain | None = None
    contact: Contact | None = None
    profile: Profile | None = None
    attributes: dict[str, AttributeKind] = {}
    """File column -> type; "*" stands for every column that nothing else uses."""
    event: tuple[Event, ...] = ()
    stage: tuple[Stage, ...] = ()
    rule_points: RulePoints | None = None
    channel_cost: ChannelCost | None = None
    objection: Objection | None = None
    join: tuple[Join, ...] = ()
    replace: dict[str, dict[str, str]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    keep: When = {}
    """Column -> values: a row that has another one is quarantined, and says so."""

    @model_validator(mode="after")
    def _whole(self) -> "Source":
        if self.lead_id is None and (self.channel_cost is None or self.created_at is not None):
            raise ValueError("lead_id says which lead a row is about; only a source of channel_cost goes without")
        if (self.profile or self.attributes) and not (self.created_at or self.known_at):
            raise ValueError("profile and attributes need created_at or known_at: when was this known of the lead?")
        if self.attributes.get("*", "inferred") not in ("inferred", "ignored"):
            raise ValueError("attributes '*' is 'inferred' or 'ignored'")
        return self

    def used(self) -> Iterator[str]:
        """The columns of the file that fill something other than attributes, in the order of the keys."""
        for part in (self, self.contact, self.profile, *self.event, *self.stage, self.rule_points, self.channel_cost):
            if part is not None:
                for field in type(part).model_fields:
                    value = getattr(part, field)
                    if isinstance(value, Value) and not (field == "at" and self.is_creation(value)):
                        yield from value.names
                if isinstance(part, Event | Stage):
                    yield from part.when
        if self.objection is not None:
            yield from self.objection.since.names
        for join in self.join:
            yield join.on
        yield from self.keep

    def is_creation(self, at: Value) -> bool:
        """Whether `at` means this source's created_at rather than a column of that name."""
        return self.created_at is not None and at.columns == ("created_at",)

    def joined(self) -> set[str]:
        """The columns that come from sibling files."""
        return {name for join in self.join for name in join.columns}

    def needed(self) -> list[str]:
        """The columns without which a file is not of this kind."""
        declared = [name for name, kind in self.attributes.items() if kind != "ignored" and name != "*"]
        spare = {*self.optional, *self.joined()}
        return [name for name in dict.fromkeys([*self.used(), *declared]) if name not in spare]


assert set(Profile.model_fields) == set(PROFILE_COLUMNS)
