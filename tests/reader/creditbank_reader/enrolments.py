"""What the rules ask of an Enrolment (RULES.md, section 15)."""

from . import ledger as forms
from . import qualification
from .dates import first, has_happened, is_plausible_end, last, may_begin
from .grades import require

REGISTERED, LEAVE, WITHDRAWN, COMPLETED, EXCLUDED = range(1, 6)
ENDED = (WITHDRAWN, COMPLETED, EXCLUDED)
AHEAD_MONTHS_MAX = 12


def judge(register, institution, message, now):
    """Refuses an Enrolment of an institution that breaks a rule, on the latest day on earth."""
    programme = message.programme
    titled = any(title.has("language") and title.has("value") for title in programme.titles)
    require(programme.has("code") and titled, "MISSING_FIELD")
    require(message.has("from") and message.state, "MISSING_FIELD")
    ended = message.state in ENDED
    require(not ended or message.has("until"), "MISSING_FIELD")
    begin = getattr(message, "from")
    registered = message.state == REGISTERED
    require(may_begin(begin, now, AHEAD_MONTHS_MAX if registered else 0), "IMPLAUSIBLE_DATE")
    if message.has("until"):
        require(first(begin) <= last(message.until), "INVALID_DATE")
        came = has_happened(message.until, now) if ended else is_plausible_end(message.until, first(begin), now)
        require(came, "IMPLAUSIBLE_DATE")
    if message.has("definition"):
        named = message.definition
        definition = register.get(forms.KIND_DEFINITION, named.institution, named.code, named.version)
        require(definition is not None, "UNKNOWN_REFERENCE")
        require(qualification.confers(definition, institution), "NOT_THE_PUBLISHER")
