"""The card says what was measured and nothing else, in Markdown that renders whatever columns are called."""

from functools import cache
from itertools import pairwise
from string import Formatter
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from models.card import METRIC_NAMES, number, sections, to_html, to_markdown
from models.card_blocks import Code, Paragraph, say, visible
from models.card_words import ENGLISH, METRICS
from models.label import converted
from models.metrics import METRICS as MEASURED
from tests.models.card_data import HOSTILE, full, named, without
from tests.models.data import DAY, HORIZON_DAYS, facts, few_examples
from tests.models.test_label import CHANGES, LEADS_ASKED, MOMENTS, Change, tables

#: As wide as card readers go: tables, strikethrough, bare links and HTML are all understood.
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def inline(text: str) -> list[Token]:
    return [piece for token in READER.parse(text) for piece in token.children or []]


def markdown_tables(text: str) -> list[list[list[str]]]:
    """The cells of each table, its head first, as a reader shows them."""
    found: list[list[list[str]]] = []
    tokens = READER.parse(text)
    for before, token in pairwise(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and before.type in ("td_open", "th_open"):
            found[-1][-1].append(shown(token))
    return found


def shown(token: Token) -> str:
    return "".join(piece.content for piece in token.children or [])


def section(text: str, title: str) -> str:
    return text.split(f"# {title}\n\n", 1)[1].split("\n#", 1)[0].strip()


def test_it_opens_with_the_verdict_and_names_every_section() -> None:
    text = to_markdown(facts())
    assert text.startswith("# Model card\n\n**Verdict: candidate**: gains log loss 0.05 against the base rate.\n")
    headings = [line.lstrip("# ") for line in text.split("\n") if line.startswith("#")]
    assert headings == [
        "Model card",
        "What it is for",
        "What it is not for",
        "What it predicts",
        "Data",
        "Not eligible",
        "How well it does, on later leads it never saw",
        "Calibration",
        "Leak probes",
        "Limits and caveats",
        "Privacy",
        "Features",
        "Left out",
        "Model details",
    ]


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("What it is for", "the stage **customer** within 30 days"),
        ("What it is not for", "- Judging job applicants"),
        ("What it is not for", "- Credit, insurance"),
        ("What it is not for", "- Refusing a contract"),
        ("What it predicts", "first enters the stage **customer** at that moment or within the 30 days after it"),
        ("What it predicts", "c.stage = 'customer'"),
        ("Data", "Snapshots from 2024-01-01 00:00 to 2025-01-01 00:00; outcomes known up to 2025-02-01 00:00 (UTC)."),
        ("Data", "with a gap of 30 days between them"),
        ("Data", "| Training | 1,200 |\n| Calibration | 300 |\n| Test | 500 |"),
        ("Data", "| Dropped: the outcome is not known yet | 20 |\n| Dropped: in a gap between two parts | 80 |"),
        ("Not eligible", "| objects to profiling | 3 |"),
        ("Calibration", "In 1 of 1 groups"),
        ("Privacy", "A lead that objects to profiling"),
        ("Model details", "- 150 trees\n- Digest of the training data: `0123456789abcdef0123456789abcdef`"),
    ],
)
def test_what_a_reviewer_asks_is_answered(title: str, says: str) -> None:
    assert says in section(to_markdown(facts()), title)


def test_every_fact_that_training_may_add_is_said() -> None:
    text = to_markdown(full())
    assert "Leads that converted in the test: 1,234." in text
    assert "Snapshots of 25.0 % of the leads" in text
    assert "Digest of the configuration: `feedface`" in text
    assert ["behavioural", "1", "0.900"] in markdown_tables(text)[-2]


PATHS = [(key,) for key in full()] + [
    (key, inner) for key in ("label", "data", "snapshots", "metrics", "baselines") for inner in full()[key]
]


@few_examples
@given(st.sets(st.sampled_from(PATHS)))
def test_what_was_not_measured_is_not_said(gone: set[tuple[str, ...]]) -> None:
    rest = without(full(), gone)
    for text in (to_markdown(rest), to_html(rest)):
        assert "None" not in text.replace("None.", "")
        assert "{" not in text.partition("</style>")[2]
        assert "\n\n\n" not in text
    whole = [block for one in sections(full()) for block in one.blocks if isinstance(block, Paragraph)]
    said = [block for one in sections(rest) for block in one.blocks if isinstance(block, Paragraph)]
    assert [block for block in whole if block in said] == said  # sentences are left out, none is made up


def test_a_card_of_nothing_says_what_holds_for_every_version() -> None:
    assert [one.key for one in sections({})] == ["not_for", "limits", "privacy", "details"]


def test_metrics_stand_beside_those_of_the_baselines() -> None:
    table = markdown_tables(to_markdown(facts()))[2]
    assert table[0] == ["metric", "model", "base rate", "logistic regression"]
    assert table[1] == [METRIC_NAMES["log_loss"], *["0.2500 (0.2000 to 0.3000)"] * 3]
    assert table[-1] == [METRIC_NAMES["calibration_slope"], *["undefined"] * 3]
    unknown = facts() | {"baselines": {"points": facts()["metrics"]}}
    assert markdown_tables(to_markdown(unknown))[2][0] == ["metric", "model", "points"]


def test_every_metric_that_is_measured_has_a_name_and_a_meaning() -> None:
    assert set(METRIC_NAMES) == set(METRICS) == set(MEASURED)
    assert all(ENGLISH[f"{name}_means"] for name in MEASURED)


def test_features_come_by_weight_and_equal_ones_by_name() -> None:
    made = facts()
    weights = {"b": 1.0, "c": 2.0, "a": 1.0}
    made["features"] = [made["features"][0] | {"name": name, "importance": w} for name, w in weights.items()]
    assert [row[0] for row in markdown_tables(to_markdown(made))[-1][1:]] == ["c", "a", "b"]
    made["features"] = [feature | {"importance": 0.0} for feature in made["features"]]
    assert [row[0] for row in markdown_tables(to_markdown(made))[-1][1:]] == ["a", "b", "c"]


def test_leaks_are_told_one_by_one() -> None:
    leak = {"column": "duration", "sentence": "Column 'duration' knows the outcome."}
    text = to_markdown(facts() | {"leaks": [leak, leak | {"column": "invoice"}]})
    assert section(text, "Leak probes").endswith(
        "- `duration`: Column 'duration' knows the outcome.\n- `invoice`: Column 'duration' knows the outcome."
    )


@pytest.mark.parametrize(
    ("key", "value", "title", "says"),
    [
        ("leaks", [], "Leak probes", "Nothing found."),
        ("left_out", {}, "Left out", "None."),
        ("left_out", {"webinars": "no webinar"}, "Left out", "- `webinars`: no webinar"),
    ],
)
def test_what_is_empty_says_so(key: str, value: Any, title: str, says: str) -> None:
    assert section(to_markdown(facts() | {key: value}), title).endswith(says)


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One for all examples, and one that asks the network for nothing: without its calendar it reckons in UTC."""
    return duckdb.connect(config={"threads": 1, "autoload_known_extensions": False})


@few_examples
@given(CHANGES, st.lists(MOMENTS, min_size=1, max_size=3, unique=True), MOMENTS)
def test_the_query_of_the_label_gives_the_label(changes: list[Change], moments: list[int], until: int) -> None:
    """Who runs it on the store finds the outcomes that were learned from."""
    made = facts()
    known = pd.Timestamp(until // 1_000_000 * 1_000_000, unit="us", tz="UTC")
    made["data"]["known_until"] = known.isoformat()
    (query,) = [block.text for one in sections(made) for block in one.blocks if isinstance(block, Code)]
    recorded = [change for change in changes if change[3] < known.value // 1000]
    snapshots = pd.DataFrame([(lead, as_of) for lead in LEADS_ASKED for as_of in moments], columns=["lead_id", "as_of"])
    mature = snapshots[snapshots["as_of"] + HORIZON_DAYS * DAY <= known.value // 1000].reset_index(drop=True)
    outcome = converted(tables(recorded), mature, target_stage="customer", horizon_days=HORIZON_DAYS)
    store = database()
    store.execute("CREATE OR REPLACE TABLE snapshots (lead_id TEXT, as_of TIMESTAMPTZ)")
    store.execute(
        "CREATE OR REPLACE TABLE stage_changes (lead_id TEXT, stage TEXT, entered_at TIMESTAMPTZ, known_at TIMESTAMPTZ)"
    )
    rows = snapshots.astype(object).to_numpy().tolist()
    store.executemany("INSERT INTO snapshots VALUES (?, make_timestamptz(?::BIGINT))", rows)
    if changes:
        insert = "INSERT INTO stage_changes VALUES (?, ?, make_timestamptz(?::BIGINT), make_timestamptz(?::BIGINT))"
        store.executemany(insert, changes)
    found = store.execute(f"SELECT lead_id, epoch_us(as_of), converted::INT FROM ({query})").fetchall()
    expected = zip(mature["lead_id"], mature["as_of"], outcome.tolist(), strict=True)
    assert sorted(found) == sorted(expected)


def test_a_stage_named_to_end_the_query_does_not() -> None:
    made = facts()
    made["label"]["target_stage"] = "x'; DROP TABLE leads; --\n```"
    (query,) = [block.text for one in sections(made) for block in one.blocks if isinstance(block, Code)]
    assert len(duckdb.extract_statements(query)) == 1
    fences = [token.content for token in READER.parse(to_markdown(made)) if token.type == "fence"]
    assert fences == [query + "\n"]


def hostile_names() -> st.SearchStrategy[str]:
    return st.sampled_from(HOSTILE) | st.text(min_size=1).filter(str.strip)


@few_examples
@given(st.lists(hostile_names(), min_size=12, max_size=12, unique_by=visible))
def test_no_name_becomes_markup(names: list[str]) -> None:
    text, plain = to_markdown(named(names)), to_markdown(named([f"name{i}" for i in range(12)]))
    assert [(t.type, t.tag, t.attrs) for t in READER.parse(text)] == [
        (t.type, t.tag, t.attrs) for t in READER.parse(plain)
    ]
    kinds = {token.type for token in inline(text)}
    assert kinds <= {"text", "code_inline", "strong_open", "strong_close"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    text = to_markdown(named([f"{name} {i}" for i in range(12)]))
    first = {row[0] for row in markdown_tables(text)[-1][1:]}
    assert first == {visible(f"{name} {i}").strip() for i in range(3)}
    assert all(ord(c) >= 32 or c == "\n" for c in text)


def test_readers_make_no_link_of_an_address_by_themselves() -> None:
    text = to_markdown(facts() | {"notes": ["see HTTP://example.invalid/ or WWW.example.invalid"]})
    assert "see HTTP\\://example.invalid/ or WWW\\.example.invalid" in text


@given(st.text())
def test_what_cannot_be_seen_is_spelled_out(text: str) -> None:
    made = visible(text)
    assert made.encode().decode() == made  # no half characters
    assert not set(made) & set("\n\r\t\x00\x1b\u202e\u200f\u2066\ufeff")
    assert visible(made) == made


def test_another_language_is_another_mapping() -> None:
    """Every word is one of `card_words`: with these gone, no letters are left but in names, numbers and the query."""
    digits = named([str(i) for i in range(12)]) | {"verdict": "12"}
    digits["data"] |= {"digest": "13", "config_digest": "14"}

    def crossed_out(template: str) -> str:
        parts = Formatter().parse(template)
        return "".join(
            "".join("x" if c.isalpha() else c for c in t) + (f"{{{f}}}" if f else "") for t, f, _, _ in parts
        )

    foreign = {key: crossed_out(template) for key, template in ENGLISH.items()}
    left = "".join(piece.content for piece in inline(to_markdown(digits, words=foreign)))
    assert {c for c in left if c.isalpha()} == {"x"}


def test_a_sentence_without_its_facts_is_not_said() -> None:
    assert say("{a} of {b}", a=1, b=None) == ()
    assert say("{a} of {b}", a=0, b=2) == ("0", " of ", "2")


@pytest.mark.parametrize(
    ("value", "text"), [(None, "undefined"), (0.0, "0.0000"), (-0.12345, "-0.1235"), (3, "3.0000")]
)
def test_figures_have_four_digits(value: float | None, text: str) -> None:
    assert number(value) == text
    assert number(0.5, digits=1) == "0.5"
