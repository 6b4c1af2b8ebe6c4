"""The words of a model card, in English: another language is another mapping with the same keys and placeholders.

A sentence is said only when every fact it has a placeholder for was measured. Several lines are several bullets.
"""

from collections.abc import Mapping
from typing import Final

Words = Mapping[str, str]

#: What is measured of a ranking and of probabilities, in the order in which it is read.
METRICS: Final = (
    "log_loss",
    "brier",
    "brier_skill",
    "roc_auc",
    "pr_auc",
    "lift_at_10",
    "ece",
    "calibration_slope",
    "calibration_intercept",
)

ENGLISH: Final[Words] = {
    "language": "en",
    "title": "Model card",
    "contents": "Contents",
    "verdict": "{verdict}: {reason}",
    "verdict_is": "Verdict:",
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
    # label
    "label": "What it predicts",
    "label_is": "The probability that a lead, looked at as of a moment, first enters the stage {stage} at that "
    "moment or within the {days} days after it. One lead looked at as of one moment is a snapshot.",
    "label_unknown": "A snapshot whose {days} days are not over yet is unknown, never a negative: it is left out.",
    "label_query": "As a query on the lead store (the session's time zone is UTC; snapshots has one row per lead_id "
    "and as_of):",
    # data
    "data": "Data",
    "data_window": "Snapshots from {first} to {last}; outcomes known up to {until} (UTC).",
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
    "excluded": "Not eligible",
    "excluded_is": "Snapshots of leads that may not be scored as of that moment, each under the first reason that "
    "fits:",
    "excluded_head": "reason|snapshots",
    # metrics
    "metrics": "How well it does, on later leads it never saw",
    "metrics_are": "Measured on the test snapshots. In brackets, 95 % intervals by bootstrap over leads: a lead seen "
    "on many days is one piece of evidence. Beside the model stands what it is compared with on the same snapshots.",
    "metrics_head": "metric|model",
    "base_rate": "base rate",
    "logistic": "logistic regression",
    "undefined": "undefined",
    "interval": " ({low} to {high})",
    "metrics_release": "The released model is fitted by the same procedure on all mature snapshots, the tested ones "
    "included: what is measured here is the procedure.",
    "meaning": "{name}: {meaning}.",
    "log_loss": "Log loss (lower is better)",
    "log_loss_means": "the mean surprise at what happened; being sure and wrong costs most",
    "brier": "Brier score (lower is better)",
    "brier_means": "the mean squared error of the probability",
    "brier_skill": "Brier skill against the base rate",
    "brier_skill_means": "how much of the base rate's squared error is gone; 0 is no better than it, 1 is perfect",
    "roc_auc": "ROC-AUC",
    "roc_auc_means": "the chance that a lead that converts ranks above one that does not; 0.5 is chance",
    "pr_auc": "PR-AUC (average precision)",
    "pr_auc_means": "the share of conversions among the leads called, averaged over how far down the list one calls; "
    "the base rate is chance",
    "lift_at_10": "Lift in the top 10 %",
    "lift_at_10_means": "how many times as many conversions the tenth ranked highest holds as a tenth drawn at random",
    "ece": "Expected calibration error, debiased",
    "ece_means": "how far predicted and observed rates are apart; 0 is right",
    "calibration_slope": "Calibration slope (1 is right)",
    "calibration_slope_means": "below 1, high probabilities are too high and low ones too low",
    "calibration_intercept": "Calibration in the large (0 is right)",
    "calibration_intercept_means": "above 0, too little was promised on the whole; below 0, too much",
    # calibration
    "calibration": "Calibration",
    "calibration_is": "Does 22 % mean 22 of 100? The test snapshots in groups of about equal size, in order of their "
    "probability. In {inside} of {groups} groups the mean prediction lies inside the interval of what happened, "
    "which counts leads, not snapshots.",
    "calibration_head": "predicted|mean predicted|converted|95 % interval|snapshots|leads",
    "range": "{low} to {high}",
    "plot": "Each point is a group: mean prediction across, share that converted up, with its 95 % interval. On the "
    "dashed line both agree. Both axes are square roots, so that small probabilities can be told apart.",
    "plot_x": "mean predicted probability",
    "plot_y": "share that converted",
    "plot_point": "predicted {predicted}, converted {converted} ({low} to {high})",
    # leaks
    "leaks": "Leak probes",
    "leaks_are": "Columns that look written after the outcome, by their values, by when they change, or by their "
    "names. A finding is a reason to look, not a proof.",
    "leaks_none": "Nothing found.",
    # limits
    "limits": "Limits and caveats",
    "limits_are": "It learned from what was done with past leads: a lead that nobody worked had less chance to "
    "convert, and ranks low for that too.\n"
    "It says what goes along with converting, not what causes it: a feature that weighs much is no lever.\n"
    "Campaigns, prices, tracking and people change. The further the leads of today are from those it was measured "
    "on, the less these figures hold; train again and read the new card.\n"
    "A probability is the rate among leads like this one. A single lead converts or does not.\n"
    "How well it does for single groups of leads, by country, language or channel say, was not measured.",
    # privacy
    "privacy": "Privacy",
    "privacy_is": "Features read no names, addresses or telephone numbers; of an e-mail address only its class, such "
    "as business or free mailbox. Attributes that the company declares itself are listed under the features: whoever "
    "approves this card looks whether they are personal, or stand for something that is.\n"
    "A lead that objects to profiling, whenever it said so, is in none of the snapshots and is not scored.\n"
    "This card holds counts and rates, no single lead. The rows by which the release proves itself are made up.",
    # features
    "features": "Features",
    "features_are": "Weight is how far a feature moves the log odds of a lead, up or down, on average.",
    "families_head": "family|features|weight together",
    "feature_name": "feature",
    "feature_about": "what it is",
    "feature_family": "family",
    "feature_unit": "unit",
    "feature_missing": "empty means",
    "feature_importance": "weight",
    "left_out": "Left out",
    "left_out_none": "None.",
    # details
    "details": "Model details",
    "details_are": "A logistic model, and trees boosted from its log odds.",
    "details_digest": "Digest of the training data: {digest}",
    "details_config_digest": "Digest of the configuration: {digest}",
}
