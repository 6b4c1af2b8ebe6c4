"""Text -> moments: int64 microseconds since 1970-01-01 UTC, by the formats and the zone that a mapping declares.

Nothing is guessed. A time without an offset is read in the declared zone, or refused if none is declared; a date
whose day and month could be swapped is refused unless a format says which is which.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError

#: Stricter than what parsers take for ISO 8601: no bare years, no 20240501, no week dates.
_DAY: Final = r"^\d{4}-\d{2}-\d{2}"
_CLOCK: Final = r"[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?"
_NAIVE: Final = _DAY + f"({_CLOCK})?$"
_AWARE: Final = _DAY + _CLOCK + r" ?(Z|[+-]\d{2}(:?\d{2})?)$"
ISO_PATTERN: Final = f"({_NAIVE})|({_AWARE})"
_AMBIGUOUS: Final = r"^\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})(\D.*)?$"

MONTHS: Final = {
    **{str(number): number for number in range(1, 13)},
    **{f"{number:02}": number for number in range(1, 13)},
    **{name.lower(): number for number, name in enumerate(calendar.month_name) if name},
    **{name.lower(): number for number, name in enumerate(calendar.month_abbr) if name},
    "sept": 9,
}


@dataclass(frozen=True)
class Moments:
    """The moments that a column of text means."""

    micros: npt.NDArray[np.int64]
    """0 where there is none."""
    valid: npt.NDArray[np.bool_]
    local: int
    """How many were written without an offset, so that the zone decided."""
    shifted: int
    """How many of those fell into an hour that clocks skipped or passed twice."""


def moments(text: pa.Array, *, formats: tuple[str, ...], zone: str | None, where: str) -> Moments:
    """Read a column of times.

    Parameters
    ----------
    text : strings; null where there is no value
    formats : tried in order: "iso", "epoch_s", "epoch_ms", or a strptime pattern
    zone : IANA name for times without an offset; None refuses them
    where : file and field, for messages

    Raises
    ------
    InputError
        A time without offset and no zone; or a date such as 03-04-2024 that no format reads.

    Examples
    --------
    >>> found = moments(pa.array(["2024-07-01 12:00", "soon"]), formats=("iso",), zone="Europe/Paris", where="f")
    >>> found.valid.tolist(), int(found.micros[0]) // 3_600_000_000 % 24
    ([True, False], 10)
    >>> moments(pa.array(["03-04-2024"]), formats=("iso",), zone="UTC", where="deals.csv: since")
    Traceback (most recent call last):
    ...
    features.errors.InputError: deals.csv: since is written like '03-04-2024': which number is the day ...
    """
    # Most columns repeat their days: each distinct text is read once.
    coded = text.dictionary_encode()
    distinct = coded.dictionary
    micros, how = np.zeros(len(distinct) + 1, np.int64), np.zeros(len(distinct) + 1, np.int8)
    for pattern in formats:
        left = np.flatnonzero(how[:-1] == _UNREAD)
        if len(left):
            micros[left], how[left] = _read(distinct.take(pa.array(left)), pattern, zone, where)
    _refuse_ambiguous(distinct.filter(pa.array(how[:-1] == _UNREAD)), formats, where)
    rows = np.asarray(coded.indices.fill_null(len(distinct)), dtype=np.int64)
    hows = how[rows]
    shifted = int((hows == _SHIFTED).sum())
    return Moments(micros[rows], hows != _UNREAD, int((hows == _LOCAL).sum()) + shifted, shifted)


_UNREAD, _READ, _LOCAL, _SHIFTED = range(4)


def _read(
    text: pa.Array, pattern: str, zone: str | None, where: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """The moments of distinct texts under one format, 0 where there is none, and how each was read."""
    micros, how = np.zeros(len(text), np.int64), np.zeros(len(text), np.int8)
    if pattern in ("epoch_s", "epoch_ms"):
        good = _matching(text, r"^\d{1,14}$" if pattern == "epoch_ms" else r"^\d{1,11}$")
        numbers = np.asarray(text.filter(pa.array(good)).cast(pa.int64()))
        micros[good], how[good] = numbers * (1_000_000 if pattern == "epoch_s" else 1_000), _READ
        return micros, how
    if pattern == "iso":
        aware, naive, layout = _matching(text, _AWARE), _matching(text, _NAIVE), "ISO8601"
    else:
        aware = np.full(len(text), "%z" in pattern)
        naive, layout = ~aware, pattern
    if aware.any():
        times = pd.to_datetime(_series(text, aware), format=layout, utc=True, errors="coerce").dt.as_unit("us")
        micros[aware], how[aware] = times.fillna(_EPOCH).astype("int64"), np.where(times.notna(), _READ, _UNREAD)
    if naive.any():
        local = pd.to_datetime(_series(text, naive), format=layout, errors="coerce").dt.as_unit("us")
        if zone is None and local.notna().any():
            raise InputError(
                f"{where} has times without an offset, such as {text.filter(pa.array(naive))[0].as_py()!r}, and "
                "nothing says by which clock they were written. Add zone = 'Europe/Paris' (or 'UTC', or whichever it "
                "is) to the mapping."
            )
        times = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
        changed = times.isna() & local.notna()
        if changed.any():
            first_passage = np.ones(len(local), np.bool_)
            times = local.dt.tz_localize(zone, ambiguous=first_passage, nonexistent="shift_forward")
        times = times.dt.tz_convert("UTC").dt.as_unit("us")
        micros[naive] = times.fillna(_EPOCH).astype("int64")
        how[naive] = np.select([times.isna(), changed], [_UNREAD, _SHIFTED], _LOCAL)
    return micros, how


_EPOCH: Final = pd.Timestamp(0, tz="UTC")


def _series(text: pa.Array, mask: npt.NDArray[np.bool_]) -> "pd.Series[str]":
    # ISO 8601 allows a comma before the fraction of a second, the parser only a point. Digits beyond microseconds are
    # cut, since a single one of them would narrow the years that the whole column can hold.
    exact = pc.replace_substring_regex(text.filter(pa.array(mask)), r"(:\d{2})[.,](\d{1,6})\d*", r"\1.\2")
    return pd.Series(exact.to_pylist(), dtype="str")


def _matching(text: pa.Array, pattern: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.match_substring_regex(text, pattern).fill_null(False), dtype=np.bool_)


def _refuse_ambiguous(unread: pa.Array, formats: tuple[str, ...], where: str) -> None:
    swapped = unread.filter(pa.array(_matching(unread, _AMBIGUOUS)))
    if any("%" in pattern for pattern in formats) or not len(swapped):
        return
    example = swapped[0].as_py()
    sign = next(letter for letter in example if not letter.isdigit())
    year = "%Y" if re.match(r"\d{4}", example.split(sign)[2]) else "%y"
    clock = ("", " %H:%M", " %H:%M:%S")[min(example.count(":"), 2)]
    raise InputError(
        f"{where} is written like {example!r}: which number is the day is never guessed. Say it in the mapping: "
        f'formats = ["%d{sign}%m{sign}{year}{clock}"] for day first, or ["%m{sign}%d{sign}{year}{clock}"] for '
        "month first."
    )


def month_numbers(text: pa.Array) -> npt.NDArray[np.int8]:
    """English month names, their first three letters, or numbers -> 1 to 12; 0 where it is none of them."""
    coded = text.dictionary_encode()
    codes = [MONTHS.get(str(name).casefold(), 0) for name in coded.dictionary.to_pylist()]
    table = np.array([*codes, 0], dtype=np.int8)
    return table[np.asarray(coded.indices.fill_null(len(codes)), dtype=np.int64)]


def spread_over_months(months: npt.NDArray[np.int8], *, first_year: int) -> npt.NDArray[np.int64]:
    """Moments for the rows of a file in date order of which only the month is known.

    The year grows by one whenever the month goes backwards. The rows of each run of one month are spread evenly over
    that month, the first at its first moment.

    Parameters
    ----------
    months : 1 to 12, in the order of the file; 0 where not known
    first_year : the year of the first row

    Returns
    -------
    Microseconds UTC, 0 where the month is not known.

    Examples
    --------
    >>> found = spread_over_months(np.array([12, 0, 2, 2], dtype=np.int8), first_year=2008)
    >>> found.astype("datetime64[us]").astype("datetime64[h]").tolist()[2:]
    [datetime.datetime(2009, 2, 1, 0, 0), datetime.datetime(2009, 2, 15, 0, 0)]
    """
    known = np.flatnonzero(months)
    values = months[known].astype(np.int64)
    found = np.zeros(len(months), np.int64)
    if not len(values):
        return found
    step = np.diff(values, prepend=values[0])
    years = first_year + np.cumsum(step < 0)
    run = np.cumsum(step != 0)
    starts = np.flatnonzero(np.diff(run, prepend=-1))
    lengths = np.diff(starts, append=len(values))
    place = np.arange(len(values)) - starts[run]
    month = ((years - 1970) * 12 + values - 1).astype("datetime64[M]")
    begin = month.astype("datetime64[us]").astype(np.int64)
    end = (month + 1).astype("datetime64[us]").astype(np.int64)
    found[known] = begin + (end - begin) * place // lengths[run]
    return found


def micros_of(moment: datetime) -> int:
    """A moment with a zone as microseconds UTC."""
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
