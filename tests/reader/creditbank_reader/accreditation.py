"""Which credits an accreditation covers (RULES.md, section 15)."""

from . import dates
from .courses import key


def covers(entry, credit):
    """Whether an accreditation covers a credit, as far as it is opened, on the last day of its period."""
    if not credit.has("period") or not credit.period.has("until") or not dates.is_real(credit.period.until):
        return False
    course = credit.course.code if credit.has("course") else ""
    site = credit.place.name if credit.has("place") else ""
    level = credit.level.raw if credit.has("level") else None
    field = credit.field if credit.has("field") else ""
    return (dates.within(dates.last(credit.period.until), entry)
            and (not entry.levels or any(one.raw == level for one in entry.levels))
            and (not entry.fields or any(field.startswith(one) for one in entry.fields))
            and (not entry.modes or (credit.has("mode") and credit.mode in entry.modes))
            and (not entry.programmes or any(key(course).startswith(key(one)) for one in entry.programmes))
            and (not entry.sites or site in entry.sites))
