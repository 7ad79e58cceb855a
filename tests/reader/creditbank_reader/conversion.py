"""Conversions, computed from their sources (RULES.md, section 17)."""

from dataclasses import dataclass
from dataclasses import field as of_class
from fractions import Fraction

from . import grades
from . import ledger as forms
from .dates import add_months, first, last
from .grades import MAX_E4, Broken, ratio, require
from .register import KIND_CREDIT_UNIT, KIND_LEVEL_MAP

KIND_OUTCOME, KIND_CREDIT, KIND_CONVERSION, KIND_RECOGNITION = 2, 3, 12, 15
DOWN, HALF_EVEN, HALF_UP = 1, 2, 3
LUMP = 2
COURSE, TEST, NON_FORMAL = 1, 2, 3
TEST_SCORE = 3
MODE_RPL = 5
HAD_MAX, ROOTS_MAX = 16, 256
WHOLE = Fraction(1)
EARNED = 1


def plain(message):
    """A message as a dictionary of what is written in it."""
    return {name: _plain(value) for name, value in message.values.items()}


def _plain(value):
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return plain(value) if hasattr(value, "values") else value


def clean(value):
    """Without what a canonical message does not write."""
    if isinstance(value, dict):
        found = {name: clean(item) for name, item in value.items()}
        return {name: item for name, item in found.items() if item not in (None, 0, "", b"", [], {})}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value


@dataclass
class Root:
    """A record that was earned."""

    place: dict
    status_id: bytes
    fraction: Fraction
    part: int
    had: list = of_class(default_factory=list)
    """(unit, amount) in their order."""

    def bound(self, unit):
        """The most that its part can be in a unit; None where it has not been."""
        for name, e4 in self.had:
            if name == unit:
                return int(self.fraction * e4)
        return None

    def key(self):
        """Its place."""
        return self.place.get("entry", 0), self.place.get("index", 0)

    def shown(self):
        """As a result has it."""
        had = [{"e4": e4, "unit": unit} for unit, e4 in self.had]
        return {"place": self.place, "status_id": self.status_id, "fraction": ratio(self.fraction), "had": had,
                "part_e4": self.part}


@dataclass
class Source:
    """What a record, or one of its results, states."""

    record: dict
    result_plus_1: int
    kind: int
    institution: int
    message: object
    course: object = None
    amount: object = None
    level: object = None
    field: str = ""
    grade: object = None
    mode: int = 0
    basis: int = 0
    period: object = None
    expires: object = None
    outcome: int = 0
    declared: bool = False
    roots: list = of_class(default_factory=list)

    def shown(self):
        """As a Conversion copies it."""
        parts = {name: plain(getattr(self, name)) for name in ("course", "amount", "level", "period")
                 if getattr(self, name) is not None}
        grade = None if self.grade is None else {"scale": self.grade.scale, "value": self.grade.value}
        return {"record": self.record, "result_plus_1": self.result_plus_1, "institution": self.institution,
                "field": self.field, "grade": grade, "mode": self.mode, "basis": self.basis, **parts}


def _of(message, name):
    return getattr(message, name) if message.has(name) else None


def read_source(records, case):
    """The source that a record and the number of a result give."""
    message = records.read(case["kind"], 1, bytes.fromhex(case["body"]))
    record = {"place": {"entry": case["entry"], "index": case["index"]}, "status_id": bytes.fromhex(case["status_id"])}
    result = case["result_plus_1"]
    found = Source(clean(record), result, case["kind"], case["institution"], message)
    if case["kind"] in (KIND_CREDIT, KIND_OUTCOME):
        require(result == 0, "SOURCE_NOT_USABLE")
        own = message
    else:
        results = message.results if case["kind"] == KIND_CONVERSION else message.exemptions
        require(0 < result <= len(results), "SOURCE_NOT_USABLE")
        own = results[result - 1]
        found.declared = bool(own.declared)
    for name in ("course", "amount", "level", "grade", "period", "expires"):
        setattr(found, name, _of(own, name))
    found.field, found.mode = own.field, own.mode
    found.basis = 0 if case["kind"] == KIND_OUTCOME else own.basis
    if case["kind"] == KIND_OUTCOME:
        found.amount, found.grade, found.outcome = None, _of(message, "score"), message.type
    bare = case["kind"] in (KIND_CREDIT, KIND_OUTCOME)
    found.roots = [_itself(found, 1)] if bare else _roots(own) or [_itself(found, len(results))]
    return found


def _itself(source, share):
    """A record as the root of each of so many results."""
    part = source.amount.e4 if source.amount is not None else 0
    had = [(source.amount.unit, min(share * part, MAX_E4))] if source.amount is not None else []
    return Root(source.record["place"], source.record["status_id"], Fraction(1, share), part, had)


def _roots(own):
    return [Root(plain(root.place), root.status_id, Fraction(root.fraction.numerator, root.fraction.denominator), root.part_e4,
                 [(amount.unit, amount.e4) for amount in root.had]) for root in own.roots]


@dataclass
class Account:
    """The standing conversions of the learner at the receiver under one code."""

    before: Fraction = Fraction(0)
    given: int = 0
    granted: int = 0
    used: set = of_class(default_factory=set)

    def add(self, conversion):
        """One of them more."""
        for source in conversion.sources:
            place = source.record.place
            self.used.add((place.entry, place.index, source.result_plus_1))
        if conversion.has("amount_steps"):
            steps = conversion.amount_steps
            self.before += Fraction(int(steps.exact_numerator), int(steps.exact_denominator))
            self.given += steps.granted_e4 + steps.over_learner_cap_e4 + steps.over_root_cap_e4
            self.granted += steps.granted_e4


class Converter:
    """Computes what a conversion must say. What the receiver may choose is read from the conversion. `day`: another one
    than that of the decision; `promised`: that of the advance decision which it carries out."""

    def __init__(self, register, receiver, sources, account, conversion, day=None, promised=None):
        self.register = register
        self.receiver = receiver
        self.sources = sources
        self.account = account
        self.conversion = conversion
        self.day = day or first(conversion.decided)
        self.promised = promised

    def compute(self):
        """Sources, results and amount steps; raises Broken with the rule."""
        self._check_sources()
        rights = [self.conversion.has(name) for name in ("agreement", "equivalence", "assessment", "declared")]
        require(rights.count(True) == 1, "MISSING_FIELD")
        if rights[0]:
            results, steps = self._agreed()
        elif rights[1]:
            results, steps = self._equivalent(), None
        else:
            results, steps = self._assessed() if rights[2] else self._declared(), None
        return clean({"sources": [source.shown() for source in self.sources], "results": results, "amount_steps": steps})

    def _chosen(self, index):
        """What the conversion states of the result of a source."""
        for result in self.conversion.results:
            if max(result.source_plus_1, 1) == index + 1:
                return result
        return None

    def _check_sources(self):
        require(len(self.sources) <= 256 and (self.sources or self.conversion.has("declared")), "MISSING_FIELD")
        roots = []
        for source in self.sources:
            require(source.expires is None or self.day <= last(source.expires), "SOURCE_NOT_USABLE")
            amount = source.amount.e4 if source.amount is not None else 0
            require(source.roots and sum(root.part for root in source.roots) == amount, "SOURCE_NOT_USABLE")
            key = (source.record["place"].get("entry", 0), source.record["place"].get("index", 0), source.result_plus_1)
            require(key not in self.account.used, "ALREADY_SPENT")
            roots += [root.key() for root in source.roots]
        require(len(roots) == len(set(roots)), "ALREADY_SPENT")

    def _age(self, source, months):
        if not months:
            return
        require(source.period is not None and source.period.has("until"), "OUTSIDE_SCOPE")
        require(self.day <= add_months(last(source.period.until), months, keep_end=True), "OUTSIDE_SCOPE")

    def _judged_on(self, recorded, in_force):
        """The day on which agreement or equivalence are judged: also that of a promise, where they have ended since."""
        day = self.day if self.promised is None or in_force(self.day) else self.promised
        require(in_force(day) and recorded <= day, "NOT_IN_FORCE")
        return day

    def _agreed(self):
        name = self.conversion.agreement
        agreement = self.register.agreements.get((name.code, name.version))
        require(agreement is not None, "UNKNOWN_REFERENCE")
        recorded = self.register.recorded_on(forms.KIND_ACCEPTANCE, name.code, name.version)
        day = self._judged_on(recorded, lambda day: self.register.in_force(agreement, day))
        terms = agreement.terms
        for source in self.sources:
            require(self.register.speaks_for(terms, source.institution, self.receiver, day), "OUTSIDE_SCOPE")
            require(_covers(terms, source), "OUTSIDE_SCOPE")
            require(not self._better(terms, source, day), "NOT_MOST_SPECIFIC")
            self._age(source, terms.age_months_max)
        groups = [self.sources] if terms.apportionment == LUMP else [[source] for source in self.sources]
        granted = Amounts(terms, groups, self.account)
        results = []
        for index, group in enumerate(groups):
            results.append(self._result(terms, group, index, granted))
        return results, granted.steps

    def _better(self, terms, source, day):
        for other in self.register.agreements.values():
            if other.terms.tier < terms.tier and self.register.in_force(other, day) \
                    and self.register.speaks_for(other.terms, source.institution, self.receiver, day) \
                    and _covers(other.terms, source):
                return True
        return False

    def _result(self, terms, group, index, granted):
        chosen = self._chosen(0 if len(group) > 1 else index)
        level = self._level(terms, group, chosen)
        single = len(group) == 1
        source = group[0]
        rule = terms.grades if terms.has("grades") else None
        suggested = grades.suggest(self.register, rule, source, self.receiver, self.day) if single else None
        parts = self._grade(rule, suggested, chosen)
        roots = granted.settle(index)
        require(len(roots) <= ROOTS_MAX, "OUTSIDE_SCOPE")
        fields, modes = {one.field for one in group}, {one.mode for one in group}
        require(len({one.basis for one in group}) == 1, "OUTSIDE_SCOPE")
        ends = [one.expires for one in group if one.expires is not None]
        return {"course": plain(source.course) if single and source.course is not None else None,
                "amount": {"e4": granted.shares[index], "unit": terms.target_unit}, "level": level,
                "field": source.field if len(fields) == 1 else "", "mode": source.mode if len(modes) == 1 else 0,
                "period": _period(group), "roots": [root.shown() for root in roots],
                "source_plus_1": index + 1 if single else 0, "basis": source.basis,
                "declared": any(one.declared for one in group),
                "expires": plain(min(ends, key=last)) if ends else None, **parts}

    def _grade(self, rule, suggested, chosen):
        if suggested is None:
            require(chosen is None or not chosen.has("suggested"), "CONVERSION_DIFFERS")
            return {}
        value, steps = suggested
        grade = {"scale": rule.target_scale, "value": value}
        found = {"grade": grade, "grade_steps": steps}
        if chosen is not None and chosen.has("suggested") and plain(chosen.grade) != grade:
            require(chosen.has("override_reason"), "MISSING_FIELD")
            passing = chosen.grade.scale == rule.target_scale and \
                grades.passes(self.register.scale(rule.target_scale), chosen.grade.value)
            require(passing, "GRADE_NOT_A_PASS")
            found |= {"grade": plain(chosen.grade), "suggested": grade, "override_reason": chosen.override_reason}
        return found

    def _level(self, terms, group, chosen):
        sets = [None if one.level is None else self._comparable(terms, one.level) for one in group]
        if any(found is None for found in sets):
            return None
        common = [level for level in sets[0] if all(level in found for found in sets)]
        if not common:
            return None
        if all(len(found) == 1 for found in sets):
            return dict(zip(("framework", "level"), common[0]))
        stated = (chosen.level.framework, chosen.level.level) if chosen is not None and chosen.has("level") else None
        require(stated in common, "UNDEFINED_LEVEL")
        return dict(zip(("framework", "level"), stated))

    def _comparable(self, terms, level):
        same = [(level.framework, level.level)]
        of_map = self.register.get(KIND_LEVEL_MAP, terms.level_map) if terms.has("level_map") else None
        if of_map is None and not terms.level_rows:
            return same
        pair = (terms.level_from_framework, terms.level_to_framework)
        if of_map is not None and not pair[0]:
            pair = (of_map.from_framework, of_map.to_framework)
        if level.framework == pair[1]:
            return same
        applied = of_map is not None and not of_map.withdrawn
        rows = [*terms.level_rows, *(of_map.rows if applied else [])]
        row = next((row for row in rows if row.has("from") and getattr(row, "from") == level.level
                    and level.framework == pair[0]), None)
        require(row is not None and row.to, "UNDEFINED_LEVEL")
        return [(pair[1], to) for to in row.to]

    def _equivalent(self):
        name = self.conversion.equivalence
        found = self.register.get(forms.KIND_EQUIVALENCE, name.institution, name.code, name.version)
        require(found is not None, "UNKNOWN_REFERENCE")
        require(found.institution == self.receiver, "NOT_THE_PUBLISHER")
        recorded = self.register.recorded_on(forms.KIND_EQUIVALENCE, name.institution, name.code, name.version)
        self._judged_on(recorded, lambda day: self.register.newest(forms.KIND_EQUIVALENCE, found, day))
        results = []
        for index, source in enumerate(self.sources):
            self._accepts(found, source)
            given = {part: plain(getattr(found, part)) for part in ("level", "grade") if found.has(part)}
            results.append({"course": plain(found.target), "field": found.field, "mode": source.mode, "basis": source.basis,
                            "declared": source.declared, **given, **_fixed(source, found.amount, index)})
        return results

    def _accepts(self, found, source):
        require(source.institution == found.source_institution, "OUTSIDE_SCOPE")
        outcome = source.kind == KIND_OUTCOME
        if found.type == COURSE:
            fits = not outcome
        elif found.type == TEST:
            fits = outcome and source.outcome == TEST_SCORE
        else:
            fits = outcome and source.outcome != TEST_SCORE and found.source_outcome in (0, source.outcome)
        course = source.course.code if source.course is not None else ""
        same = course and self.register.course(source.institution, course).is_named(found.source_course)
        require(fits and (not found.source_course or same), "OUTSIDE_SCOPE")
        if found.has("minimum"):
            require(source.grade is not None and self._reaches(source.grade, found.minimum), "OUTSIDE_SCOPE")
        scale = self.register.scale(source.grade.scale) if source.grade is not None else None
        require(scale is None or grades.passes(scale, source.grade.value) is not False, "GRADE_NOT_A_PASS")
        self._age(source, found.age_months_max)

    def _reaches(self, grade, least):
        if grade.scale != least.scale:
            return False
        scale = self.register.scale(least.scale)
        if scale is None:
            pair = grades.parse(grade.value), grades.parse(least.value)
            return None not in pair and pair[0] >= pair[1]
        pair = grades.rank(scale, grade.value), grades.rank(scale, least.value)
        return None not in pair and pair[0] <= pair[1]

    def _known(self, stated):
        there = stated is not None and stated.course.has("code") and stated.course.titles and stated.has("amount")
        require(there, "MISSING_FIELD")
        require(self.register.get(KIND_CREDIT_UNIT, stated.amount.unit) is not None, "UNKNOWN_CREDIT_UNIT")
        level = not stated.has("level") or self.register.has_level(stated.level.framework, stated.level.level)
        require(level, "UNKNOWN_LEVEL")
        require(not stated.has("field") or 2 <= len(stated.field) <= 4 and stated.field.isdigit(), "INVALID_CODE")
        if stated.has("grade"):
            scale = self.register.scale(stated.grade.scale)
            passing = None if scale is None else grades.passes(scale, stated.grade.value)
            require(passing is not None, "UNKNOWN_GRADE")
            require(passing, "GRADE_NOT_A_PASS")

    def _assessed(self):
        said = self.conversion.assessment
        require(said.has("assessor") and said.has("method") and said.has("evidence_digest"), "MISSING_FIELD")
        results = []
        for index, source in enumerate(self.sources):
            require(source.kind == KIND_OUTCOME, "OUTSIDE_SCOPE")
            stated = self._chosen(index)
            self._known(stated)
            results.append({"mode": MODE_RPL, **_given(stated), **_fixed(source, stated.amount, index)})
        return results

    def _declared(self):
        said = self.conversion.declared
        require(said.has("reference") and said.has("legal_basis"), "MISSING_FIELD")
        recorded = self.register.recorded_on(forms.KIND_INSTITUTION, self.receiver)
        require(self.day < recorded, "INVALID_DATE")
        results = []
        for index, source in enumerate(self.sources):
            stated = self._chosen(index)
            self._known(stated)
            results.append({"mode": source.mode, "basis": source.basis, "declared": True, **_given(stated),
                            **_fixed(source, stated.amount, index)})
        return results if self.sources else self._of_nothing()

    def _of_nothing(self):
        """What is declared of what is not in the ledger."""
        require(1 <= len(self.conversion.results) <= 256, "MISSING_FIELD")
        results = []
        for stated in self.conversion.results:
            self._known(stated)
            begun = first(getattr(stated.period, "from")) if stated.has("period") else self.day
            require(begun <= self.day, "INVALID_DATE")
            period = plain(stated.period) if stated.has("period") else None
            results.append({"mode": stated.mode, "basis": stated.basis, "period": period, "declared": True,
                            "amount": plain(stated.amount), **_given(stated)})
        return results


def _given(stated):
    """What the receiver states of a result."""
    given = {part: plain(getattr(stated, part)) for part in ("level", "grade", "course") if stated.has(part)}
    return {"field": stated.field, **given}


def _covers(terms, source):
    level = None if source.level is None else plain(source.level)
    return (source.amount is not None and source.amount.unit == terms.source_unit
            and (not terms.levels or level in [plain(one) for one in terms.levels])
            and (not terms.fields or any(source.field.startswith(one) for one in terms.fields))
            and (not terms.modes or source.mode in terms.modes)
            and (not terms.bases or (source.basis or EARNED) in terms.bases))


def _period(group):
    periods = [source.period for source in group]
    if any(period is None for period in periods):
        return None
    begin = min((getattr(period, "from") for period in periods), key=first)
    end = max((period.until for period in periods), key=last)
    return {"from": plain(begin), "until": plain(end)}


def share_out(total, weights, bounds):
    """Largest remainders with bounds."""
    weight = sum(weights)
    shares = [0] * len(weights)
    if not weight:
        return shares
    for at, own in enumerate(weights):
        whole = int(total * own / weight)
        shares[at] = whole if bounds[at] is None else min(whole, bounds[at])
    order = sorted((at for at, own in enumerate(weights) if own), key=lambda at: (-(total * weights[at] / weight % 1), at))
    left = total - sum(shares)
    while left:
        open_ones = [at for at in order if bounds[at] is None or shares[at] < bounds[at]]
        if not open_ones:
            break
        for at in open_ones[:left]:
            shares[at] += 1
        left -= min(left, len(open_ones))
    return shares


def _settled(root, part, unit, left):
    had = dict(root.had)
    list_of = list(root.had)
    fraction = root.fraction * left
    if had.get(unit):
        fraction = max(fraction, Fraction(part, had[unit]))
    if fraction.numerator > MAX_E4 or fraction.denominator > MAX_E4:
        fraction = min(Fraction(-(-fraction * MAX_E4 // 1), MAX_E4), root.fraction)
    if unit not in had:
        list_of.append((unit, -(-Fraction(part) // fraction)))
        require(len(list_of) <= HAD_MAX and list_of[-1][1] <= MAX_E4, "OUTSIDE_SCOPE")
    return Root(root.place, root.status_id, fraction, part, list_of)


def fixed(roots, unit, e4):
    """What of an amount the bounds of its roots let through, and the roots that it then has."""
    weights = [Fraction(root.part) for root in roots]
    if not any(weights):
        weights = [Fraction(1)] * len(roots)
    bounds = [root.bound(unit) for root in roots]
    counted = [bound for bound, weight in zip(bounds, weights) if weight]
    e4 = e4 if None in counted else min(e4, sum(counted))
    parts = share_out(e4, weights, bounds)
    return e4, [_settled(root, part, unit, WHOLE) for root, part in zip(roots, parts)]


def _fixed(source, amount, index):
    """Amount, roots, period and position of a result whose amount is given."""
    e4, roots = fixed(source.roots, amount.unit, amount.e4)
    return {"amount": {"e4": e4, "unit": amount.unit}, "roots": [root.shown() for root in roots],
            "source_plus_1": index + 1, "period": None if source.period is None else plain(source.period)}


class Amounts:
    """What a conversion under an agreement grants, step by step."""

    def __init__(self, terms, groups, account):
        self.unit = terms.target_unit
        n_over_d = Fraction(terms.ratio.numerator, terms.ratio.denominator)
        self.groups = [sorted((root for source in group for root in source.roots), key=Root.key) for group in groups]
        self.exact = [[self._exact(root, n_over_d) for root in group] for group in self.groups]
        step = terms.step_e4
        total = sum(map(sum, self.exact), Fraction(0))
        parts = sum(root.part for group in self.groups for root in group)
        rounded = _round(account.before + total, step, terms.rounding)
        require(parts <= MAX_E4 and rounded <= MAX_E4, "OUTSIDE_SCOPE")
        fresh = max(rounded - account.given, 0) // step * step if total else 0
        kept = fresh
        if terms.learner_max_e4:
            kept = min(fresh, max(terms.learner_max_e4 - account.granted, 0) // step * step)
        require(not fresh or kept, "OUTSIDE_SCOPE")
        bounds = [self._bound(group, exact, step) for group, exact in zip(self.groups, self.exact)]
        shares = share_out(kept // step, [sum(exact, Fraction(0)) for exact in self.exact], bounds)
        self.shares = [share * step for share in shares]
        self.left = Fraction(kept, fresh) if fresh else WHOLE
        granted = sum(self.shares)
        self.steps = {
            "sum": {"e4": parts, "unit": terms.source_unit}, "ratio": plain(terms.ratio),
            "exact_numerator": str(total.numerator), "exact_denominator": str(total.denominator),
            "before_numerator": str(account.before.numerator), "before_denominator": str(account.before.denominator),
            "rounded_e4": rounded, "given_before_e4": account.given, "granted_e4": granted,
            "over_learner_cap_e4": fresh - kept, "over_root_cap_e4": kept - granted}

    def _exact(self, root, n_over_d):
        found, bound = root.part * n_over_d, root.bound(self.unit)
        return found if bound is None else min(found, Fraction(bound))

    def _bound(self, group, exact, step):
        bounds = [root.bound(self.unit) for root, own in zip(group, exact) if own]
        return None if None in bounds else sum(bounds) // step

    def settle(self, index):
        """The roots of a group's result."""
        roots = self.groups[index]
        parts = share_out(self.shares[index], self.exact[index], [root.bound(self.unit) for root in roots])
        return [_settled(root, part, self.unit, self.left) for root, part in zip(roots, parts)]


def _round(exact, step, rounding):
    steps, rest = divmod(exact, step)
    steps, half = int(steps), Fraction(step, 2)
    if rounding == HALF_UP and rest >= half or rounding == HALF_EVEN and (rest > half or rest == half and steps % 2):
        steps += 1
    return steps * step


def convert(register, receiver, sources, account, conversion, day=None, promised=None):
    """What the rules give, as a dictionary; raises Broken with the rule's name."""
    return Converter(register, receiver, sources, account, conversion, day, promised).compute()


def check(register, receiver, sources, account, conversion, day=None, promised=None):
    """Refuses a conversion that says something else than the rules give."""
    found = convert(register, receiver, sources, account, conversion, day, promised)
    shown = plain(conversion)
    same = {name: shown[name] for name in ("sources", "results", "amount_steps") if name in shown}
    require(found == same, "CONVERSION_DIFFERS")


__all__ = ["Account", "Broken", "check", "convert", "plain", "read_source"]
