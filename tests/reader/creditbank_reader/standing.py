"""The standing of a record in one word, by the order of precedence of PROTOCOL.md, section 13."""

from . import dates

ORDER = ("revoked", "superseded", "incomplete", "contested", "disputed", "not visible yet", "issuer not trusted",
         "redeemed", "under review", "expired", "authentic")
VALID = ORDER[7:]
"""Of which a verifier may call the record valid."""
SUPERSEDE, REVOKE = 1, 2
KINDS_THAT_EXPIRE = {2, 3, 15}
"""Outcome, Credit and QualificationRecognition: those that have `expires` of their own."""
KINDS_WITH_EMBARGO = {2, 3, 4}
"""Outcome, Credit and Result: those that have `visible_from`."""


def standing(record):
    """The first of the order that holds of a proved record."""
    holds = {
        "revoked": record.ended == REVOKE and not record.contested,
        "superseded": record.ended == SUPERSEDE and not record.contested,
        "incomplete": bool(record.hidden),
        "contested": record.contested,
        "not visible yet": record.embargoed,
        "issuer not trusted": not record.trusted,
        "redeemed": record.redeemed is not None,
        "under review": record.under_review is not None,
        "expired": record.expired,
        "authentic": True,
    }
    return next(name for name in ORDER if holds.get(name))


def has_expired(opened, day):
    """Whether a record of one of these kinds says that its time ended before a day."""
    date = opened.expires if opened.has("expires") else None
    return date is not None and dates.is_real(date) and dates.last(date) < day


def is_embargoed(opened, day):
    """Whether a record of one of the kinds with an embargo may not be shown on a day."""
    date = opened.visible_from if opened.has("visible_from") else None
    return date is not None and dates.is_real(date) and day < dates.first(date)
