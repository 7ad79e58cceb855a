"""Status ids, marks and transitions (PROTOCOL.md, section 8)."""

from .suite import tagged_hash, uint, var
from .wire import Refused

NAMES = {1: "superseded", 2: "revoked", 3: "redeemed", 4: "confirmed", 5: "disputed", 6: "under review",
         7: "reinstated"}
SUPERSEDED, REVOKED, REDEEMED, CONFIRMED, DISPUTED, UNDER_REVIEW, REINSTATED = NAMES
RELEASE, REINSTATE = 4, 10

SETS = {
    1: (SUPERSEDED, {SUPERSEDED, REVOKED}),
    2: (REVOKED, {REVOKED, SUPERSEDED}),
    3: (REDEEMED, {REDEEMED, SUPERSEDED, REVOKED, UNDER_REVIEW}),
    5: (CONFIRMED, {SUPERSEDED, REVOKED}),
    6: (DISPUTED, {DISPUTED, SUPERSEDED, REVOKED}),
    8: (UNDER_REVIEW, {UNDER_REVIEW, SUPERSEDED, REVOKED}),
}
"""Action -> the mark that it sets, and the marks that forbid it."""

CLEARS = {RELEASE: REDEEMED, 7: DISPUTED, 9: UNDER_REVIEW}
"""Action -> the mark that it clears."""


def status_id(entry_leaf, index, record_hash):
    """The key of a record in the status tree."""
    return tagged_hash("status-id", entry_leaf, uint(32, index), record_hash)


def spell(marks):
    """The bytes of marks (number -> log index)."""
    return b"".join(uint(8, number) + uint(64, marks[number]) for number in sorted(marks))


def unspell(data):
    """The marks of their bytes, which have one spelling."""
    marks = {data[at]: int.from_bytes(data[at + 1:at + 9], "big") for at in range(0, len(data), 9)}
    if any(number not in NAMES for number in marks) or spell(marks) != data:
        raise Refused("marks in another spelling")
    return marks


def value_hash(marks):
    """The value hash of a status leaf."""
    return tagged_hash("status-marks", var(spell(marks)))


def ended(marks):
    """Superseded or revoked, where one of them stands."""
    return next((mark for mark in (SUPERSEDED, REVOKED) if mark in marks), None)


def is_contested(marks, entry, is_suspect):
    """Whether the marks of a record of the block at `entry` make it contested."""
    mark = ended(marks)
    if mark is not None:
        return is_suspect(marks[mark])
    suspect = [at for at in (entry, marks.get(REINSTATED)) if at is not None and is_suspect(at)]
    if not suspect:
        return False
    confirmed = marks.get(CONFIRMED)
    return confirmed is None or confirmed <= max(suspect) or is_suspect(confirmed)


def _reinstate(marks, index, redemption, contested):
    mark = ended(marks)
    if contested is None:
        return None
    if redemption is not None:
        return None if REDEEMED in marks else {**marks, REDEEMED: redemption}
    if mark is None:
        return None if UNDER_REVIEW in marks else {**marks, UNDER_REVIEW: index}
    if marks[mark] != contested:
        return None
    return {**{number: at for number, at in marks.items() if number != mark}, REINSTATED: index}


def apply(marks, action, index, redemption=None, contested=None):
    """The marks after an action of the block at `index`, or None when it is refused."""
    if action == REINSTATE:
        return _reinstate(marks, index, redemption, contested)
    if action in SETS:
        mark, forbidding = SETS[action]
        return None if forbidding & marks.keys() else {**marks, mark: index}
    mark = CLEARS.get(action)
    if mark not in marks or (action == RELEASE and marks[mark] != redemption):
        return None
    return {number: at for number, at in marks.items() if number != mark}
