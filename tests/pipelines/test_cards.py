"""A version's card is read from verified files only, with the registry away too, and nothing is written on the way."""

import json
import shutil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigError, ReleaseRefused
from pipelines import cards, champion, reviewing
from pipelines.score import cache_of
from pipelines.tracking import Tracking
from tests.pipelines.conftest import NOW, World

Files = st.fixed_dictionaries({name: st.binary(max_size=20) for name in cards.CARD_FILES})


@given(one=Files, other=Files, model=st.binary(max_size=20))
def test_the_digest_is_of_the_card_s_files_and_of_nothing_else(
    one: dict[str, bytes], other: dict[str, bytes], model: bytes
) -> None:
    assert (cards.digest_of(one) == cards.digest_of(other)) == (one == other)
    assert cards.digest_of({**one, "model.txt": model}) == cards.digest_of(one)


def test_bytes_do_not_wander_from_one_file_to_the_next() -> None:
    one = {"card.json": b"ab", "card.md": b"", "card.html": b""}
    assert cards.digest_of(one) != cards.digest_of(one | {"card.json": b"a", "card.md": b"b"})


def away() -> Tracking:
    return Tracking(uri="sqlite:////nowhere/mlflow.db", experiment="leadscore", model_name="leadscore")


def shown(world: World, form: cards.Form, language: str = "en", *, tracking: Tracking | None = None) -> str:
    with world.open(read_only=True) as store:
        tracking = tracking or world.tracking()
        chosen = cards.version_or_candidate(store, tracking, "1")
        card = cards.card_of(tracking, cache_of(world.settings()), chosen)
        return cards.shown(card, reviewing.standing_of(store, card), form=form, language=language)


def everything(world: World) -> list[str]:
    return sorted(str(path) for path in world.folder.rglob("*") if "mlflow.db" not in path.name)


def test_every_form_says_how_the_version_stands(trained: World) -> None:
    before = everything(trained)
    markdown, french, page = shown(trained, "markdown"), shown(trained, "markdown", "fr"), shown(trained, "html")
    plain: dict[str, Any] = json.loads(shown(trained, "json"))
    files = trained.folder / "releases" / str(trained.report.digest)
    # To the letter what was registered, below how it stands.
    assert markdown.endswith((files / "card.md").read_text(encoding="utf-8"))
    assert plain["card"] == json.loads((files / "card.json").read_text(encoding="utf-8"))
    assert markdown.startswith("# Version 1\n")
    assert "Approved by Ada" in markdown
    assert "Approved by" in page
    assert page.startswith("<!DOCTYPE html>")
    assert 'lang="fr"' in shown(trained, "html", "fr")
    assert "Approuvée par Ada" in french
    assert plain["standing"]["approved"] is True
    assert plain["standing"]["card_digest"] in markdown
    assert everything(trained) == before


def test_a_promotion_of_another_release_under_the_same_number_is_not_told(world: World) -> None:
    """As when a registry was begun again, and gave its numbers out anew."""
    with world.open() as store:
        store.change("DELETE FROM promotions")
        (chosen,) = (champion.registered(store, "1"),)
        for digest, why in (("of another release", "theirs"), (chosen.digest, "ours")):
            reason = f"{champion.FORCED} leaks: {why}"
            champion.crown(store, champion.Champion("1", digest), action="promote", reason=reason, now=NOW)
    told = json.loads(shown(world, "json"))["standing"]["forced"]
    assert [forced["reason"] for forced in told] == ["leaks: ours"]


def test_what_a_reviewer_writes_is_text_and_no_markup(world: World) -> None:
    with world.open() as store:
        store.change("UPDATE reviews SET reviewer = '<script>', note = $1", ["[here](javascript:x) \x1b[31m"])
    markdown, page = shown(world, "markdown"), shown(world, "html")
    assert "\\<script\\>" in markdown
    assert "<script>" not in page
    assert "\x1b" not in markdown + page
    assert "](javascript" not in markdown.replace("\\]", "")


def test_with_the_registry_away_the_local_copy_is_read(trained: World) -> None:
    assert shown(trained, "markdown", tracking=away()) == shown(trained, "markdown")


def test_a_damaged_copy_is_not_read_and_not_mended(world: World) -> None:
    usual = shown(world, "markdown")
    copy = world.folder / "releases" / str(world.report.digest) / "card.md"
    copy.write_text("# Very good\n")
    assert shown(world, "markdown") == usual
    assert copy.read_text() == "# Very good\n"
    with pytest.raises(Exception, match="cannot be used"):
        shown(world, "markdown", tracking=away())
    shutil.rmtree(world.folder / "releases")
    assert shown(world, "markdown") == usual
    assert not (world.folder / "releases").exists()


def test_without_a_version_it_is_the_candidate_s(world: World) -> None:
    with world.open() as store:
        assert cards.version_or_candidate(store, world.tracking(), None) == champion.registered(store, "1")
        with pytest.raises(ReleaseRefused, match="There is no candidate"):
            cards.version_or_candidate(store, away(), None)  # it is champion already
        store.change("UPDATE releases SET status = 'candidate'")
        assert cards.version_or_candidate(store, away(), None).version == "1"
        with pytest.raises(ReleaseRefused, match="Version 7 was not registered"):
            cards.version_or_candidate(store, world.tracking(), "7")


def test_a_language_that_there_is_not_is_refused(trained: World) -> None:
    with pytest.raises(ConfigError, match="--lang must be one of en, fr; found 'de'"):
        shown(trained, "markdown", "de")
