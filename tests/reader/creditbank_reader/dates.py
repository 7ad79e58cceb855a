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


def add_months(day, months, keep_end=False):
    """The same day so many months later, or the month's last. With `keep_end`, the last of a month stays one."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    end = calendar.monthrange(year, month + 1)[1]
    at_end = keep_end and day.day == calendar.monthrange(day.year, day.month)[1]
    return datetime.date(year, month + 1, end if at_end else min(day.day, end))
