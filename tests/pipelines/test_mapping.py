"""Mapping files: the ones that come along are sound, and every mistake in one is named."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from features.errors import ConfigError
from pipelines.mapping import known_mappings, load_mapping, parse_mapping
from pipelines.sources import STAGE_NAMES, STAGES, Value, same_name

SOURCE = "[[source]]\nname = 'leads'\nlead_id = 'id'\n"


def parsed(text: str) -> object:
    return parse_mapping(text, name="m", where="m.toml")


def test_the_known_mappings_load_and_cannot_be_changed() -> None:
    assert known_mappings() == ["bank-marketing", "bpi2012", "crm-sales", "generic", "leadforge"]
    for name in known_mappings():
        mapping = load_mapping(name)
        assert mapping.name == name
        assert mapping.about
        assert mapping == load_mapping(name)
        with pytest.raises(ValidationError, match="frozen"):
            mapping.zone = "UTC"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no mapping 'hubspot'. Known: bank-marketing, bpi2012, crm-sales, generic"):
        load_mapping("hubspot")


def test_a_mapping_is_found_by_path_and_named_for_its_file(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(SOURCE)
    assert load_mapping(path).name == load_mapping(str(path)).name == "ours"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "source: Field required"),
        ("source = []", "at least one"),
        ("a = 1\nzone = ,", "no TOML: Invalid value .at line 2"),
        (f"zone = 'Mars'\n{SOURCE}", "zone 'Mars' is no time zone; write one like"),
        (f"{SOURCE}craeted_at = 'x'", r"source.'leads': unknown key 'craeted_at'. Did you mean 'created_at'\? Known: "),
        (f"{SOURCE}created_at = 3", "source.'leads'.created_at: expected a column's name, a list of names or"),
        (f"{SOURCE}known_at = {{ row_number = 'x' }}", "row_number is for ids"),
        (f"{SOURCE}created_at = {{ month_sequence = 'm' }}", "month_sequence needs first_year"),
        (f"{SOURCE}created_at = {{ constant = 'a', columns = ['b'] }}", "exactly one of columns, constant"),
        (f"{SOURCE}[source.attributes]\na = 'number'", "'numeric', 'categorical', 'boolean', 'date', 'ignored'"),
        (f"{SOURCE}[source.attributes]\na = 'numeric'", "when was this known of the lead"),
        (f"{SOURCE}created_at = 'c'\n[source.attributes]\n'*' = 'numeric'", r"'\*' is 'inferred' or 'ignored'"),
        (f"{SOURCE}[[source.stage]]\nstage = {{ constant = 'gold' }}\nat = 'x'", "'gold' is no stage; the stages are"),
        (f"{SOURCE}[[source.stage]]\nstage = 's'\nat = 'x'\nafter_minutes = '60'", "stage.0.after_minutes: .*integer"),
        (f"{SOURCE}[[source.event]]\ntype = 't'", "event.0.at: Field required"),
        ("[[source]]\nname = 'x'\ncreated_at = 'c'", "lead_id says which lead a row is about"),
        (f"decimal = ';'\n{SOURCE}", "decimal: Input should be"),
        (f"delimiter = ';;'\n{SOURCE}", "delimiter: "),
    ],
)
def test_every_mistake_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s)m.toml .*{said}"):
        parsed(text)


def test_the_digest_is_of_what_is_said_not_of_how() -> None:
    one = parse_mapping(f"# a comment\nzone = 'UTC'\nabout = 'a'\n{SOURCE}", name="m", where="m")
    two = parse_mapping(f"about = 'b'\nzone = 'UTC'\n{SOURCE}", name="m", where="m")
    other = parse_mapping(f"zone = 'Europe/Paris'\n{SOURCE}", name="m", where="m")
    assert one.digest == two.digest != other.digest


def test_the_forms_of_a_value() -> None:
    assert Value.model_validate("a").columns == ("a",)
    assert Value.model_validate(("a", "b")).names == ("a", "b")
    assert Value.model_validate({"constant": "x"}).names == ()
    assert Value.model_validate({"month_sequence": "m", "first_year": 2008}).names == ("m",)


def test_stage_names_of_other_systems_lead_to_ours() -> None:
    assert set(STAGE_NAMES.values()) == set(STAGES)
    assert all(name == same_name(name) for name in STAGE_NAMES)
    assert {STAGE_NAMES[same_name(n)] for n in ("Sales Qualified Lead", "salesqualifiedlead", "SQL")} == {"sql"}
