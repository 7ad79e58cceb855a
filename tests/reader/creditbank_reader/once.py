"""What is used once, and until when it holds (PROTOCOL.md, section 5, Once)."""

from .ledger import approval_message
from .suite import sha256

VALID_MINUTES_MAX = 43_200


def is_in_time(until, created, sealed, corrections=()):
    """Whether a consent until a minute holds for a block of one minute that is sealed at another. `corrections`: the bounds
    of the corrections of the time, in milliseconds."""
    lasting = [bound // 60_000 + VALID_MINUTES_MAX for bound in corrections]
    newly = all(until > last for last in lasting if sealed <= last)
    return newly and sealed <= until <= created + VALID_MINUTES_MAX


def judge_approval(header, approval, used, now_ms, corrections):
    """The name that an approval of the right form gets, or None. `used`: digests that earlier blocks have used up."""
    if not is_in_time(approval.until_minute, header.created_at_minute, now_ms // 60_000, corrections):
        return "APPROVAL_EXPIRED"
    if sha256(approval_message(header, approval)) in used:
        return "APPROVAL_USED"
    return None
