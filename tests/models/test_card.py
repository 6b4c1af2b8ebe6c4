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

from models.card import METRIC_NAMES, missing_sections, number, sections, to_html, to_markdown
from models.card_blocks import Block, Code, Folded, Paragraph, say, visible
from models.card_words import ENGLISH, METRICS
from models.label import converted
from models.metrics import METRICS as MEASURED
from tests.models.card_data import full, without
from tests.models.card_hostile import HOSTILE, named
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


def blocks(facts: dict[str, Any]) -> list[Block]:
    """Every block of a card, those that are folded away too."""
    found: list[Block] = []
    waiting = [block for one in sections(facts) for block in one.blocks]
    while waiting:
        block = waiting.pop(0)
        found.append(block)
        waiting = [*(block.blocks if isinstance(block, Folded) else ()), *waiting]
    return found


def test_it_opens_with_the_verdict_and_what_it_means() -> None:
    text = to_markdown(full())
    assert text.startswith("# Model card\n\n**Verdict: candidate**: gains log loss +0.0512 against the base rate (95")
    assert section(text, "Model card").splitlines()[2:] == [
        "- Of 100 leads to which it gives 23\u00a0% on average, 24 converted (between 21 and 28, as far as chance "
        "allows to say).",
        "- Calling the first tenth of the list finds 41\u00a0% of the leads that convert: 4.1 times as many as a tenth "
        "drawn at random. With the capacity stated, 150 leads per list, it finds 51\u00a0%.",
        "- On the same leads, its probabilities are better than: base rate, logistic regression, Odoo's naive Bayes, "
        "best single feature, marketing's points, the champion; level with: Odoo's naive Bayes, with the stage.",
        "- On the whole it promised 12.4\u00a0%, and 11.6\u00a0% converted.",
        "- Where to be careful: in 1 of 9 months and in 2 of 9 groups of leads, what happened is not what was "
        "promised.",
        "- All of this rests on 15,360 later snapshots of leads, and on 1,086 leads among them that converted.",
    ]


def test_every_section_has_a_heading() -> None:
    headings = [line.lstrip("# ") for line in to_markdown(full()).split("\n") if line.startswith("#")]
    assert headings == [
        "Model card",
        "What it is for",
        "What it is not for",
        "Who answers for it",
        "What it predicts",
        "Data",
        "Not eligible",
        "Periods of the test",
        "How well it does, on later leads it never saw",
        "Against every baseline, on the same leads",
        "Against the champion",
        "What calling the first leads of the list finds",
        "MadKudu's three targets",
        "Search of parameters",
        "Calibration",
        "Month by month",
        "Group by group",
        "Groups that it could treat worse than others",
        "Leak probes",
        "Features",
        "Left out",
        "Attributes of the company's own, and sensitive columns",
        "How it decides, and who decides",
        "Human oversight",
        "When the night warns or refuses",
        "Limits and caveats",
        "Privacy",
        "What changed since the last version",
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
        ("Data", "Snapshots from 1 January 2024 to 1 January 2025; outcomes known up to 1 February 2025 (UTC)."),
        ("Data", "Every lead that is open is looked at every 30 days."),
        ("Data", "with a gap of 30 days between them"),
        ("Data", "| Training | 1,200 |\n| Calibration | 300 |\n| Test | 15,360 |"),
        ("Data", "| Dropped: the outcome is not known yet | 20 |\n| Dropped: in a gap between two parts | 80 |"),
        ("Data", "Leads that converted in the test: 1,086."),
        ("Data", "Snapshots of 25.0\u00a0% of the leads"),
        ("Not eligible", "| objects to profiling | 3 |"),
        ("Who answers for it", "**Ada Lovelace, head of marketing** answers for this model"),
        ("Who answers for it", "The spring fair is not in the data."),
        ("Periods of the test", "| 2 | 1 April 2026 | 28 May 2026 to 28 June 2026 | 26,200 |"),
        ("Against every baseline, on the same leads", "| **marketing's points** | **better** by 0.0240 (0.0200 to"),
        ("Against every baseline, on the same leads", "mapped to a probability. `visits_30d`"),
        ("Against the champion", "Against version **3**, the champion when this was trained"),
        ("What calling the first leads of the list finds", "150 leads per list, 14.0\u00a0% of it."),
        ("MadKudu's three targets", "| 21.2 **met** | nobody in the lowest band converted: **met** |"),
        ("Calibration", "| from | snapshots | promised before it |"),
        ("Calibration", "In 9 of 10 groups"),
        ("Calibration", "no error can be told from chance"),
        ("Month by month", "| April 2025 | 1,730 | 1,100 | 130 | 12.4\u00a0% | 8.0\u00a0% (6.0\u00a0% to"),
        ("Group by group", "- `source_channel` **paid search**: promises too much (10.2\u00a0% promised, 7.3\u00a0%"),
        ("Group by group", "| **LU** (small) |"),
        ("Groups that it could treat worse than others", "By `country`; why it may decide: Delivery is possible"),
        ("Groups that it could treat worse than others", "ranks worst for **DE** (ROC-AUC 0.792) and best for **FR**"),
        ("Left out", "- no lead has a value for job\\_title: `job_function`, `seniority`"),
        ("Left out", "Never read, by features, training or reports: `full_name`, `email`, `phone`, `company_name`"),
        ("Attributes of the company's own, and sensitive columns", "| `plan` | attribute | read by the model | **no"),
        ("Attributes of the company's own, and sensitive columns", "| `country` | sensitive | not read by the model |"),
        ("How it decides, and who decides", "| Stage sal: for sales to accept or refuse | 15.0\u00a0% |"),
        ("Human oversight", "- A person confirms every disqualification"),
        ("When the night warns or refuses", "| Leads scored, against the run before: at most | 5 times | refused;"),
        ("Privacy", "A lead that objects to profiling"),
        ("What changed since the last version", "- 2 features more: `meetings_7d, plan`\n- 1 features less: `forms`"),
        ("What changed since the last version", "| `label.horizon_days` | 60 | 30 |"),
        ("Model details", "- 525 trees, logistic penalty C = 1.0, calibration: beta"),
        ("Model details", "- Digest of the training data: `0123456789abcdef0123456789abcdef`"),
        ("Model details", "- Digest of the configuration: `feedface`"),
        ("Model details", "- Commit: `5211c8d4bb2ad50a2b9a603123143d206814496f`"),
    ],
)
def test_what_a_reviewer_asks_is_answered(title: str, says: str) -> None:
    assert says in section(to_markdown(full()), title)


_SAID_ANEW = ("for whose use no reason", "sensitive, but not measured", "gains log loss")
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
    whole = [block for block in blocks(full()) if isinstance(block, Paragraph)]
    said = [block for block in blocks(rest) if isinstance(block, Paragraph)]
    # Sentences are left out and none is made up, but for what says that a group, or a reason, is gone.
    assert [block for block in said if block not in whole and not any(s in str(block) for s in _SAID_ANEW)] == []


def test_a_card_of_nothing_says_what_holds_for_every_version_and_that_the_rest_is_missing() -> None:
    found = {one.key: one for one in sections({})}
    assert [key for key in found if key not in missing_sections({})] == [
        *("title", "not_for", "oversight", "limits", "privacy"),
    ]


def test_metrics_stand_beside_those_of_the_baselines() -> None:
    table = next(table for table in markdown_tables(to_markdown(facts())) if table[0][0] == "metric")
    assert table[0] == ["metric", "model", "base rate", "logistic regression"]
    assert table[1] == [METRIC_NAMES["log_loss"], *["0.2500 (0.2000 to 0.3000)"] * 3]
    assert table[-1] == [METRIC_NAMES["calibration_slope"], *["undefined"] * 3]
    unknown = facts() | {"baselines": {"somebody's": facts()["metrics"]}}
    table = next(table for table in markdown_tables(to_markdown(unknown)) if table[0][0] == "metric")
    assert table[0] == ["metric", "model", "somebody's"]


def test_every_metric_that_is_measured_has_a_name_and_a_meaning() -> None:
    assert set(METRIC_NAMES) == set(METRICS) == set(MEASURED)
    assert all(ENGLISH[f"{name}_means"] for name in MEASURED)


def test_features_come_by_weight_and_equal_ones_by_name() -> None:
    made = facts()
    weights = {"b": 1.0, "c": 2.0, "a": 1.0}
    made["features"] = [made["features"][0] | {"name": name, "importance": w} for name, w in weights.items()]
    assert [row[0] for row in features_of(made)] == ["c", "a", "b"]
    made["features"] = [feature | {"importance": 0.0} for feature in made["features"]]
    assert [row[0] for row in features_of(made)] == ["a", "b", "c"]


def features_of(made: dict[str, Any]) -> list[list[str]]:
    """The rows of the table of features."""
    return next(table[1:] for table in markdown_tables(to_markdown(made)) if table[0][0] == "feature")


@pytest.mark.parametrize(
    ("used", "says"),
    [
        (True, "so it is in force. It was decided on the very test"),
        (False, "the parameters that come along stay in force"),
    ],
)
def test_whether_a_search_is_in_force_is_told_and_what_that_was_decided_on(used: bool, says: str) -> None:
    made = full()
    made["tuning"]["used"] = used
    assert says in section(to_markdown(made), "Search of parameters")


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
        ("left_out", {"webinars": "no webinar"}, "Left out", "- no webinar: `webinars`"),
        ("excluded", {}, "Not eligible", "None."),
        (
            "champion",
            None,
            "Against the champion",
            "There was no champion when this was trained: nothing to compare it with.",
        ),
        (
            "champion",
            {"version": None, "why": "none"},
            "Against the champion",
            "There was no champion when this was trained: nothing to compare it with.",
        ),
        (
            "champion",
            {"version": "3", "why": "away"},
            "Against the champion",
            "Version **3** was the champion when this was trained, but its files could not be had: the two were not "
            "compared.",
        ),
        (
            "champion",
            {"version": "3", "why": "label"},
            "Against the champion",
            "Version **3**, the champion when this was trained, predicts another outcome: the two cannot be compared.",
        ),
        (
            "champion",
            {"version": "3", "why": "few"},
            "Against the champion",
            "Version **3** was the champion when this was trained; of the leads that both predicted, too few converted "
            "to compare the two.",
        ),
        (
            "changes",
            None,
            "What changed since the last version",
            "There was no version before this one to compare it with.",
        ),
        ("segment_columns", [], "Group by group", "No column was there by whose values figures could be told."),
        ("owner", " ", "Who answers for it", "owner, in the section \\[card\\] of the settings.**"),
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
    (query,) = [block.text for block in blocks(made) if isinstance(block, Code)]
    recorded = [change for change in changes if change[3] < known.value // 1000]
    snapshots = pd.DataFrame([(lead, as_of) for lead in LEADS_ASKED for as_of in moments], columns=["lead_id", "as_of"])
    mature = snapshots[snapshots["as_of"] + HORIZON_DAYS * DAY <= known.value // 1000].reset_index(drop=True)
    outcome, _ = converted(tables(recorded), mature, target_stage="customer", horizon_days=HORIZON_DAYS)
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
    (query,) = [block.text for block in blocks(made) if isinstance(block, Code)]
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
    rows = next(table[1:] for table in markdown_tables(text) if table[0][0] == "feature")
    assert {row[0] for row in rows} == {visible(f"{name} {i}").strip() for i in range(3)}
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
