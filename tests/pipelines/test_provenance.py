"""The commit is that of this program's repository, and of no other that it may lie within."""

import subprocess
from pathlib import Path

from pipelines.provenance import commit


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_the_commit_and_whether_files_differ(tmp_path: Path) -> None:
    assert commit(tmp_path) is None
    (tmp_path / "file").write_text("one")
    git(tmp_path, "init")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "one")
    clean = commit(tmp_path)
    assert clean is not None
    assert len(clean) == 40
    (tmp_path / "file").write_text("two")
    assert commit(tmp_path) == f"{clean}+"


def test_somebody_else_s_repository_says_nothing_of_a_program_inside_it(tmp_path: Path) -> None:
    inside = tmp_path / "lib" / "leadscore"
    inside.mkdir(parents=True)
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "theirs")
    assert commit(tmp_path) is not None
    assert commit(inside) is None
