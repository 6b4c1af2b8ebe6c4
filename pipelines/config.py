"""One TOML file -> frozen, strict settings, checked across sections, with a digest.

`defaults.toml` documents every key; a project's file states what differs. Inner layers get plain keyword arguments,
never these objects.
"""

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from features.errors import ConfigError
from features.kinds import identifier
from features.tables import STAGES
from pipelines.mapped_tables import MappedTable

FILE: Final = "leadscore.toml"
PRESETS: Final = ("saas", "agency", "ecommerce", "bank-marketing", "bpi2012", "crm-sales", "leadforge")
#: Points cards that come along, by what `[points] source` calls them.
CARDS: Final = ("default", "agency", "ecommerce", "bank-marketing", "bpi2012")

#: Keys of [score] that say how a run goes about it, and change no score.
_ONLY_HOW: Final = {"range_leads", "timezone", "metrics_file"}

Probability = Annotated[float, Field(gt=0, lt=1)]
Days = Annotated[int, Field(ge=1, le=3650)]
Money = Annotated[float, Field(ge=0, lt=1e12)]
Margin = Annotated[float, Field(gt=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TableSettings(_Section):
    """`[store.tables.NAME]`."""

    table: str
    columns: dict[str, str]
    zone: str | None = None
    attributes: list[str] = []
    stages: dict[str, str] = {}


class StoreSettings(_Section):
    """`[store]`."""

    url: str = Field(min_length=1)
    lock_timeout_seconds: Annotated[float, Field(ge=0, le=86_400)]
    tables: dict[str, TableSettings]

    def mapped(self) -> dict[str, MappedTable]:
        """The input tables that are read out of a company's own, as a store is opened with them."""
        return {name: MappedTable(**table.model_dump()) for name, table in self.tables.items()}


class EventSettings(_Section):
    """`[events]`."""

    future_days: Annotated[int, Field(ge=0)]
    kinds: dict[str, str]


class CohortSettings(_Section):
    """`[cohort]`."""

    voluntary_kinds: list[str]


class LabelSettings(_Section):
    """`[label]`."""

    target_stage: str
    horizon_days: Days

    @model_validator(mode="after")
    def _stage_is_known(self) -> "LabelSettings":
        if self.target_stage not in STAGES:
            raise ValueError(f"target_stage must be one of {', '.join(STAGES)}, got {self.target_stage!r}")
        return self


class SnapshotSettings(_Section):
    """`[snapshots]`."""

    at: Literal["calendar", "creation"]
    every_days: Days
    days_after_creation: list[Annotated[float, Field(ge=0)]] = Field(min_length=1)
    most: Annotated[int, Field(ge=1000)]


class FeatureSettings(_Section):
    """`[features]`."""

    exclude: list[str]


class SplitSettings(_Section):
    """`[splits]`."""

    test_share: Annotated[float, Field(ge=0.05, le=0.6)]
    cut_offs: Annotated[int, Field(ge=1, le=24)]


class ModelSettings(_Section):
    """`[model]`."""

    seed: Annotated[int, Field(ge=0)]
    resamples: Annotated[int, Field(ge=50, le=10_000)]


class EvaluationSettings(_Section):
    """`[evaluation]`."""

    segments: list[str]
    sensitive: list[str]
    capacity_leads: Annotated[int, Field(ge=0)]


class PointsSettings(_Section):
    """`[points]`."""

    source: str = Field(min_length=1)
    text: str = ""
    """The card itself, read when the settings are: what it says changes points, so it counts in the digest."""


class BandSettings(_Section):
    """`[bands]`."""

    a_probability: Probability
    b_probability: Probability
    c_probability: Probability


class EconomicsSettings(_Section):
    """`[economics]`."""

    currency: str = Field(min_length=1, max_length=8)
    customer_value: Money
    amount: str
    margin: Margin
    segment: str
    values: dict[str, Money]
    margins: dict[str, Margin]
    sales_touch_cost: Money
    nurture_touch_cost: Money
    touches_per_day: Annotated[int, Field(ge=0)]


class StageSettings(_Section):
    """`[stages]`."""

    limits: Literal["probabilities", "economics"]
    keep_share: Annotated[float, Field(ge=0, lt=1)]
    mql_probability: Probability
    sal_probability: Probability
    sql_probability: Probability
    pql_min_probability: Probability
    recycle_after_days: Days
    intent_days: Days
    product_use_days: Days
    out_of_target_functions: list[str]
    out_of_target_email_classes: list[str]
    out_of_target_countries: list[str]


class ScoreSettings(_Section):
    """`[score]`."""

    range_leads: Annotated[int, Field(ge=1)]
    reasons: Annotated[int, Field(ge=1, le=50)]
    timezone: str = Field(min_length=1)
    least_volume_share: Annotated[float, Field(ge=0, le=1)]
    most_volume_factor: Annotated[float, Field(gt=1)]
    most_mean_factor: Annotated[float, Field(gt=1)]
    warn_new_category_share: Annotated[float, Field(ge=0, le=1)]
    most_new_category_share: Annotated[float, Field(ge=0, le=1)]
    most_stage_changes_share: Annotated[float, Field(gt=0, le=1)]
    metrics_file: str


class GateSettings(_Section):
    """`[gate]`."""

    least_converted: Annotated[int, Field(ge=0)]
    most_log_loss_above_champion: Annotated[float, Field(ge=0, le=1)]
    least_calibration_slope: Annotated[float, Field(gt=0, le=1)]
    most_calibration_slope: Annotated[float, Field(ge=1)]


class CardSettings(_Section):
    """`[card]`."""

    owner: str
    note: str
    justification: dict[str, str]


class ReleaseSettings(_Section):
    """`[release]`."""

    cache: str = Field(min_length=1)
    max_stale_days: Annotated[float, Field(ge=0)]


class TrackingSettings(_Section):
    """`[tracking]`."""

    uri: str = Field(min_length=1)
    experiment: str = Field(min_length=1)
    model_name: str = Field(min_length=1)


class Settings(_Section):
    """Everything that can be set, section by section."""

    store: StoreSettings
    events: EventSettings
    attributes: dict[str, Literal["numeric", "categorical", "boolean", "date", "ignored"]]
    cohort: CohortSettings
    label: LabelSettings
    snapshots: SnapshotSettings
    features: FeatureSettings
    splits: SplitSettings
    model: ModelSettings
    evaluation: EvaluationSettings
    points: PointsSettings
    bands: BandSettings
    economics: EconomicsSettings
    stages: StageSettings
    score: ScoreSettings
    gate: GateSettings
    card: CardSettings
    release: ReleaseSettings
    tracking: TrackingSettings

    def digest(self) -> str:
        """SHA-256 of what can change a score or a release; where things are kept is no part of it.

        How a company's own tables are read is: another zone, stage or attribute makes other scores. What is worth how
        much is, only where stages are derived from it.
        """
        only_told = {} if self.stages.limits == "economics" else {"economics": True}
        plain = self.model_dump(
            exclude={
                "store": {"url", "lock_timeout_seconds"}, "tracking": True, "release": True, "score": _ONLY_HOW,
                "evaluation": True, "gate": True, "card": True, **only_told,
            }
        )  # fmt: skip
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

    def flat(self) -> dict[str, Any]:
        """Every setting by its dotted name, for programs and cards; not where things are kept, nor the points card."""
        plain = self.model_dump(
            exclude={
                "store": True, "tracking": True, "attributes": True, "points": {"text"}, "release": {"cache"},
                "score": {"metrics_file"},
            }
        )  # fmt: skip
        return {f"{section}.{key}": value for section, keys in plain.items() for key, value in keys.items()}


def load(
    file: Path | None = None, *, environment: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings: defaults < file < environment < flags.

    Parameters
    ----------
    file : the project's file; without it, `leadscore.toml` in the working folder if it is there
    environment : LEADSCORE_STORE and MLFLOW_TRACKING_URI count (default: the process's)
    flags : dotted key -> value, for what a command line says

    Raises
    ------
    ConfigError
        Naming the file, the key, what was expected and the nearest valid key.
    """
    environment = os.environ if environment is None else environment
    plain = tomllib.loads((resources.files("pipelines") / "defaults.toml").read_text(encoding="utf-8"))
    where = "the defaults"
    if file is None and Path(FILE).is_file():
        file = Path(FILE)
    if file is not None:
        where = str(file)
        _merge(plain, _read(file), where=where, path="")
    for variable, key in (("LEADSCORE_STORE", "store.url"), ("MLFLOW_TRACKING_URI", "tracking.uri")):
        if environment.get(variable):
            _set(plain, key, environment[variable])
    for key, value in (flags or {}).items():
        if value is not None:
            _set(plain, key, value)
    plain["points"].setdefault("text", _card_text(plain["points"]["source"]))
    try:
        return Settings.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{where}: {key or 'the settings'}: {first['msg']}; found {first.get('input')!r}. "
            "'leadscore config show' prints every key with its default."
        ) from error


def preset(name: str) -> str:
    """The text of a preset's file.

    Raises
    ------
    ConfigError
        There is no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name!r}; the presets are: {', '.join(PRESETS)}.")
    return (resources.files("pipelines.presets") / f"{name}.toml").read_text(encoding="utf-8")


def card(name: str) -> str:
    """The text of a points card that comes along.

    Raises
    ------
    ConfigError
        There is no such card.
    """
    if name not in CARDS:
        raise ConfigError(f"There is no points card {name!r}; those that come along are: {', '.join(CARDS)}.")
    file = "rules_card.toml" if name == "default" else f"presets/points-{name}.toml"
    return (resources.files("pipelines") / file).read_text(encoding="utf-8")


def _card_text(source: object) -> str:
    """The text of the points card: one of ours, or a file's; none where the CRM keeps the points."""
    if source == "crm" or not isinstance(source, str):
        return ""
    if source in CARDS:
        return card(source)
    try:
        return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"[points] source: the points card {source} cannot be read: {error}. Name a file that is there, or 'crm', "
            f"or a card of ours ({', '.join(CARDS)}); 'leadscore config card' prints the default one, to start from."
        ) from error


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"There is no configuration file {file}. Make one with 'leadscore init'.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {file} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.") from error


_FREE: Final = (
    "attributes", "events.kinds", "store.tables", "card.justification", "economics.values", "economics.margins",
)  # fmt: skip


def _merge(into: dict[str, Any], new: Mapping[str, Any], *, where: str, path: str) -> None:
    """Lay `new` over `into`, refusing keys that do not exist; the free tables take any key."""
    for key, value in new.items():
        full = f"{path}.{key}" if path else key
        if path not in _FREE and key not in into:
            near = get_close_matches(identifier(key), list(into), n=1)
            raise ConfigError(
                f"{where}: there is no setting {full}."
                + (f" Did you mean {near[0]}?" if near else f" Valid here: {', '.join(into)}.")
            )
        if isinstance(into.get(key), dict) and path not in _FREE:
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: {full} is a section, write [{full}]; found {value!r}.")
            _merge(into[key], value, where=where, path=full)
        else:
            into[key] = value


def _set(plain: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    for section in sections:
        plain = plain[section]
    plain[name] = value
