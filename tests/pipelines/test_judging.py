"""What is bad on purpose does not come through the gate, and changes nothing; what a person forces stays visible."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from features.errors import ReleaseRefused
from models.bundle import Release
from models.card import to_markdown
from models.gate import Check, refused
from pipelines import cards, champion, failpoints, out_of_time, release
from pipelines.__main__ import main
from pipelines.judging import Judged
from pipelines.promote import Promotion, promote, rollback
from pipelines.release_cache import ReleaseCache
from pipelines.score import cache_of
from pipelines.store import LeadStore
from tests.models.card_data import full
from tests.models.test_gate import WORSE, good, interval
from tests.pipelines.conftest import NOW, SMALL, World, second_version
from tests.promises import Registry
from tests.signed import sign
from tests.stores import memory_store


def proven() -> dict[str, Any]:
    """The facts of a complete card that passes every check."""
    facts = full()
    for key, found in good().items():
        facts[key] = facts.get(key, {}) | found if isinstance(found, dict) else found
    facts["differences"] = {name: good()["differences"]["base_rate"] for name in full()["baselines"]}
    return facts


@dataclass
class Bench:
    """A store in memory and a registry of folders; releases that differ in what was measured of them."""

    world: World
    folder: Path
    store: LeadStore
    first: Release
    registry: Registry = field(default_factory=lambda: Registry({}))

    def register(self, facts: Mapping[str, Any], *, signed: bool = True) -> str:
        """Register the trained release under another card; its version."""
        version = str(len(self.registry.folders) + 1)
        self.registry.folders[version] = folder = self.folder / version
        folder.mkdir()
        digest = release.write(replace(self.first, card=facts, card_text=to_markdown(facts), card_page=""), folder)
        self.store.change(
            "INSERT INTO releases (model_version, digest, status, registered_at, facts) VALUES ($1, $2, 'candidate', "
            "$3, '')",
            [version, digest, NOW],
        )
        if signed:
            sign(self.store, version, cards.digest_of(release.verified(folder, digest=digest)), now=NOW)
        return version

    def foretell(self, version: str, *, knows: float, leads: int = 1500) -> None:
        """Give a version predictions on later leads that know so much of what decides; the rest is noise of its own."""
        random, own = np.random.default_rng(0), np.random.default_rng(int(version))
        z = random.normal(size=leads)
        rows = pd.DataFrame(
            {
                "lead_id": [f"lead {n}" for n in range(leads)],
                "as_of": np.int64(1_750_000_000_000_000),
                "probability": expit(knows * z + (1 - knows) * own.normal(size=leads) - 1),
                "converted": random.random(leads) < expit(z - 1),
            }
        )
        assert out_of_time.remember(self.store, champion.registered(self.store, version).digest, rows) == leads

    def promote(self, version: str, **given: Any) -> Promotion:
        cache, settings = ReleaseCache(self.folder / "cache"), self.world.settings()
        return promote(self.store, self.registry, cache, settings, version=version, now=NOW, **given)  # type: ignore[arg-type]

    def checks(self, version: str) -> list[Check]:
        told: list[Check] = []

        def tell(judged: Judged) -> None:
            told.extend(judged.checks)

        try:
            self.promote(version, dry_run=True, tell=tell)
        except ReleaseRefused:
            assert refused(told)
        else:
            assert not refused(told)
        return told


@pytest.fixture(scope="module")
def first(trained: World) -> Release:
    found = cache_of(trained.settings()).load(str(trained.report.digest))
    assert found is not None
    return found


@pytest.fixture
def bench(trained: World, first: Release, tmp_path: Path) -> Iterator[Bench]:
    with memory_store() as store:
        yield Bench(trained, tmp_path, store, first)


def test_a_good_version_that_was_approved_is_let_through(bench: Bench) -> None:
    version = bench.register(proven())
    assert bench.promote(version) == Promotion("1", None, champion.registered(bench.store, "1").digest)
    assert bench.store.rows("SELECT model_version, reason FROM promotions") == [("1", "promoted")]


LEAK = {"column": "duration", "sentence": "It knows the outcome."}
BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "too little data": (lambda f: f["snapshots"].update(converted_in_test=20), "enough data"),
    "no skill": (lambda f: f["differences"].update(base_rate=WORSE), "skill"),
    "worse than a baseline": (lambda f: f["differences"].update(logistic=WORSE), "against logistic"),
    "miscalibrated": (lambda f: f["metrics"].update(calibration_slope=interval(0.5, 0.4, 0.6)), "calibration slope"),
    "leaked": (lambda f: f["leaks"].append(LEAK), "leaks"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_version_made_bad_is_refused_unless_a_person_says_why(bench: Bench, how: str) -> None:
    facts = proven()
    change, name = BAD[how]
    change(facts)
    version = bench.register(facts)
    before = everything(bench.store)
    with pytest.raises(ReleaseRefused, match=f"Version 1 was not promoted, and nothing was changed. {name}: .*--force"):
        bench.promote(version)
    assert everything(bench.store) == before
    done = bench.promote(version, force_reason="there is no other")
    assert done.forced == [name]
    assert bench.store.rows("SELECT reason FROM promotions") == [(f"forced past {name}: there is no other",)]


def test_a_card_with_a_section_missing_is_refused_whatever_the_reason(bench: Bench) -> None:
    version = bench.register({key: value for key, value in proven().items() if key != "segments"})
    with pytest.raises(ReleaseRefused, match=r"card complete: Nothing was measured for: .+\. A card"):
        bench.promote(version, force_reason="there is no other")
    assert champion.champion_of(bench.store) is None


@pytest.mark.parametrize(
    ("knows", "state", "said"), [(1.0, "pass", "Better"), (0.5, "pass", "No worse"), (0.2, "refuse", "Worse")]
)
def test_a_candidate_is_held_against_the_champion_of_now(bench: Bench, knows: float, state: str, said: str) -> None:
    champion_, candidate = bench.register(proven()), bench.register(proven() | {"note": "another"})
    bench.promote(champion_)
    bench.foretell(champion_, knows=0.5)
    if knows == 0.5:  # the same to the letter
        bench.store.change(
            "INSERT INTO out_of_time SELECT $1, lead_id, as_of, probability, converted FROM out_of_time",
            [champion.registered(bench.store, candidate).digest],
        )
    else:
        bench.foretell(candidate, knows=knows)
    (row,) = [check for check in bench.checks(candidate) if check.name == "champion"]
    assert row.state == state
    assert row.sentence.startswith(said)
    if state == "refuse":
        with pytest.raises(ReleaseRefused, match="champion: Worse"):
            bench.promote(candidate)
        assert champion.champion_of(bench.store) == champion.registered(bench.store, champion_)
    else:
        assert bench.promote(candidate).before == champion_


def test_where_nothing_is_in_common_it_cannot_be_told_and_a_person_must_say_why(bench: Bench) -> None:
    bench.promote(bench.register(proven() | {"note": "one"}))
    version = bench.register(proven() | {"note": "another"})
    (row,) = [check for check in bench.checks(version) if check.name == "champion"]
    assert (row.state, row.value, row.forcible) == ("refuse", "cannot be told", True)
    with pytest.raises(ReleaseRefused, match="champion: Of the leads that both"):
        bench.promote(version)


def test_what_was_foretold_of_leads_that_object_by_now_is_not_recalled(bench: Bench) -> None:
    version = bench.register(proven())
    bench.foretell(version, knows=0.5, leads=100)
    bench.store.change("INSERT INTO objections VALUES ('lead 7', $1)", [NOW])
    leads = out_of_time.recall(bench.store, champion.registered(bench.store, version).digest)["lead_id"]
    assert sorted(leads) == sorted(f"lead {n}" for n in range(100) if n != 7)


def test_limits_that_were_changed_since_the_training_must_be_forced(bench: Bench) -> None:
    facts = proven()
    facts["settings"] |= {"gate.least_converted": 500}
    version = bench.register(facts)
    with pytest.raises(ReleaseRefused, match=r"limits set beforehand: .*least_converted was 500, and is 50"):
        bench.promote(version)
    assert bench.promote(version, force_reason="500 was a slip").forced == ["limits set beforehand"]


def test_what_was_reviewed_or_promoted_in_between_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the gate and the commit."""
    versions = [bench.register(proven() | {"note": str(n)}) for n in range(3)]

    def refuse() -> None:
        bench.store.change(
            "INSERT INTO reviews SELECT 9, model_version, card_digest, 'refused', 'Bob', 'no', reviewed_at "
            "FROM reviews WHERE number = 1"
        )

    def crown() -> None:
        other = champion.registered(bench.store, versions[1])
        champion.crown(bench.store, other, action="promote", reason="", now=NOW)

    def register() -> None:
        bench.store.change("UPDATE releases SET digest = 'another' WHERE model_version = $1", [versions[2]])

    for version, meanwhile in ((versions[0], refuse), (versions[2], crown), (versions[2], register)):

        def at(name: str, meanwhile: Callable[[], None] = meanwhile) -> None:
            if name == "promote: after the gate":
                meanwhile()

        monkeypatch.setattr(failpoints, "HOOK", [at])
        with pytest.raises(ReleaseRefused, match="another program registered, reviewed or promoted"):
            bench.promote(version, force_reason="nothing in common")
    assert bench.store.rows("SELECT model_version FROM promotions") == [(versions[1],)]


def test_a_rollback_does_not_take_back_what_was_promoted_in_between(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [bench.register(proven() | {"note": str(n)}) for n in range(3)]
    for version in versions[:2]:
        bench.promote(version, force_reason="nothing in common")

    def has(*_: object) -> bool:
        bench.promote(versions[2], force_reason="nothing in common")
        return True

    monkeypatch.setattr(ReleaseCache, "has", has)
    with pytest.raises(ReleaseRefused, match="another became champion"):
        rollback(bench.store, bench.registry, ReleaseCache(bench.folder), reason="it was wrong", now=NOW)  # type: ignore[arg-type]
    assert bench.store.rows("SELECT status FROM releases ORDER BY 1") == [("champion",), ("retired",), ("retired",)]


# Through the command line, on both engines ---------------------------------------------------------------------------


def everything(store: LeadStore) -> list[Any]:
    return [
        store.rows(query)
        for query in (
            "SELECT model_version, digest, status, checked_at IS NULL FROM releases ORDER BY 1",
            "SELECT number, model_version, reason FROM promotions ORDER BY 1",
            "SELECT number, decision FROM reviews ORDER BY 1",
        )
    ]


@dataclass
class Shell:
    """The command line, in the folder of a trained store with a second version that nobody has reviewed."""

    world: World
    second: str
    run: Callable[..., tuple[int, str, str]]

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What a command prints on both streams; it must end with this exit code."""
        found, out, said = self.run(*arguments)
        assert found == code, out + said
        return out + said

    def json(self, *arguments: str, code: int = 0) -> Any:
        found, out, said = self.run(*arguments, "--json")
        assert found == code, out + said
        return json.loads(out)

    def state(self) -> list[Any]:
        with self.world.open(read_only=True) as store:
            return everything(store)


@pytest.fixture
def shell(world_on: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    world = world_on
    monkeypatch.chdir(world.folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", world.settings().tracking.uri)
    monkeypatch.setenv("LEADSCORE_STORE", world.url)
    text = "".join(f"[{key.partition('.')[0]}]\n{key.partition('.')[2]} = {value}\n" for key, value in SMALL.items())
    Path("leadscore.toml").write_text(text + f'[release]\ncache = "{world.folder}/releases"\n', encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["leadscore", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return Shell(world, second_version(world), run)


APPROVE = ("--approve", "--by", "Ada", "--note", "read it all")
FORCE = ("--force", "--reason", "there is no other")


def test_from_a_card_to_a_champion(shell: Shell) -> None:
    second, before = shell.second, shell.state()
    # Nobody has read it: whatever the reason, it does not score.
    for how in ((), FORCE):
        said = shell("promote", second, *how, code=12)
        assert f"leadscore review {second} --approve --by NAME --note TEXT" in said
    assert "card approved" in said
    assert shell.state() == before
    # Read, refused, and the reviewer's words come back.
    assert "This is the card" not in shell("card", second)
    assert f"Version {second}, card" in shell("review", second, "--refuse", "--by", "Ada", "--note", "too few leads")
    assert "Refused by Ada" in shell("promote", second, *FORCE, code=12)
    # Approved by another; what was measured may still refuse, and be forced.
    assert f"Next: leadscore promote {second}" in shell(
        "review", second, "--approve", "--by", "Bob", "--note", "it will do"
    )
    would = shell.json("promote", second, "--dry-run", *FORCE)
    assert (would["promoted"], would["before"], would["version"]) == (False, "1", second)
    before = shell.state()
    done = shell.json("promote", second, *FORCE)
    assert (done["promoted"], done["version"], done["before"]) == (True, second, "1")
    assert {check["state"] for check in done["checks"]} <= {"pass", "warn", "refuse"}
    assert done["forced"] == [check["name"] for check in done["checks"] if check["state"] == "refuse"]
    assert shell.state() != before
    if done["forced"]:
        text = shell("card", second)
        assert f"{', '.join(done['forced'])}: there is no other" in text
        status = shell.json("status")
        assert status["runs"][0]["flags"] == ["forced_past_the_gate"]
    # It is champion already: only its files are looked at, and nothing is promoted again.
    before = shell.state()
    again = shell.json("promote", second)
    assert [check["name"] for check in again["checks"]] == ["files as registered"]
    assert shell.state()[1:] == before[1:]
    listed = shell.json("reviews")
    assert [(r["version"], r["decision"], r["reviewer"], r["stands"]) for r in listed] == [
        (second, "approved", "Bob", True), (second, "refused", "Ada", False), ("1", "approved", "Ada", True),
    ]  # fmt: skip
    assert [r["number"] for r in shell.json("reviews", second)] == [3, 2]


def test_a_card_that_was_edited_after_its_review_loses_its_approval(shell: Shell) -> None:
    """In the registry: files that are not those registered are never used, and no reason helps."""
    second = shell.second
    shell("review", second, *APPROVE)
    texts = [file for file in (shell.world.folder / "mlruns").rglob("card.md") if "Version 2." in file.read_text()]
    for file in texts:
        file.write_text(file.read_text() + "\nAnd it is very good.\n")
    assert texts
    before = shell.state()
    found = shell.json("promote", second, *FORCE, code=12)
    assert found["promoted"] is False
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert states == {"card approved": "pass", "card as reviewed": "refuse", "files as registered": "refuse"}
    assert "card.md is not the file that was registered" in shell("promote", second, *FORCE, code=12)
    assert "is not what was registered" in shell("review", second, *APPROVE, code=12)
    assert "is not what was registered" in shell("card", second, code=12)
    assert shell.state() == before


def test_a_version_that_was_registered_anew_must_be_reviewed_anew(shell: Shell) -> None:
    """As when a registry was begun again: the number is the same, the card is not."""
    second = shell.second
    shell("review", second, *APPROVE)
    with shell.world.open() as store:
        store.change("UPDATE reviews SET card_digest = 'of another card' WHERE model_version = $1", [second])
    assert "Another card was reviewed" in shell("promote", second, *FORCE, code=12)
    (listed,) = shell.json("reviews", second)
    assert (listed["stands"], listed["why"]) == (False, "the card is another one now")
    assert "Edited since the review" in shell("card", second)
    shell("review", second, *APPROVE)
    assert shell.json("promote", second, *FORCE)["version"] == second


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["promote", "1", "--force"], "--force and --reason go together"),
        (["promote", "1", "--reason", "why"], "--force and --reason go together"),
        (["promote", "1", "--force", "--reason", " "], "--reason is empty"),
        (["review", "1", "--by", "Ada", "--note", "x"], "give --approve or --refuse"),
        (["review", "1", "--approve", "--by", " ", "--note", "x"], "--by is empty"),
        (["review", "1", "--approve", "--by", "Ada"], "--note"),
        (["card", "1", "--format", "pdf"], "--format must be one of markdown, html, json"),
        (["card", "1", "--lang", "de"], "--lang must be one of en, fr"),
    ],
)
def test_what_is_asked_wrongly_is_a_matter_of_usage(
    trained: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(trained.folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", trained.settings().tracking.uri)
    monkeypatch.setenv("LEADSCORE_STORE", trained.url)
    monkeypatch.setattr(sys, "argv", ["leadscore", *arguments])
    with trained.open(read_only=True) as store:
        before = everything(store)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in " ".join(capsys.readouterr().err.split())
    with trained.open(read_only=True) as store:
        assert everything(store) == before
