"""The model card of a registered version: its verified files, their digest, and how it is shown to a reviewer."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from features.errors import ConfigError, RegistryUnreachable, ReleaseRefused
from models import card as writing
from models.card_blocks import Section
from models.card_markdown import render
from models.card_summary import stands
from pipelines import champion, release
from pipelines.champion import Champion
from pipelines.release_cache import ReleaseCache
from pipelines.store import LeadStore
from pipelines.tracking import CANDIDATE, Tracking

#: What a reviewer signs: the card as it was registered. What is shown in another language is made anew from card.json,
#: by the words of the program at hand.
CARD_FILES: Final = ("card.json", "card.md", "card.html")

#: Of a digest, so many digits at least say which card is meant.
_DIGITS: Final = 12

Form = Literal["markdown", "html", "json"]
_FORMS: Final[Mapping[str, Form]] = {".md": "markdown", ".html": "html", ".htm": "html", ".json": "json"}


@dataclass(frozen=True)
class Card:
    """The card of a version, each of its files exactly as it was registered."""

    version: str
    facts: Mapping[str, Any]
    text: str
    """Markdown, in English: what the version was registered with."""
    digest: str

    def is_called(self, digest: str) -> bool:
        """Whether this is the digest's card; its first digits are enough, from 12 on.

        >>> card = Card("1", {}, "", "c0ffee" * 10)
        >>> card.is_called("c0ffee" * 2), card.is_called("c0ffee"), card.is_called("0ff" * 5)
        (True, False, False)
        """
        return len(digest) >= _DIGITS and self.digest.startswith(digest)

    @property
    def missing(self) -> list[str]:
        """The titles of the sections behind which nothing was measured."""
        return [writing.words_of("en")[key] for key in writing.missing_sections(self.facts)]


def digest_of(files: Mapping[str, bytes]) -> str:
    """The card's digest: SHA-256 of its files, each behind its name and size.

    >>> digest_of({"card.json": b"{}", "card.md": b"# Card", "card.html": b"<p>Card", "model.txt": b"tree"})[:12]
    '690e483cbe82'
    """
    together = hashlib.sha256()
    for name in CARD_FILES:
        together.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return together.hexdigest()


def read(version: str, files: Mapping[str, bytes]) -> Card:
    """The card among a release's files, which have been verified."""
    return Card(version, json.loads(files["card.json"]), files["card.md"].decode(), digest_of(files))


def card_of(tracking: Tracking, cache: ReleaseCache, chosen: Champion) -> Card:
    """The card of a registered version, from the local copy or else from the registry; nothing is written.

    Raises
    ------
    ReleaseRefused
        Neither has the files that were registered.
    RegistryUnreachable
    """
    copy = cache.folder / chosen.digest
    if copy.is_dir():
        try:
            return read(chosen.version, release.verified(copy, digest=chosen.digest))
        except ReleaseRefused:  # a damaged copy: the registry may have the right one
            pass
    folder = tracking.download(chosen.version)
    try:
        return read(chosen.version, release.verified(folder, digest=chosen.digest))
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


def version_or_candidate(store: LeadStore, tracking: Tracking, version: str | None) -> Champion:
    """The version that is named, or else the candidate: the registry's, or with that away the store's newest.

    Raises
    ------
    ReleaseRefused
        There is none, or it was not registered from this store.
    """
    if version is None:
        try:
            version = tracking.version_of(CANDIDATE)
        except RegistryUnreachable:
            newest = "SELECT model_version FROM releases WHERE status = 'candidate' ORDER BY registered_at DESC LIMIT 1"
            version = next((str(found) for (found,) in store.rows(newest)), None)
    if version is None:
        raise ReleaseRefused("There is no candidate. Train one, or name a version: 'leadscore status' lists them.")
    return champion.registered(store, version)


def form_of(asked: str | None, out: Path | None) -> Form:
    """The form that is asked for, or else the one that a file's ending says, or else Markdown.

    >>> form_of(None, Path("card.html")), form_of(None, None)
    ('html', 'markdown')
    >>> form_of("pdf", None)
    Traceback (most recent call last):
    ...
    features.errors.ConfigError: --format must be one of markdown, html, json; found 'pdf'.
    """
    forms = list(dict.fromkeys(_FORMS.values()))
    if asked is not None and asked not in forms:
        raise ConfigError(f"--format must be one of {', '.join(forms)}; found {asked!r}.")
    if asked is None:
        return _FORMS.get(out.suffix.lower(), "markdown") if out is not None else "markdown"
    return next(form for form in forms if form == asked)


def shown(card: Card, standing: Mapping[str, Any], *, form: Form, language: str) -> str:
    """The card for people or programs, behind how the version stands now.

    Parameters
    ----------
    standing : see `reviewing.standing_of`
    language : en or fr; the words of a program are English

    Raises
    ------
    ConfigError
        There is no card in that language.
    """
    if language not in writing.languages():
        raise ConfigError(f"--lang must be one of {', '.join(writing.languages())}; found {language!r}.")
    if form == "json":
        return json.dumps({"standing": standing, "card": card.facts}, ensure_ascii=False, indent=2) + "\n"
    words = writing.words_of(language)
    if form == "html":
        return writing.to_html(card.facts, words=words, standing=standing)
    # In English it is shown to the letter as it was registered, for that is what is signed.
    text = card.text if language == "en" else writing.to_markdown(card.facts, words=words)
    above = tuple(stands(standing, writing.voice_of(words)))
    return render([Section("standing", f"Version {card.version}", above, 1)]) + "\n" + text
