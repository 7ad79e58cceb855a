"""What is used once, and until when it holds (PROTOCOL.md, section 5, Once)."""

from .ledger import approval_message
from .suite import sha256

VALID_MINUTES_MAX = 43_200


def is_in_time(until, created, sealed):
    """Whether a consent until a minute holds for a block of one minute that is sealed at another."""
    return sealed <= until <= created + VALID_MINUTES_MAX


def judge_approval(header, approval, used, now_ms):
    """The name that an approval of the right form gets, or None. `used`: digests that earlier blocks have used up."""
    if not is_in_time(approval.until_minute, header.created_at_minute, now_ms // 60_000):
        return "APPROVAL_EXPIRED"
    if sha256(approval_message(header, approval)) in used:
        return "APPROVAL_USED"
    return None
