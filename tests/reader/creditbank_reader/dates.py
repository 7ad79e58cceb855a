"""Dates: a date without a day is a whole month (RULES.md, section 15)."""

import calendar
import datetime

OPEN_BEGIN, OPEN_END = datetime.date.min, datetime.date.max


def is_real(date):
    """Whether a Date message is one of the calendar."""
    if not 1 <= date.year <= 9999 or not 1 <= date.month <= 12:
        return False
    return date.day <= calendar.monthrange(date.year, date.month)[1]


def first(date):
    """The first day that a Date stands for."""
    return datetime.date(date.year, date.month, date.day or 1)


def last(date):
    """The last day that a Date stands for."""
    return datetime.date(date.year, date.month, date.day or calendar.monthrange(date.year, date.month)[1])


def within(day, holder):
    """Whether a day lies between `from` and `until` of a message, both included; never where one of them does not exist."""
    begin, end = getattr(holder, "from"), holder.until
    if (holder.has("from") and not is_real(begin)) or (holder.has("until") and not is_real(end)):
        return False
    return (first(begin) if holder.has("from") else OPEN_BEGIN) <= day <= (last(end) if holder.has("until") else OPEN_END)


def of_ms(time_ms):
    """The day (UTC) of a time in milliseconds since 1970."""
    epoch, days = datetime.date(1970, 1, 1), time_ms // 86_400_000
    return datetime.date.max if days > (datetime.date.max - epoch).days else epoch + datetime.timedelta(days=days)


EARLIEST = datetime.date(1900, 1, 1)
PERIOD_MONTHS_MAX, EXPIRY_MONTHS_MAX = 240, 1200


def latest(minute):
    """The latest day on earth at a minute since 1970: that of UTC+14."""
    return of_ms((minute + 840) * 60_000)


def earliest(minute):
    """The earliest day on earth at a minute since 1970: that of UTC-12; none before 1970."""
    return of_ms(max(minute - 720, 0) * 60_000)


def has_happened(date, now):
    """Whether a date lies from 1900 to now."""
    return EARLIEST <= first(date) <= now


def is_plausible_period(begin, end, now, planned):
    """Whether a period can be meant whose first and last day are real and in order."""
    begun = begin <= (add_months(now, PERIOD_MONTHS_MAX) if planned else now)
    return EARLIEST <= begin and begun and (end <= now or end <= add_months(begin, PERIOD_MONTHS_MAX))


def may_begin(date, now, months):
    """Whether something can begin on a date, at most so many months from now."""
    return EARLIEST <= first(date) <= add_months(now, months)


def is_plausible_end(date, begin, now):
    """Whether a date can be the last day of what began on a day, and may not have ended."""
    return last(date) <= now or last(date) <= add_months(begin, PERIOD_MONTHS_MAX)


def is_plausible_expiry(date, now):
    """Whether something can expire on a date."""
    return EARLIEST <= first(date) and last(date) <= add_months(now, EXPIRY_MONTHS_MAX)


def add_months(day, months, keep_end=False):
    """The same day so many months later, or the month's last. With `keep_end`, the last of a month stays one."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    end = calendar.monthrange(year, month + 1)[1]
    at_end = keep_end and day.day == calendar.monthrange(day.year, day.month)[1]
    return datetime.date(year, month + 1, end if at_end else min(day.day, end))
