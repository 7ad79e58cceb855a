"""Grades: their order, and how one is suggested in another scale (PROTOCOL.md, sections 15 and 17)."""

import re
from fractions import Fraction

from . import ledger as forms
from .dates import last

E4 = 10_000
MAX_E4 = 10_000_000_000
DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]{1,4})?", re.ASCII)
NONE, TABLE, ECTS, FORMULA = 1, 2, 3, 4
COMPENSATED, CONDONED = 2, 3
MINIMUM, AVERAGE, MAXIMUM = 1, 2, 3
NEAREST, FAVOURABLE, UNFAVOURABLE = 1, 2, 3


class Broken(Exception):
    """A rule that is broken, by its name."""


def require(condition, rule):
    """Refuses by name."""
    if not condition:
        raise Broken(rule)


def parse(text):
    """A decimal in ten-thousandths, or None."""
    if not DECIMAL.fullmatch(text):
        return None
    whole, _, places = text.partition(".")
    found = int(whole) * E4 + int((places + "0000")[:4])
    return found if found <= MAX_E4 else None


def show(e4, places=0):
    """A number with as many decimals as it has, at least so many."""
    whole, rest = divmod(e4, E4)
    decimals = f"{rest:04}".rstrip("0").ljust(places, "0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def number(scale, value):
    """The number of a grade that the scale does not list but has, or None."""
    if any(one.value == value for one in scale.listed) or not scale.has("numeric"):
        return None
    found, bounds = parse(value), scale.numeric
    if found is None or not bounds.min_e4 <= found <= bounds.max_e4:
        return None
    if bounds.step_e4 and (found - bounds.min_e4) % bounds.step_e4:
        return None
    return found


def passes(scale, value):
    """Whether a grade passes; None where it is none of the scale."""
    for one in scale.listed:
        if one.value == value:
            return bool(getattr(one, "pass"))
    found = number(scale, value)
    if found is None:
        return None
    bounds = scale.numeric
    return found <= bounds.pass_e4 if bounds.lower_is_better else found >= bounds.pass_e4


def rank(scale, value):
    """The place of a grade in its scale, the smaller the better; None where it is none of the scale."""
    for at, one in enumerate(scale.listed):
        if one.value == value:
            return (0 if getattr(one, "pass") else 2, at)
    found = number(scale, value)
    if found is None:
        return None
    return (1, found if scale.numeric.lower_is_better else -found)


def spell(scale, e4):
    """A number as the scale writes it, or None where it is none of its grades."""
    for one in scale.listed:
        if parse(one.value) == e4:
            return one.value
    if not scale.has("numeric"):
        return None
    places = show(scale.numeric.step_e4).partition(".")[2]
    text = show(e4, len(places))
    return text if number(scale, text) is not None else None


def suggest(register, rule, source, receiver, day):
    """Value and steps of the suggested grade, or None where there is none. `source`: grade, institution, field."""
    if rule is None or rule.method == NONE or source.grade is None or source.grade.scale != rule.source_scale:
        return None
    scales = register.scale(rule.source_scale), register.scale(rule.target_scale)
    passing = passes(scales[0], source.grade.value)
    if passing is False and source.basis in (COMPENSATED, CONDONED):
        try:
            return (_table(rule, scales[0], source.grade.value), {"method": TABLE}) if rule.method == TABLE else None
        except Broken:
            return None
    require(passing is True, "GRADE_NOT_A_PASS")
    if rule.method == TABLE:
        return _table(rule, scales[0], source.grade.value), {"method": TABLE}
    if rule.method == ECTS:
        return _ects(register, rule, scales, (source, receiver, day))
    return _formula(rule.formula, scales[1], source.grade.value)


def _table(rule, scale, value):
    listed = any(one.value == value for one in scale.listed)
    found = None if listed else parse(value)
    for row in rule.rows:
        if row.has("value"):
            if listed and row.value == value:
                return row.target
        elif found is not None and row.min_e4 <= found <= row.max_e4:
            return row.target
    raise Broken("UNKNOWN_GRADE")


def _distribution(register, institution, scale, rule, field, day):
    fits = [one for one in register.all(forms.KIND_DISTRIBUTION)
            if one.institution == institution and one.scale == scale and one.cycle == rule.cycle
            and field.startswith(one.field) and last(one.period.until) <= day]
    require(fits, "UNKNOWN_REFERENCE")
    return max(fits, key=lambda one: (len(one.field), last(one.period.until), one.number))


def _ranges(scale, distribution):
    """(rank, value, lower end, upper end) of the passing grades that somebody got, best first."""
    counts = [(one.value, one.count) for one in distribution.counts if one.count and passes(scale, one.value)]
    total = sum(count for _, count in counts)
    require(total, "UNKNOWN_REFERENCE")
    rows, before = [], 0
    for value, count in counts:
        rows.append((rank(scale, value), value, Fraction(before, total), Fraction(before + count, total)))
        before += count
    return rows


def _ects(register, rule, scales, compared):
    source, receiver, day = compared
    own = _distribution(register, source.institution, rule.source_scale, rule, source.field, day)
    other = _distribution(register, receiver, rule.target_scale, rule, source.field, day)
    wanted = rank(scales[0], source.grade.value)
    rows = _ranges(scales[0], own)
    low = max((row[3] for row in rows if row[0] < wanted), default=Fraction(0))
    high = next((row[3] for row in rows if row[0] == wanted), low)
    targets = _ranges(scales[1], other)
    overlapped = [row for row in targets if max(low, row[2]) < min(high, row[3])]
    if rule.overlap == MINIMUM and overlapped:
        found = overlapped[-1]
    elif rule.overlap == MAXIMUM and overlapped:
        found = overlapped[0]
    else:
        found = next(row for row in targets if row[3] >= (low + high) / 2)
    name = {"from": ratio(low), "until": ratio(high), "method": ECTS}
    for label, one in (("source_distribution", own), ("target_distribution", other)):
        name[label] = {"institution": one.institution, "number": one.number}
    value = found[1]
    e4 = number(scales[1], value)
    return (value if e4 is None else spell(scales[1], e4)), name


def _formula(formula, scale, value):
    ordinals = {one.value: one.e4 for one in formula.ordinals}
    grade = ordinals.get(value, parse(value))
    require(grade is not None, "UNKNOWN_GRADE")
    best, worst = formula.source_best_e4, formula.source_pass_e4
    grade = min(grade, best) if best > worst else max(grade, best)
    require(grade >= worst if best > worst else grade <= worst, "GRADE_NOT_A_PASS")
    exact = formula.target_best_e4 + (formula.target_pass_e4 - formula.target_best_e4) * Fraction(best - grade, best - worst)
    cut = exact
    if formula.truncate_places_plus_1:
        unit = 10 ** (4 - (formula.truncate_places_plus_1 - 1))
        cut = Fraction(int(exact) // unit * unit)
    found = _step(formula, cut)
    require(found.denominator == 1, "UNKNOWN_GRADE")
    text = spell(scale, int(found))
    require(text is not None, "UNKNOWN_GRADE")
    return text, {"method": FORMULA, "exact_e4": ratio(exact)}


def _step(formula, cut):
    steps = [Fraction(step) for step in formula.steps_e4]
    if not steps:
        return cut
    falling = formula.target_best_e4 > formula.target_pass_e4
    better = [step for step in steps if (step >= cut if falling else step <= cut)]
    worse = [step for step in steps if (step <= cut if falling else step >= cut)]
    favourable = better[-1] if better else steps[0]
    unfavourable = worse[0] if worse else steps[-1]
    if formula.choice == FAVOURABLE:
        return favourable
    if formula.choice == UNFAVOURABLE:
        return unfavourable
    return unfavourable if abs(unfavourable - cut) < abs(favourable - cut) else favourable


def ratio(value):
    """A fraction as the schema has it."""
    require(value.numerator <= MAX_E4 and value.denominator <= MAX_E4, "OUTSIDE_SCOPE")
    return {"numerator": value.numerator, "denominator": value.denominator}
