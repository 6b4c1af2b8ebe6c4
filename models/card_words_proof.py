"""The words of a model card about figures, in English: metrics, comparisons, calibration, months, groups, plots."""

from collections.abc import Mapping
from typing import Final

#: What is measured of a ranking and of probabilities, in the order in which it is read.
METRICS: Final = (
    "log_loss",
    "brier",
    "brier_skill",
    "roc_auc",
    "roc_auc_within",
    "pr_auc",
    "lift_at_5",
    "lift_at_10",
    "lift_at_20",
    "lift_at_capacity",
    "captured_at_5",
    "captured_at_10",
    "captured_at_20",
    "captured_at_capacity",
    "ece",
    "calibration_slope",
    "calibration_intercept",
)

_LIFT: Final = "how many times as many conversions this top of the list holds as as many leads drawn at random"
_CAPTURED: Final = "the share of all conversions that this top of the list holds"

PROOF: Final[Mapping[str, str]] = {
    # metrics
    "metrics": "How well it does, on later leads it never saw",
    "metrics_are": "Measured on the test snapshots. In brackets, 95 % intervals by bootstrap over leads: a lead seen "
    "on many days is one piece of evidence. Beside the model stands what it is compared with on the same snapshots.",
    "metrics_head": "metric|model",
    "metrics_mean": "What these metrics mean",
    "metrics_release": "The released model is fitted by the same procedure on all mature snapshots, the tested ones "
    "included: what is measured here is the procedure.",
    "meaning": "{name}: {meaning}.",
    "log_loss": "Log loss (lower is better)",
    "log_loss_means": "the mean surprise at what happened; being sure and wrong costs most",
    "brier": "Brier score (lower is better)",
    "brier_means": "the mean squared error of the probability",
    "brier_skill": "Brier skill against the base rate",
    "brier_skill_means": "how much of the base rate's squared error is gone; 0 is no better than it, 1 is perfect",
    "brier_skill_short": "0: no better than one rate for all; 1: perfect",
    "roc_auc": "ROC-AUC",
    "roc_auc_means": "the chance that a lead that converts ranks above one that does not; 0.5 is chance",
    "roc_auc_short": "chance that a lead that converts ranks above one that does not; 0.5 is chance",
    "roc_auc_within": "ROC-AUC within one list",
    "roc_auc_within_means": "the same among leads of one and the same list, so that good and bad seasons do not count",
    "pr_auc": "PR-AUC (average precision)",
    "pr_auc_means": "the share of conversions among the leads called, averaged over how far down the list one calls; "
    "the base rate is chance",
    "lift_at_5": "Lift in the top 5 %",
    "lift_at_5_means": _LIFT,
    "lift_at_10": "Lift in the top 10 %",
    "lift_at_10_means": _LIFT,
    "lift_at_10_short": "times as many conversions as in a tenth drawn at random",
    "lift_at_20": "Lift in the top 20 %",
    "lift_at_20_means": _LIFT,
    "lift_at_capacity": "Lift within the capacity",
    "lift_at_capacity_means": _LIFT,
    "captured_at_5": "Conversions found in the top 5 %",
    "captured_at_5_means": _CAPTURED,
    "captured_at_10": "Conversions found in the top 10 %",
    "captured_at_10_means": _CAPTURED,
    "captured_at_10_short": "of all that convert, when the first tenth is called",
    "captured_at_20": "Conversions found in the top 20 %",
    "captured_at_20_means": _CAPTURED,
    "captured_at_capacity": "Conversions found within the capacity",
    "captured_at_capacity_means": _CAPTURED,
    "captured_at_capacity_short": "of all that convert, by as many calls as sales can make",
    "ece": "Expected calibration error, debiased",
    "ece_means": "how far predicted and observed rates are apart; 0 is right",
    "calibration_slope": "Calibration slope (1 is right)",
    "calibration_slope_means": "below 1, high probabilities are too high and low ones too low",
    "calibration_slope_short": "1: differences between leads are as large as promised",
    "calibration_intercept": "Calibration in the large (0 is right)",
    "calibration_intercept_means": "above 0, too little was promised on the whole; below 0, too much",
    # comparisons
    "differences": "Against every baseline, on the same leads",
    "differences_are": "A comparison is level when its 95 % interval, by bootstrap over leads on the same resamples, "
    "holds no difference at all.",
    "differences_head": "against",
    "word_better": "better",
    "word_level": "level",
    "word_worse": "worse",
    "by_better": " by {by}",
    "by_worse": " by {by}",
    "by_level": ", {by}",
    "baseline_base_rate": "base rate",
    "baseline_base_rate_is": "the conversion rate known before, for every lead",
    "baseline_logistic": "logistic regression",
    "baseline_logistic_is": "the textbook's logistic regression on the same columns",
    "baseline_odoo_bayes": "Odoo's naive Bayes",
    "baseline_odoo_bayes_is": "the algorithm of Odoo's CRM, without the stage",
    "baseline_odoo_bayes_with_stage": "Odoo's naive Bayes, with the stage",
    "baseline_odoo_bayes_with_stage_is": "the same, told also which stage people have set",
    "baseline_single_feature": "best single feature",
    "baseline_single_feature_is": "the one column that ranks best by itself, mapped to a probability",
    "baseline_points": "marketing's points",
    "baseline_points_is": "the points that marketing gives, mapped to a probability in the way that is fairest to them",
    "champion": "Against the champion",
    "champion_none": "There was no champion when this was trained: nothing to compare it with.",
    "champion_away": "Version {version} was the champion when this was trained, but its files could not be had: the "
    "two were not compared.",
    "champion_label": "Version {version}, the champion when this was trained, predicts another outcome: the two cannot "
    "be compared.",
    "champion_few": "Version {version} was the champion when this was trained; of the leads that both predicted, too "
    "few converted to compare the two.",
    "champion_is": "Against version {version}, the champion when this was trained, on the same later leads: "
    "{snapshots} snapshots of {leads} leads, of which {converted} converted.",
    "champion_head": "metric|this version|champion|this version is",
    "gain": "What calling the first leads of the list finds",
    "gain_is": "The further up a curve, the more of the conversions are found by calling the same share of the list.",
    "gain_capacity": "The upright line is what sales can work: {leads} leads per list, {share} of it.",
    "gain_head": "share called",
    "gain_model": "model",
    "gain_points": "points",
    "gain_logistic": "logistic regression",
    "gain_random": "at random",
    "gain_at_capacity": "capacity",
    "gain_all": "The whole curve as a table",
    "targets": "MadKudu's three targets",
    "targets_are": "Rules of thumb of the trade for bands that are of use. They speak of the model with the bands in "
    "force, and of the points mapped to probabilities.",
    "targets_head": "target",
    "target_top_two_share": "Leads in the top two bands: 15 to 35 %",
    "target_captured": "Conversions in the top two bands: at least 60 %",
    "target_ratio": "Top band converts at least 10 times as often as the lowest",
    "target_none": "nobody in the lowest band converted:",
    "met": "met",
    "not_met": "not met",
    "bands_of": "Bands of: {of}",
    "bands_head": "band|leads|conversions|rate",
    "tuning": "Search of parameters",
    "tuning_is": "{trials} trials in {minutes} minutes, each judged on earlier periods than the test.",
    "tuning_gain": "Against the parameters that come along, {metric}: ",
    "tuning_used": "That is shown to be better, so it is in force. It was decided on the very test that the figures of "
    "this card come from: of two procedures the better one was taken, so they may flatter it a little.",
    "tuning_kept": "That is not shown to be better, so the parameters that come along stay in force: the figures of "
    "this card are theirs.",
    # calibration
    "calibration": "Calibration",
    "calibration_method": "How probabilities are mapped: {method}. It was chosen on snapshots later than those the "
    "model had learned from; of the methods that lie within two standard errors of the best, the simplest is taken.",
    "choices_head": "method|log loss there|above the best|standard error of that",
    "level_shift": "The level is moved to the newest outcomes: they lie {gap} log odds off, of which {share} is "
    "believed, so it moves by {shift}. What such a shift would have done before, on snapshots later than those it "
    "came from:",
    "level_head": "from|snapshots|promised before it|promised after it|happened",
    "method_none": "no map at all",
    "method_venn_abers": "Venn-Abers",
    "method_identity": "no map at all",
    "method_intercept": "a shift",
    "method_temperature": "a shift and one slope",
    "method_beta": "beta calibration",
    "method_isotonic": "isotonic regression",
    "calibration_is": "Does 22 % mean 22 of 100? The test snapshots in groups of about equal size, in order of their "
    "probability. In {inside} of {groups} groups the mean prediction lies inside the interval of what happened, which "
    "counts leads, not snapshots.",
    "calibration_head": "predicted|mean predicted|converted|95 % interval|snapshots|leads",
    "calibration_error_within": "The calibration error is {error}. If every probability were right, chance alone "
    "would give up to {null} in 19 of 20 tests: no error can be told from chance.",
    "calibration_error_beyond": "The calibration error is {error}. If every probability were right, chance alone "
    "would give up to {null} in 19 of 20 tests: this is more than chance.",
    "calibration_limits": "Of twenty groups, one is expected to lie outside its interval by chance.\n"
    "What holds for a group of leads need not hold for a part of it: see the groups by channel, country and so on.\n"
    "It was measured on leads of the past. When the rate of conversion moves, probabilities are off until the next "
    "training.",
    # months
    "months": "Month by month",
    "months_are": "In {outside} of {months} months what happened is further from what was promised than chance "
    "explains. Each month is judged partially pooled with the others, so that one of few leads raises no alarm.",
    "months_head": "month|snapshots|leads|converted|promised|happened|in the large (0 is right)|ROC-AUC|in words",
    # segments
    "segments": "Group by group",
    "segments_none": "No column was there by whose values figures could be told.",
    "segments_are": "Leads grouped by what is known of them. A group in which fewer than {least} converted, or fewer "
    "than {least} did not, is marked as small: its figures say little by themselves.",
    "segments_right": "In every group what happened is within chance of what was promised.",
    "segment_wrong": "{column} {value}: {word} ({predicted} promised, {observed} happened)",
    "segments_drawn": "The plot shows the first {drawn} of {all} groups; the table has them all.",
    "segments_head": "column|group|leads|converted|promised|happened|in the large, pooled (0 is right)|in words",
    "segments_pooled": "Pooled: a small group's deviation is drawn towards that of all leads, as far as chance could "
    "have made it.",
    "small": "(small)",
    "word_as promised": "as promised",
    "word_promises too much": "promises too much",
    "word_promises too little": "promises too little",
    "word_undefined": "cannot be told",
    "value_(not known)": "(not known)",
    "value_(other)": "(other)",
    "groups": "Groups that it could treat worse than others",
    "groups_are": "By columns declared sensitive. The model is fair to a group in as far as it promises what happens "
    "there, and ranks as well as elsewhere.",
    "groups_none": "No column is declared sensitive.",
    "groups_unmeasured": "Declared sensitive, but not measured: {columns}.",
    "group_bare": "By {column}, for whose use no reason is stated:",
    "group_why": "By {column}; why it may decide: {why}",
    "groups_head": "group|leads|happened|in the large (0 is right)|log loss|ROC-AUC|in words",
    "groups_apart": "By {column}, it ranks worst for {lowest} (ROC-AUC {low}) and best for {highest} ({high}), small "
    "groups aside.",
    # plots
    "plot_reliability": "Each point is a group: mean prediction across, share that converted up, with its 95 % "
    "interval. On the dashed line both agree. Both axes are square roots, so that small probabilities can be told "
    "apart.",
    "plot_months": "Month by month: the mean prediction, and the share that converted with its 95 % interval.",
    "plot_segments": "Group by group: what was promised, and the share that converted with its 95 % interval.",
    "plot_gain": "Share of the conversions found, by share of the list that is called from the top.",
    "plot_x": "mean predicted probability",
    "plot_y": "share that converted",
    "plot_point": "predicted {predicted}, converted {converted} ({low} to {high})",
    "plot_named": "{name}: {says}",
    "plot_predicted": "predicted",
    "plot_observed": "happened (95 % interval)",
    "plot_month": "month",
    "plot_called": "share of the list called",
    "plot_found": "share of conversions found",
}
