"""No word of the card is idle: each is asked for by its key, by the form of its key, or by one of few known names."""

import ast
from fnmatch import fnmatchcase
from pathlib import Path

import models
from models.calibration import METHODS
from models.card_words import ENGLISH

SOURCES = [file for file in Path(models.__file__).parent.glob("card*.py") if not file.name.startswith("card_words")]
#: Kind of name -> all that are ever asked for, where the code does not spell them out.
NAMES = {
    "status": {"candidate", "champion", "retired", "withdrawn"},
    "method": {"none", *METHODS},
    "champion": {"none", "away", "label", "few"},
}


def asked_for() -> set[str]:
    """Every text in the sources, and every template with * for what is filled in."""
    found = set()
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values]
                found.add("".join(parts))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "named":
                kind = node.args[0]
                assert isinstance(kind, ast.Constant)
                found |= {f"{kind.value}_{name}" for name in NAMES.get(str(kind.value), {"*"})}
    return found - {"*", "*_*"}


def test_every_word_is_asked_for() -> None:
    asked = asked_for()
    idle = [key for key in ENGLISH if key not in asked and not any("*" in of and fnmatchcase(key, of) for of in asked)]
    assert idle == []


def test_every_known_name_has_its_word() -> None:
    assert [
        f"{kind}_{name}" for kind, names in NAMES.items() for name in names if f"{kind}_{name}" not in ENGLISH
    ] == []
