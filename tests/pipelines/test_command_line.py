"""What commands share: what cannot be done is said before the work, not after it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from features.errors import ConfigError, UserError
from pipelines.cli_compare import compare
from pipelines.cli_explain import explain
from pipelines.cli_funnel import funnel
from pipelines.cli_next import next_
from pipelines.cli_rules import rules_fit
from pipelines.command_line import check_writable

#: Options that name files to write, with what else the command must be told.
FILES: tuple[tuple[Callable[..., None], str, tuple[str, ...]], ...] = (
    (compare, "--out", ()),
    (compare, "--csv", ()),
    (funnel, "--out", ()),
    (funnel, "--csv", ()),
    (rules_fit, "--out", ()),
    (next_, "--out", ()),
    (explain, "--out", ("lead-1",)),
)


def failed(command: Callable[..., None], *arguments: str) -> Any:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [*arguments, "--store", "no-store-that-there-is.duckdb"]).exception


@pytest.mark.parametrize(("command", "option", "more"), FILES)
def test_a_file_is_refused_before_the_store_is_opened(
    command: Callable[..., None], option: str, more: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = failed(command, *more, option, str(tmp_path / "away" / "file"))
    assert isinstance(error, UserError)
    assert "file cannot be written: there is no folder" in str(error)
    assert "Name a file in a folder that is there" in str(error)


@pytest.mark.parametrize("command", [compare, funnel])
@pytest.mark.parametrize("out", [(), ("--out", "page.html")])
def test_a_language_is_refused_before_the_store_is_opened(
    command: Callable[..., None], out: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = failed(command, "--lang", "de", *out)
    assert isinstance(error, ConfigError)
    assert "--lang must be one of en, fr; found 'de'" in str(error)


def test_what_can_be_written_is_let_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text("old", encoding="utf-8")
    check_writable(None, Path("new.csv"), tmp_path / "there.csv", Path("/dev/stdout"))
    assert (tmp_path / "there.csv").read_text(encoding="utf-8") == "old"
    assert not (tmp_path / "new.csv").exists()
    with pytest.raises(UserError, match="cannot be written: it is a folder"):
        check_writable(tmp_path)
