"""The words of a model card, in English: another language is another mapping with the same keys and placeholders.

A sentence is said only when every fact it has a placeholder for was measured. Several lines are several bullets; a
bar parts the columns of a table, or the months. What is said of figures is in `card_words_proof`.
"""

from collections.abc import Mapping
from typing import Final

from models.card_words_proof import METRICS, PROOF

Words = Mapping[str, str]

_FRAME: Final[Words] = {
    "language": "en",
    # how numbers and dates are written
    "decimal": ".",
    "thousands": ",",
    "percent": "{number}\u00a0%",
    "month_names": "January|February|March|April|May|June|July|August|September|October|November|December",
    "first_day": "1",
    "date": "{day} {month} {year}",
    "moment": "{date}, {time}",
    "month": "{month} {year}",
    "colon": ": ",
    "semicolon": "; ",
    "range": "{low} to {high}",
    "from_to": "{first} to {last}",
    "interval": " ({low} to {high})",
    "undefined": "undefined",
    "days": "{days} days",
    "times": "{times} times",
    # above the card
    "title": "Model card",
    "contents": "Contents",
    "version_is": "Version {version}, registered on {date}; status: {status}.",
    "status_candidate": "candidate",
    "status_champion": "champion",
    "status_retired": "retired",
    "status_withdrawn": "withdrawn",
    "review_approved": "Approved by {reviewer} on {date}.",
    "review_approved_by_nobody": "Approved.",
    "review_refused": "Refused by {reviewer} on {date}.",
    "review_refused_by_nobody": "Refused.",
    "review_changed": "Edited since the review: what {reviewer} decided on {date} was said of another card. This one "
    "has not been reviewed.",
    "review_changed_by_nobody": "Edited since the review: this card has not been reviewed.",
    "review_withdrawn": "Approved by {reviewer} on {date}, and withdrawn since: it must not score again before a new "
    "review.",
    "review_withdrawn_by_nobody": "Withdrawn since it was approved: it must not score again before a new review.",
    "review_unreviewed_by_nobody": "Not reviewed yet. Nothing goes live before a person has read and approved it.",
    "review_note": " Note: {note}",
    "forced": "Promoted on {date} past what the gate asks for: ",
    "card_digest": "Digest of this card: {digest}",
    "reviews": "All reviews",
    "reviews_head": "when|decision|reviewer|note|of",
    "decision_approved": "approved",
    "decision_refused": "refused",
    "this_card": "this card",
    "other_card": "another card",
    # the first screen
    "incomplete": "INCOMPLETE: there is no evidence for {sections}. It cannot be approved.",
    "no_evidence": "No evidence: {section} was not measured, or not recorded, for this version.",
    "verdict": "{verdict}: {reason}",
    "verdict_is": "Verdict:",
    "verdict_candidate": "candidate",
    "verdict_no skill": "no skill",
    "verdict_gain": "gains log loss {gain_value} against the base rate (95 % interval {gain_low} to {gain_high}); "
    "ROC-AUC {auc_value} ({auc_low} to {auc_high}).",
    "verdict_none": "no skill found: gains log loss {gain_value} against the base rate (95 % interval {gain_low} to "
    "{gain_high}); ROC-AUC {auc_value} ({auc_low} to {auc_high}). On later leads the model cannot be told from the "
    "base rate.",
    "plain_promise": "Of 100 leads to which it gives {promised} on average, {converted} converted (between {low} and "
    "{high}, as far as chance allows to say).",
    "plain_tenth": "Calling the first tenth of the list finds {share} of the leads that convert: {lift} times as many "
    "as a tenth drawn at random.",
    "plain_capacity": "With the capacity stated, {leads} leads per list, it finds {share}.",
    "plain_compared": "On the same leads, its probabilities are {found}.",
    "plain_better": "better than: {names}",
    "plain_level": "level with: {names}",
    "plain_worse": "worse than: {names}",
    "the_champion": "the champion",
    "plain_whole": "On the whole it promised {predicted}, and {observed} converted.",
    "plain_careful": "Where to be careful: in {outside} of {months} months and in {other} of {segments} groups of "
    "leads, what happened is not what was promised.",
    "plain_calm": "In none of the months ({months}) and groups of leads ({segments}) is what happened further from "
    "what was promised than chance explains.",
    "plain_rests": "All of this rests on {test} later snapshots of leads, and on {leads} leads among them that "
    "converted.",
    # what it is for
    "purpose": "What it is for",
    "purpose_is": "To put open leads in order of how likely they are to enter the stage {stage} within {days} days, "
    "and to say how likely. Marketing and sales use it to decide whom to call first and whom to nurture. It is "
    "advice: the recommended stage never overwrites the stage that people have set, and people decide.",
    "not_for": "What it is not for",
    "not_for_is": "Judging job applicants, or persons for employment of any kind.\n"
    "Credit, insurance, or any other judgement of whether a person can or should be trusted.\n"
    "Refusing a contract, a price or a service: a low probability is a reason to call later, never to turn away.\n"
    "Contacts who are no leads yet, and leads of another company: it was learned from this lead store alone.",
    "owner": "Who answers for it",
    "owner_is": "{owner} answers for this model: for what it is used for, and for what it does to leads.",
    "owner_none": "Nobody is named. Name who answers for the model: owner, in the section [card] of the settings.",
    "owner_note": "What cannot be measured: {note}",
    # label
    "label": "What it predicts",
    "label_is": "The probability that a lead, looked at as of a moment, first enters the stage {stage} at that moment "
    "or within the {days} days after it. One lead looked at as of one moment is a snapshot.",
    "label_unknown": "A snapshot whose {days} days are not over yet is unknown, never a negative: it is left out.",
    "label_query": "The same as a query on the lead store (the session's time zone is UTC; snapshots has one row per "
    "lead_id and as_of)",
    # data
    "data": "Data",
    "data_window": "Snapshots from {first} to {last}; outcomes known up to {until} (UTC).",
    "data_calendar": "Every lead that is open is looked at every {days} days.",
    "data_creation": "Every lead is looked at so many days after it was created: {days}.",
    "data_order": "The parts follow one another in time, with a gap of {days} days between them, so that no outcome "
    "that is learned from overlaps what is tested. Snapshots in a gap are dropped.",
    "data_sampled": "Snapshots of {share} of the leads, drawn by a fixed hash of their ids.",
    "data_converted": "Leads that converted in the test: {count}.",
    "data_head": "part|snapshots",
    "data_train": "Training",
    "data_calibrate": "Calibration",
    "data_test": "Test",
    "data_dropped_immature": "Dropped: the outcome is not known yet",
    "data_dropped_in_gap": "Dropped: in a gap between two parts",
    "data_dropped": "To count a snapshot whose horizon is not over as a lead lost would make every probability too "
    "low; to keep those in a gap would test on what was learned.",
    "excluded": "Not eligible",
    "excluded_is": "Snapshots of leads that may not be scored as of that moment, each under the first reason that "
    "fits:",
    "excluded_none": "None.",
    "excluded_head": "reason|snapshots",
    "folds": "Periods of the test",
    "folds_are": "Each period is predicted by a model that had learned only from what was known when the period "
    "began: the figures of this card are those of a model that is trained again now and then.",
    "folds_head": "period|trained until|tested|for training|for calibration|dropped in the gap|tested snapshots",
    "folds_found_head": "period|leads|converted|mean predicted|converted, share|share before",
    # leaks
    "leaks": "Leak probes",
    "leaks_are": "Columns that look written after the outcome, by their values, by when they change, or by their "
    "names. A finding is a reason to look, not a proof.",
    "leaks_none": "Nothing found.",
    # features
    "features": "Features",
    "features_are": "Weight is how far a feature moves the log odds of a lead, up or down, on average.",
    "features_all": "All {count} features",
    "families_head": "family|features|weight together",
    "family_demographic": "demographic",
    "family_behavioural": "behavioural",
    "family_engagement": "engagement",
    "feature_name": "feature",
    "feature_about": "what it is",
    "feature_family": "family",
    "feature_unit": "unit",
    "feature_missing": "empty means",
    "feature_missing_share": "empty",
    "feature_range": "seen",
    "feature_importance": "weight",
    "feature_monotone": "direction",
    "monotone_is": "Where a direction stands, the model was bound to it: more of the feature can then never lower "
    "(only up), or never raise (only down), the probability.",
    "monotone_1": "only up",
    "monotone_0": "free",
    "monotone_-1": "only down",
    "left_out": "Left out",
    "left_out_none": "None.",
    "excluded_by_choice": "Excluded by choice:",
    "excluded_by_choice_none": "Nothing is excluded by choice.",
    "never_read": "Never read, by features, training or reports:",
    "never_read_none": "Nothing is kept from features by principle.",
    "attributes": "Attributes of the company's own, and sensitive columns",
    "attributes_are": "What the company declares itself may be personal, or stand for something that is: whoever "
    "approves this card looks whether each of these may decide.",
    "attributes_none": "None is declared.",
    "attributes_head": "column|declared as|use|why it may decide",
    "declared": "attribute",
    "sensitive": "sensitive",
    "read": "read by the model",
    "not_read": "not read by the model",
    "unjustified": "no reason is stated",
    # use
    "use": "How it decides, and who decides",
    "use_is": "From these limits on, a stage or a band is recommended:",
    "use_head": "recommended|from",
    "stage_mql_probability": "Stage mql: marketing nurtures",
    "stage_sal_probability": "Stage sal: for sales to accept or refuse",
    "stage_sql_probability": "Stage sql: intent declared as well, hand over now",
    "stage_pql_min_probability": "Stage pql: uses the product as well",
    "stage_recycle_after_days": "Stage recycled: was qualified, and quiet for",
    "stage_intent_days": "Declared intent counts for",
    "stage_product_use_days": "Use of the product counts for",
    "band_a_probability": "Band A",
    "band_b_probability": "Band B",
    "band_c_probability": "Band C",
    "oversight": "Human oversight",
    "oversight_is": "Advice only: the recommended stage stands beside the stage that people set, and never replaces "
    "it.\n"
    "A person confirms every disqualification before anything happens; the evidence stands beside it.\n"
    "To overrule it, set the lead's stage in the CRM as you see fit: the next night takes it as it is.\n"
    "A lead that objects to profiling is in no training and in no list from the next run on.\n"
    "A lead that asks to be forgotten is erased, with its scores and reasons, and no import brings it back; what a "
    "version has learned from it among many others stays until the next training.\n"
    "Each probability comes with its reasons, which add up to it: ask for them before you act on a single lead.\n"
    "Nothing goes live without a review of this card; the version before can be put back at any time.",
    "drift": "When the night warns or refuses",
    "drift_is": "Every night is checked before it is published; a night that is refused leaves the scores of the "
    "night before in place, and says so.",
    "drift_head": "watched|limit|beyond it",
    "drift_least_volume_share": "Leads scored, as a share of the run before: at least",
    "drift_least_volume_share_then": "refused; a person looks for what is missing, and may let one run through",
    "drift_most_volume_factor": "Leads scored, against the run before: at most",
    "drift_most_volume_factor_then": "refused; a person looks for what came in twice, and may let one run through",
    "drift_most_mean_factor": "Mean probability, against the run before: moved at most",
    "drift_most_mean_factor_then": "refused; a person looks what moved, and trains again if it is the leads",
    "drift_warn_new_category_share": "Leads with a category that training never saw",
    "drift_warn_new_category_share_then": "a warning; train again soon",
    "drift_most_new_category_share": "Leads with a category that training never saw: at most",
    "drift_most_new_category_share_then": "refused; mend the import, or train again",
    "drift_max_stale_days": "Nights without word from the register of versions: at most",
    "drift_max_stale_days_then": "refused, until the champion can be confirmed",
    # limits
    "limits": "Limits and caveats",
    "limits_are": "It learned from what was done with past leads: a lead that nobody worked had less chance to "
    "convert, and ranks low for that too.\n"
    "It says what goes along with converting, not what causes it: a feature that weighs much is no lever.\n"
    "Campaigns, prices, tracking and people change. The further the leads of today are from those it was measured on, "
    "the less these figures hold; train again and read the new card.\n"
    "A probability is the rate among leads like this one. A single lead converts or does not.\n"
    "Which types of events and which attributes there are to read, and which acts count as voluntary, was taken from "
    "the store as it was when this was trained, not from each moment of the past: in the test it knew of them a little "
    "sooner than anybody could have.\n"
    "Groups that no column names were not looked at: that it is right on the whole does not make it fair to each.",
    # privacy
    "privacy": "Privacy",
    "privacy_is": "Features read no names, addresses or telephone numbers; of an e-mail address only its class, such "
    "as business or free mailbox. Attributes that the company declares itself are listed under the features: whoever "
    "approves this card looks whether they are personal, or stand for something that is.\n"
    "A lead that objects to profiling, whenever it said so, is in none of the snapshots and is not scored.\n"
    "This card holds counts and rates, no single lead. The rows by which the release proves itself are made up.",
    # what changed
    "changes": "What changed since the last version",
    "changes_none": "There was no version before this one to compare it with.",
    "changes_since": "Since version {version}:",
    "features_added": "{count} features more: {names}",
    "features_gone": "{count} features less: {names}",
    "features_same": "The features are the same.",
    "settings_head": "setting|before|now",
    "changed_data_head": "data|before|now",
    "changed_first_as_of": "First snapshot",
    "changed_last_as_of": "Last snapshot",
    "changed_known_until": "Outcomes known up to",
    "changed_snapshots": "Snapshots",
    "changed_metrics_head": "metric|before|now",
    "changed_metrics_are": "Each was measured on its own later leads: these figures are no comparison. The one on the "
    "same leads is that with the champion.",
    # details
    "details": "Model details",
    "details_are": "A logistic model, and trees boosted from its log odds.",
    "details_again": "The same data, settings and seed give the same release, byte for byte.",
    "details_program": "Program: {value}",
    "details_commit": "Commit: {value}",
    "details_no_commit": "Commit: not known, for the program was not run from a repository",
    "details_python": "Python {value}",
    "details_seed": "Seed: {value}",
    "details_resamples": "Bootstrap resamples behind every interval: {value}",
    "details_digest": "Digest of the training data: {digest}",
    "details_config_digest": "Digest of the configuration: {digest}",
    "libraries_head": "library|version",
    **PROOF,
}

#: No line begins with a percent sign.
ENGLISH: Final[Words] = {key: words.replace(" %", "\u00a0%") for key, words in _FRAME.items()}

__all__ = ["ENGLISH", "METRICS", "Words"]
