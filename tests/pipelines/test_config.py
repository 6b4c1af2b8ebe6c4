"""Settings: who overrules whom, what a wrong key is told, and what the digest is of."""

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from features.errors import ConfigError
from pipelines.config import CARDS, FILE, PRESETS, Settings, load, preset
from pipelines.mapping import known_mappings

DEFAULTS = (resources.files("pipelines") / "defaults.toml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without a configuration file."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def written(folder: Path, text: str) -> Path:
    file = folder / "my.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_each_source_overrules_the_one_before(tmp_path: Path) -> None:
    file = written(tmp_path, '[store]\nurl = "file.duckdb"\n[model]\nseed = 3\n')
    environment = {"LEADSCORE_STORE": "environment.duckdb"}
    flags = {"store.url": "flag.duckdb"}
    assert load(environment={}).store.url == "leads.duckdb"
    assert load(file, environment={}).store.url == "file.duckdb"
    assert load(file, environment=environment).store.url == "environment.duckdb"
    assert load(file, environment=environment, flags=flags).store.url == "flag.duckdb"
    # What a source leaves out stays; an empty variable and a flag that was not given say nothing.
    assert load(file, environment={"LEADSCORE_STORE": ""}, flags={"store.url": None}).store.url == "file.duckdb"
    assert load(file, environment=environment).model.seed == 3
    assert load(file, environment={"MLFLOW_TRACKING_URI": "http://ml"}).tracking.uri == "http://ml"


def test_the_process_s_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSCORE_STORE", "environment.duckdb")
    assert load().store.url == "environment.duckdb"


def test_a_file_in_the_working_folder_is_found(elsewhere: Path) -> None:
    (elsewhere / FILE).write_text("[model]\nseed = 99\n", encoding="utf-8")
    assert load(environment={}).model.seed == 99


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[label]\nhorizen_days = 60\n",
            r"my\.toml: .* no setting label\.horizen_days\. Did you mean horizon_days\?",
        ),
        ("[labels]\nhorizon_days = 60\n", r"there is no setting labels\. Did you mean label\?"),
        ("[model]\nzzz = 1\n", r"there is no setting model\.zzz\. Valid here: seed, resamples"),
        ('[label]\nhorizon_days = "60"\n', r"my\.toml: label\.horizon_days: .*integer; found '60'"),
        ("[label]\nhorizon_days = 0\n", r"label\.horizon_days: .*greater than or equal to 1; found 0"),
        ("[label]\nhorizon_days = 60.5\n", r"label\.horizon_days: .*found 60\.5"),
        ('[label]\ntarget_stage = "won"\n', r"label: .*target_stage must be one of lead, mql.*got 'won'"),
        ('[snapshots]\nat = "weekly"\n', r"snapshots\.at: .*'calendar' or 'creation'; found 'weekly'"),
        ("label = 60\n", r"my\.toml: label is a section, write \[label\]; found 60"),
        ("[label.horizon_days]\ndays = 60\n", r"label\.horizon_days: .*found \{'days': 60\}"),
        ("[bands]\na_probability = 1.5\n", r"bands\.a_probability: .*less than 1"),
        ("[economics.margins]\nretail = 1.5\n", r"economics\.margins\.retail: .*less than or equal to 1; found 1\.5"),
        ('[attributes]\npostcode = "text"\n', r"attributes\.postcode: .*'numeric'.*found 'text'"),
        ("[label\n", r"my\.toml is not valid TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(written(tmp_path, text), environment={})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration file .*nowhere\.toml.*leadscore init"):
        load(tmp_path / "nowhere.toml", environment={})


def test_the_free_tables_take_any_key(tmp_path: Path) -> None:
    text = '[attributes]\n"Post code" = "categorical"\n[events.kinds]\n"Visited page" = "page"\n'
    settings = load(written(tmp_path, text), environment={})
    assert settings.attributes == {"Post code": "categorical"}
    assert settings.events.kinds == {"Visited page": "page"}


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(environment={}).model.seed = 8  # type: ignore[misc]


#: Tables that take any key: they are empty by default, and explained where they stand.
FREE = (
    "attributes", "events.kinds", "store.tables", "card.justification", "economics.values", "economics.margins",
)  # fmt: skip
ONLY_WHERE_AND_HOW = (
    "store.url", "store.lock_timeout_seconds", "score.range_leads", "score.timezone", "score.metrics_file",
)  # fmt: skip


def plain(settings: Settings) -> dict[str, Any]:
    """Dotted key -> value."""
    return {f"{s}.{k}": v for s, keys in settings.model_dump().items() for k, v in keys.items()}


def other(key: str, value: Any) -> Any:
    """Another valid value than a default."""
    if key == "store.tables":
        return {"leads": {"table": "crm.leads", "columns": {"lead_id": "id", "created_at": "made"}}}
    if key == "points.source":
        return "default"
    if key == "economics.values":
        return {"1001-5000": 24000.0}
    if key == "economics.margins":
        return {"1001-5000": 0.25}
    match value:
        case int():
            return value + 1
        case float():
            return value * 0.99 or 0.5
        case [float(), *_]:
            return [*value, 7.0]
        case list():
            return [*value, "page"]
        case dict():
            return {"form": "form"}
        case "customer":
            return "opportunity"
        case "calendar":
            return "creation"
        case "probabilities":
            return "economics"
    return value + "x"


@pytest.mark.parametrize("key", plain(load(environment={})))
def test_the_digest_is_of_all_that_can_change_a_score_and_of_nothing_else(key: str) -> None:
    default = load(environment={})
    changed = load(environment={}, flags={key: other(key, plain(default)[key])})
    assert plain(changed)[key] != plain(default)[key]
    only_where_and_how = key in ONLY_WHERE_AND_HOW or key.startswith(
        ("tracking.", "release.", "evaluation.", "gate.", "card.", "economics.")
    )
    assert (changed.digest() == default.digest()) == only_where_and_how


ECONOMICS = [key for key in plain(load(environment={})) if key.startswith("economics.")]


@pytest.mark.parametrize("key", ECONOMICS)
def test_economics_count_only_where_stages_are_derived_from_them(key: str) -> None:
    derived = {"stages.limits": "economics"}
    before = load(environment={}, flags=derived)
    after = load(environment={}, flags=derived | {key: other(key, plain(before)[key])})
    assert after.digest() != before.digest()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_loads_and_says_where_it_comes_from(tmp_path: Path, name: str) -> None:
    text = preset(name)
    assert text.startswith("# ")
    settings = load(written(tmp_path, text), environment={})
    assert settings.label.target_stage == "customer"


def test_every_real_file_s_mapping_has_a_preset_and_every_preset_is_listed() -> None:
    files = {file.name for file in resources.files("pipelines.presets").iterdir() if file.name.endswith(".toml")}
    cards = {f"points-{name}.toml" for name in CARDS if name != "default"}
    assert files == {f"{name}.toml" for name in PRESETS} | cards
    # Of a line of business there is no file to map: its exports are mapped by "generic", or a mapping of one's own.
    assert set(known_mappings()) - {"generic"} == set(PRESETS) - {"saas", "agency", "ecommerce"}
    with pytest.raises(ConfigError, match="no preset 'retail'; the presets are: saas"):
        preset("retail")


def test_the_defaults_document_every_key_where_it_stands() -> None:
    documented, section, commented = set(), "", False
    for line in DEFAULTS.splitlines():
        if heading := re.fullmatch(r"\[([\w.]+)\]", line):
            section, commented = heading[1], False
        elif line.startswith("#"):
            commented = True
        elif line.strip():
            key = line.partition(" = ")[0]
            assert commented, f"[{section}] {key} stands without a comment"
            documented.add(f"{section}.{key}")
        if heading and section in FREE:
            documented.add(section)
    known = {f"{s}.{k}" for s, keys in tomllib.loads(DEFAULTS).items() for k in keys} | {"attributes"}
    assert documented == known
    for section in FREE:
        assert re.search(rf"^\[{re.escape(section)}\]\n# ", DEFAULTS, re.MULTILINE), f"[{section}] is not explained"


def test_lengths_of_time_say_their_unit() -> None:
    for key, value in plain(load(environment={})).items():
        if isinstance(value, int) and re.search(r"horizon|every|after|future|intent|use|stale", key):
            assert key.endswith("_days"), key
