"""Which moments a nightly job scores: local midnights as UTC, one per day, also where the clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.errors import ConfigError


def midnight(day: date, *, zone: str) -> datetime:
    """The moment at which a day begins in a zone, in UTC.

    Where the clocks skip midnight, the day begins with its first moment. The day's window is half-open, [its midnight,
    the next day's): each event belongs to exactly one day, and the days add up to the whole.

    Raises
    ------
    ConfigError
        There is no such zone.

    Examples
    --------
    >>> midnight(date(2026, 3, 29), zone="Europe/Paris").isoformat()
    '2026-03-28T23:00:00+00:00'
    >>> midnight(date(2026, 3, 30), zone="Europe/Paris") - midnight(date(2026, 3, 29), zone="Europe/Paris")
    datetime.timedelta(seconds=82800)
    """
    # Of an hour that comes twice, fold=0 is the first; one that is skipped maps to just after the gap.
    return datetime(day.year, day.month, day.day, tzinfo=_zone(zone)).astimezone(UTC)


def day_of(moment: datetime, *, zone: str) -> date:
    """The day a moment falls on, in a zone."""
    return moment.astimezone(_zone(zone)).date()


def days(first: date, last: date) -> list[date]:
    """Every day from the first to the last, both included.

    Raises
    ------
    ConfigError
        The last comes before the first.
    """
    if last < first:
        raise ConfigError(f"--from {first} comes after --to {last}. Give the earlier day first.")
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def missing(published: set[datetime], *, today: date, zone: str) -> list[date]:
    """The days since the first published one, today included, for which nothing is published."""
    if not published:
        return []
    there = {day_of(moment, zone=zone) for moment in published}
    return [day for day in days(min(min(there), today), today) if day not in there]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"[score] timezone: there is no time zone {name!r}. Name one of the IANA database, like Europe/Paris or "
            "UTC."
        ) from error
