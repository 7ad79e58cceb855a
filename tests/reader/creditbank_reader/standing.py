"""The standing of a record in one word, by the order of precedence of PROTOCOL.md, section 13."""

from . import dates

ORDER = ("revoked", "superseded", "incomplete", "contested", "disputed", "issuer not trusted", "redeemed", "under review",
         "expired", "authentic")
VALID = ORDER[6:]
"""Of which a verifier may call the record valid."""
SUPERSEDE, REVOKE = 1, 2
KINDS_THAT_EXPIRE = {2, 3, 15}
"""Outcome, Credit and QualificationRecognition: those that have `expires` of their own."""


def standing(record):
    """The first of the order that holds of a proved record."""
    holds = {
        "revoked": record.ended == REVOKE and not record.contested,
        "superseded": record.ended == SUPERSEDE and not record.contested,
        "incomplete": bool(record.hidden),
        "contested": record.contested,
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
