"""The company's decisions, from its settings to the plain values that scoring and its audit take."""

from pipelines.config import Settings
from pipelines.publishing import Limits
from serve.bands import BandLimits
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
        ),
        intent_days=s.intent_days,
        product_use_days=s.product_use_days,
        out_of_target_functions=s.out_of_target_functions,
        out_of_target_email_classes=s.out_of_target_email_classes,
        out_of_target_countries=s.out_of_target_countries,
        reasons=settings.score.reasons,
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
    )
