"""The company's decisions, from its settings to the plain values that scoring and its audit take."""

from features.errors import ConfigError
from models.rules import fold
from pipelines.config import Settings
from pipelines.publishing import Limits
from serve.bands import BandLimits
from serve.economics import Economics
from serve.scorer import Policy
from serve.stages import StageLimits


def policy(settings: Settings) -> Policy:
    """The company's decisions, checked across sections.

    Raises
    ------
    ConfigError
        Limits that contradict each other.
    """
    s = settings.stages
    return Policy(
        bands=BandLimits(**settings.bands.model_dump()),
        stages=StageLimits(
            mql_probability=s.mql_probability,
            sal_probability=s.sal_probability,
            sql_probability=s.sql_probability,
            pql_min_probability=s.pql_min_probability,
            recycle_after_days=s.recycle_after_days,
            keep_share=s.keep_share,
        ),
        intent_days=s.intent_days,
        product_use_days=s.product_use_days,
        out_of_target_functions=s.out_of_target_functions,
        out_of_target_email_classes=s.out_of_target_email_classes,
        out_of_target_countries=s.out_of_target_countries,
        reasons=settings.score.reasons,
        economics=economics_of(settings) if s.limits == "economics" else None,
    )


def limits_of(settings: Settings) -> Limits:
    """How far a run may move from the one before it."""
    s = settings.score
    return Limits(
        least_volume_share=s.least_volume_share,
        most_volume_factor=s.most_volume_factor,
        most_mean_factor=s.most_mean_factor,
        most_new_category_share=s.most_new_category_share,
        warn_new_category_share=s.warn_new_category_share,
        most_stage_changes_share=s.most_stage_changes_share,
    )


def economics_of(settings: Settings) -> Economics | None:
    """The company's figures in money; None where it tells no value of a customer.

    The names of the columns (`amount`, `segment`) are not looked up here: only a store knows them.

    Raises
    ------
    ConfigError
        Figures that contradict each other, or stage limits that are to come from figures that are not told.
    """
    e, derived = settings.economics, settings.stages.limits == "economics"
    for wrong, sentence in (
        (
            e.margin != 1 and not e.amount,
            f"margin = {e.margin:g} is told without an amount. A margin is taken of a lead's own amount; "
            "customer_value is what a customer brings already. Name the column of the amount, or take margin out.",
        ),
        (
            bool(e.margins) and not (e.amount and e.segment),
            "[economics.margins] tells what share of an amount is earned in a segment, but "
            f"{'amount' if not e.amount else 'segment'} names no column. Name it, or take the margins out.",
        ),
        (
            bool(e.values) and not e.segment,
            "[economics.values] tells what customers of a segment are worth, but segment names no column. Name it, "
            'such as segment = "company_size_band".',
        ),
        (
            bool(e.segment) and not e.values and not e.margins,
            f"segment = {e.segment!r} is told, but [economics.values] is empty, and so is [economics.margins]: "
            "nothing would differ. Tell what a customer of each segment is worth, or take segment out.",
        ),
        (
            bool(e.segment) and e.segment == e.amount,
            f"amount and segment both name {e.amount!r}: the one is a numeric column, the other a categorical one. "
            "Name two columns, or take one out.",
        ),
        (
            e.nurture_touch_cost > e.sales_touch_cost > 0,
            f"nurture_touch_cost = {e.nurture_touch_cost:g} is above sales_touch_cost = {e.sales_touch_cost:g}: a "
            "lead would be worth a call before it is worth nurturing. Mend one of them.",
        ),
    ):
        if wrong:
            raise ConfigError(f"[economics] {sentence}")
    told = e.customer_value > 0 or bool(e.amount) or any(e.values.values())
    missing = [] if told else ["customer_value (or amount, or segment and values)"]
    missing += [name for name in ("sales_touch_cost", "nurture_touch_cost") if getattr(e, name) == 0]
    if derived and missing:
        raise ConfigError(
            '[stages] limits = "economics" derives the limits of mql and sal from [economics], where these are not '
            f'told: {", ".join(missing)}. Tell them, or write limits = "probabilities".'
        )
    if not told:
        return None
    by_segment = {key: {fold(name): v for name, v in getattr(e, key).items()} for key in ("values", "margins")}
    return Economics(**e.model_dump() | by_segment)
