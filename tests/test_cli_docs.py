"""Every command has help and stands in the README; every command that the README names exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from pipelines.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def registered(group: TyperGroup, *, prefix: str = "") -> Iterator[tuple[str, TyperCommand]]:
    """Every command that does something: groups are opened, not listed."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from registered(command, prefix=f"{prefix}{name} ")
        else:
            assert isinstance(command, TyperCommand)
            yield prefix + name, command


ROOT_COMMAND = typer.main.get_command(app)
assert isinstance(ROOT_COMMAND, TyperGroup)
COMMANDS = dict(registered(ROOT_COMMAND))
each_command = pytest.mark.parametrize("name", COMMANDS)


@each_command
def test_a_command_says_what_it_does(name: str) -> None:
    text = COMMANDS[name].help
    assert text, f"{name} has no help"
    assert text.strip()[0].isupper()


@each_command
def test_an_option_says_what_it_is_for(name: str) -> None:
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, TyperOption) and parameter.name != "help":
            assert parameter.help, f"{name} {parameter.opts[0]} has no help"


@each_command
def test_a_command_stands_in_the_readme(name: str) -> None:
    assert re.search(rf"leadscore {re.escape(name)}\b", README), f"README.md does not show 'leadscore {name}'"


def test_the_readme_names_no_command_that_is_not_there() -> None:
    # In code only: "leadscore learns from …" is a sentence.
    code = re.findall(r"```.*?```|`[^`\n]+`", README, flags=re.DOTALL)
    named = {word for part in code for word in re.findall(r"\bleadscore ([a-z][a-z-]*)", part)}
    first_words = {name.split()[0] for name in COMMANDS}
    assert named <= first_words, f"README.md shows commands that do not exist: {sorted(named - first_words)}"
