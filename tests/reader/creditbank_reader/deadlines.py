"""Terms of laws, and where the clock of a case stands (RULES.md, section 15, "Terms")."""

import datetime

from .dates import add_months, first, within

WORKING_DAYS, WEEKS, MONTHS = 2, 3, 4
COMPLETE_DOCUMENTS, APPEAL_PERIOD = 2, 3
ONE_DAY = datetime.timedelta(1)


def is_working_day(day, law):
    """No Saturday, Sunday or holiday that the law's entry lists."""
    return day.weekday() < 5 and all(first(holiday) != day for holiday in law.holidays)


def _next_working(day, law):
    while not is_working_day(day, law):
        day += ONE_DAY
    return day


def rolled(day, law):
    """The day, or the next working day where the law moves the ends of terms."""
    return _next_working(day, law) if law.rolls else day


def later(term, day, days, law):
    """So many days later, in the days that the term counts."""
    if term.unit != WORKING_DAYS:
        return day + datetime.timedelta(days)
    for _ in range(days):
        day = _next_working(day + ONE_DAY, law)
    return day


def counted(term, start, law):
    """The end of a term; the day of the event does not count."""
    if term.unit == MONTHS:
        return add_months(start, term.amount)
    return later(term, start, term.amount * (7 if term.unit == WEEKS else 1), law)


def bare_end(term, start, law):
    """The same with the full days of the law, before it is moved to a working day."""
    return counted(term, start, law) + (ONE_DAY if law.full_days else datetime.timedelta())


def end_of(term, start, law):
    """The last day of a term that runs from an event."""
    return rolled(bare_end(term, start, law), law)


def counts_as_notified(law, channel, notified, arrived):
    """The day on which a notice counts as received."""
    says = next((one for one in law.notices if one.channel == channel and within(notified, one)), None)
    deemed = notified if says is None else counted(says.after, notified, law)
    return deemed if arrived is None else max(arrived, deemed)


class Clock:
    """The time for a decision, which stands still while documents are missing."""

    def __init__(self, law, term, start, restarts=False):
        self.law, self.term, self.restarts = law, term, restarts
        self.end = None if term is None else bare_end(term, start, law)
        self.stopped, self.was_put_off = None, False

    def stop(self, day):
        """Documents are missing."""
        if self.stopped is None:
            self.stopped = day

    def go_on(self, day):
        """They have come: the first time, a term that runs from complete documents begins."""
        if self.stopped is None:
            return
        stopped, self.stopped = self.stopped, None
        restarts, self.restarts = self.restarts, False
        if self.end is not None:
            self.end = bare_end(self.term, day, self.law) if restarts else self._moved(stopped, day)

    def put_off(self, until):
        """The decision is put off."""
        self.was_put_off = True
        if self.end is not None:
            self.end = until

    def due(self):
        """The last day in time, or None."""
        if self.end is None or (self.stopped is not None and not self.law.stop_days_max):
            return None
        end = self.end if self.stopped is None else self._moved(self.stopped, datetime.date.max)
        return rolled(end, self.law)

    def _moved(self, stopped, until):
        if self.law.stop_days_max:
            until = min(until, stopped + datetime.timedelta(self.law.stop_days_max))
        days = max((until - stopped).days, 0)
        if self.term.unit == WORKING_DAYS:
            days = sum(is_working_day(stopped + ONE_DAY * (number + 1), self.law) for number in range(days))
        return later(self.term, self.end, days, self.law)
