"""How old is what a transcript says (PROTOCOL.md, section 13, Age)."""

from dataclasses import dataclass

AHEAD_MAX_MS = 300_000
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Freshness:
    """How old a status may be for a verifier."""

    current_within_ms: int = 24 * HOUR_MS
    stale_after_ms: int = 720 * HOUR_MS


@dataclass(frozen=True)
class Currency:
    """How old a status is."""

    as_of_ms: int
    age_ms: int
    by_witnesses: bool
    state: str


def currency(sealed_ms, cosigned_s, now_ms, freshness, is_former=False):
    """The age of a status under a seal of one time; `cosigned_s`: that of the quorum, None without one.
    Of a former origin it is stale."""
    times = [sealed_ms] if cosigned_s is None else [sealed_ms, cosigned_s * 1000]
    age = max(0, now_ms - min(times))
    if max(times) > now_ms + AHEAD_MAX_MS:
        state = "clock"
    elif is_former or age > freshness.stale_after_ms:
        state = "stale"
    else:
        state = "not current" if age > freshness.current_within_ms else "current"
    return Currency(min(times), age, cosigned_s is not None, state)


def reliance(valid, state):
    """What a verifier makes of it all; the first that holds."""
    if not valid:
        return "doubtful"
    return state if state in ("clock", "stale") else "good"
