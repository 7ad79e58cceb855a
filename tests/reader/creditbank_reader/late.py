"""What comes late says so: why, and what the rules give now (RULES.md, section 15, "Late")."""

from .conversion import plain
from .dates import first
from .grades import Broken, require

DECISION_DAYS, AWARD_DAYS = 60, 400
"""Most days from what a record names to its block."""


def refuses(judge, *given):
    """The name of the rule that refuses something, or nothing."""
    try:
        judge(*given)
    except Broken as rule:
        return str(rule)
    return ""


def _says(message):
    return message.late.on_recording if message.has("late") else None


def judge(scene, message, former, name, on=lambda day: ""):
    """Refuses what a record says of being late, whose day is in the field of a name. `on`: the name of the rule that
    refuses the same on another day."""
    day, before = getattr(message, name), scene.held.get(former)
    if before is not None and plain(getattr(before.body, name)) == plain(day):
        require(_says(message) == _says(before.body), "LATE")
    else:
        most = AWARD_DAYS if name == "conferred" else DECISION_DAYS
        is_late = (scene.created - first(day)).days > most
        require(is_late == message.has("late"), "LATE")
        require(not is_late or _says(message) == on(scene.created), "LATE")
    if message.has("late"):
        require(message.late.has("reason") and message.late.has("case_reference"), "MISSING_FIELD")
        require(scene.is_approved, "APPROVAL_MISSING")


def appeal(message, until):
    """Refuses what an appeal says of being late, against a decision with a last day or without one."""
    is_late = until is not None and first(message.received) > until
    require(is_late == message.has("late"), "LATE")
    require(not is_late or message.late.has("reason") and not message.late.has("on_recording"), "LATE")
