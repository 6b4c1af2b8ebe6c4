"""Moments as people and programs write them, and as microseconds since 1970 UTC."""

from datetime import UTC, datetime


def microseconds(moment: datetime) -> int:
    """A moment as microseconds since 1970 UTC, exactly."""
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(microseconds: int) -> str:
    """A moment for people and JSON: ISO 8601, UTC."""
    return datetime.fromtimestamp(microseconds / 1e6, tz=UTC).isoformat(timespec="seconds")
