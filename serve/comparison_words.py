"""The words of a comparison's page, in English, and of every language by its code."""

from collections.abc import Mapping
from typing import Final

from serve.comparison_words_french import FRENCH

Words = Mapping[str, str]

ENGLISH: Final[Words] = {
    "language": "English",
    "decimal": ".",
    "thousands": ",",
    "money": "{amount} {currency}",
    "percent": "{number} %",
    "range": "{low} to {high}",
    # the contestants: in a sentence, at its beginning, finding something, and in short
    "the_model": "the model",
    "the_points": "the points",
    "the_version": "version {name}",
    "find_model": "the model finds",
    "find_points": "the points find",
    "find_version": "version {name} finds",
    "short_model": "Model",
    "short_points": "Points",
    "short_version": "Version {name}",
    # the verdict
    "verdict_better": "When the first {share} % of each list are called, {find_a} {a} of 100 conversions and {find_b} "
    "{b}: {difference} more of every 100 (95 % interval: {low} to {high}). {Name_a} is better.",
    "verdict_worse": "When the first {share} % of each list are called, {find_a} {a} of 100 conversions and {find_b} "
    "{b}: {difference} fewer of every 100 (95 % interval: {low} to {high}). {Name_a} is worse.",
    "verdict_level": "When the first {share} % of each list are called, {find_a} {a} of 100 conversions and {find_b} "
    "{b}. Chance alone can make such a difference (95 % interval: {low} to {high} of every 100). The two are level.",
    "verdict_value": "In money, that is {value} for the same calls on all lists from {first} to {last}, each customer "
    "counted once (95 % interval: {low} to {high}).",
    "day": "%Y-%m-%d",
    "more": "{number} more",
    "fewer": "{number} fewer",
    "better": "better",
    "level": "level",
    "worse": "worse",
    "undecided": "too few to say",
    # the head
    "title": "{a} or {b}: who finds more customers?",
    "seen": "Judged on {snapshots} snapshots of {leads} leads, from {first} to {last}, of which {converted} converted "
    "({stage}, horizon of {days} d). Each was foretold by what was known before it.",
    "no_script": "This page draws its figures with a script that your browser does not run. The verdict above holds.",
    # the capacity
    "capacity": "The same calls: who finds more?",
    "capacity_how": "Move the line to the share of each list that sales can call. The figures under it follow.",
    "capacity_label": "Share of each list that is called",
    "capacity_now": "The first {share} of each list, about {leads} leads per {per}",
    "per_night": "night",
    "per_month": "month",
    "capacity_back": "Back to sales' capacity ({share})",
    "capacity_back_usual": "Back to {share}",
    "capacity_usual": "Nobody has told how many leads sales can call, so 10 % is shown ([evaluation] "
    "capacity_leads, or [economics] touches_per_day).",
    "show": "Show",
    "show_captured": "Conversions found",
    "show_value": "Value",
    "axis_share": "share of each list that is called",
    "axis_captured": "share of all conversions found",
    "axis_value": "value after the cost of calls, {currency}",
    "random": "at random",
    "curve_name": "Share of conversions found by {a} and by {b}, by the share of each list that is called",
    "curve_name_value": "Value by {a} and by {b}, by the share of each list that is called",
    "finds": "Found by {name}",
    "of_conversions": "of {converted} conversions: {found}; {lift} times chance",
    "difference": "Difference",
    "of_hundred": "{number} of 100",
    "difference_note": "95 % interval {range}: {name}: {word}",
    "difference_level": "95 % interval {range}: level",
    "worth": "Value of the difference",
    "worth_note": "95 % interval {range}; after calls at {cost} each",
    "only": "Only {name} would call",
    "only_note": "leads; {converted} convert ({rate})",
    "hands_key": "Thick bars: leads called. Thin bars below: those of them that convert.",
    "hands_name": "Leads called by one and by both: {told}",
    "only_none": "nobody: both call the same",
    "as_table": "The same as a table",
    "called": "called",
    # the swap set
    "swap": "Who changes hands",
    "swap_how": "At {share} of each list: leads that only one of the two would have sales call.",
    "swap_none": "Both hand over the same leads.",
    "portrait_counts": "{leads} leads, of which {converted} converted ({rate}; of all leads {base}).",
    "portrait_segments": "More common here than among all",
    "portrait_segment": "{value} ({column}): {share}, of all {of_all}",
    "portrait_for_model": "What raises them for {name}",
    "portrait_against_model": "What lowers them for {name}",
    "portrait_for_points": "What their points count",
    "portrait_against_points": "What takes points away",
    "portrait_share": "{says} ({share})",
    "list": "The leads themselves",
    "list_capped": "Here stand the {shown} clearest of {all}. The CSV file holds all of them (--csv FILE).",
    "list_all": "All {all} stand here.",
    "list_partly": "Leads that stand level where a list is cut are called in part: the figures are means over all "
    "orders.",
    "filter_text": "Search",
    "filter_hint": "lead, reason or points",
    "filter_side": "Called by",
    "filter_outcome": "Outcome",
    "everyone": "both",
    "only_side": "only {name}",
    "any": "all",
    "converted": "converted",
    "not_converted": "did not convert",
    "rows_shown": "{shown} fit of {all}",
    "show_more": "Show all {all}",
    "none_fits": "No lead fits. Clear the search or the filters.",
    "clear": "Clear",
    "lead": "lead",
    "date": "date",
    "called_by": "called by",
    "outcome": "outcome",
    "top": "top {share}",
    "part": "{share} of it",
    "why": "why",
    "details_of": "Show the sums behind {lead}",
    "sum_model": "The model's reasons, as factors of the odds",
    "sum_points": "The points",
    "sum_points_whole": "{points}; what they are made of is not kept.",
    "sum_none": "No points are known.",
    "sum_version": "What {name} says of it now, as factors of the odds. It has learned since, perhaps from this very "
    "lead: the sum can differ from what it foretold then",
    "sum_no_reasons": "No reasons of {name}: its files are not at hand, or it reads columns that are not there now.",
    "start": "start: the average lead",
    "rest": "everything else",
    "calibration_part": "calibration",
    "total": "together",
    "print_note": "On paper stand the first 40 leads of the table; the CSV file holds all.",
    # calibration
    "calibration": "Does 20 % mean 20 of 100?",
    "calibration_how": "What was promised, and what happened, in groups of equal size. On the dotted line both are the "
    "same. Points are no probabilities; here they are given the best ones they could have, learned from earlier leads.",
    "calibration_how_versions": "What was promised, and what happened, in groups of equal size. On the dotted line "
    "both are the same.",
    "calibration_name": "Promised probability and share that converted, of {a} and of {b}",
    "promised": "promised",
    "happened": "happened",
    "interval": "95 % interval",
    # groups
    "groups": "By segment",
    "groups_how": "Lists are cut as they are for everybody; the intervals tell what could be chance. Of twenty "
    "segments in which nothing differs, chance makes about one look as if it did.",
    "months": "By month",
    "segment": "segment",
    "month": "month",
    "column": "Segments by",
    "leads": "leads",
    "called_of": "called by {name}",
    "finds_of": "found by {name}",
    "nothing_here": "No column to tell segments by.",
    "difference_axis": "difference, of 100 conversions",
    # measures
    "measures": "How alike, and how good",
    "alike": "The two order the same list alike to {spearman} (Spearman) and {kendall} (Kendall's tau-b), where 1 is "
    "the same order, 0 none in common and −1 the reverse.",
    "alike_unknown": "How alike they order a list cannot be told: one of them does not order any.",
    "measure": "measure",
    "lift_at_10": "lift in the first 10 %, all lists as one",
    "roc_auc": "ROC-AUC: pairs in the right order",
    "pr_auc": "PR-AUC: average precision",
    "log_loss": "log loss (less is better)",
    "brier": "Brier score (less is better)",
    # how it was counted
    "counted": "How this was counted",
    "counted_lists": "Every {per} has its list, and of each the same share is called from the top. A lead that stands "
    "on several lists counts on each.",
    "counted_ties": "Leads with equal points share the places left where a list is cut: figures are means over all "
    "orders they could stand in, so ties favour nobody. Of leads that stand level on both sides, both call the same "
    "part.",
    "counted_intervals": "Intervals come from drawing the leads anew, with all their snapshots, for both at once: 95 "
    "% of the draws lie within. A word is given where the whole interval lies on one side of zero.",
    "counted_private": "Leads are named by their ids only. Names, addresses and companies' names are not read.",
    "counted_value": "Value is what the converted leads are worth ([economics]), less the cost of calling, summed over "
    "all lists from {first} to {last}. A customer who stood on several lists before converting counts once in all: an "
    "equal part of the worth on each. Every call costs.",
    "counted_drawn": "Of all leads {drawn} were drawn and judged: leads, conversions and money are theirs; the leads "
    "per {per} are those of the whole list.",
}

_LANGUAGES: Final[Mapping[str, Words]] = {"en": ENGLISH, "fr": FRENCH}


def languages() -> tuple[str, ...]:
    """Those the page is written in.

    >>> languages()
    ('en', 'fr')
    """
    return tuple(_LANGUAGES)


def words_of(language: str) -> Words:
    """The words of a language.

    Raises
    ------
    ValueError
        There is no page in it.

    Examples
    --------
    >>> words_of("fr")["better"]
    'avantage'
    >>> words_of("de")
    Traceback (most recent call last):
    ...
    ValueError: there is no page in 'de'; the languages are: en, fr.
    """
    if language not in _LANGUAGES:
        raise ValueError(f"there is no page in {language!r}; the languages are: {', '.join(_LANGUAGES)}.")
    return _LANGUAGES[language]
