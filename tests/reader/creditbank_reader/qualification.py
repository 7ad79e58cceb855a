"""Whether an allocation makes an award (RULES.md, section 18)."""

import datetime
from dataclasses import dataclass, field
from fractions import Fraction

from . import grades
from . import ledger as forms
from .dates import add_months, first, is_real, last
from .grades import MAX_E4, require

KIND_OUTCOME, KIND_CREDIT, KIND_CONVERSION, KIND_RECOGNITION = 2, 3, 12, 15
ALL, ANY, CREDITS, COURSES, OUTCOME, AWARD, ATTESTATION, ENROLMENT, AT_LEAST, AT_MOST, AVERAGE, AGE, AMONG = range(1, 14)
TAKING = (CREDITS, COURSES, OUTCOME)
OWN, TRANSFER, RPL, NON_FORMAL, EXEMPTION = range(1, 6)
EARNED, COMPENSATED, CONDONED, RECOGNISED, EXEMPTED = range(1, 6)
LEAVE, WITHDRAWN, EXCLUDED = 2, 3, 5
MODE_RPL, PRIOR_LEARNING = 5, 5
TEST, STANDING_RULE = 2, 3
FIRST_OF_ALL = Fraction(0)
BEST, LAST, FIRST, MEAN = 1, 2, 3, 4


class Tree:
    """The requirements of a definition, by number."""

    def __init__(self, definition):
        self.nodes = dict(enumerate(definition.requirements, 1))
        self.children = {number: [] for number in self.nodes}
        for number, node in self.nodes.items():
            if node.parent:
                self.children[node.parent].append(number)

    def below(self, number):
        """Everything below a node."""
        found, todo = [], list(self.children[number])
        while todo:
            found.append(todo.pop())
            todo += self.children[found[-1]]
        return sorted(found)

    def scope(self, number):
        """The node below which a node looks."""
        found = self.nodes[number].parent or number
        while self.nodes[number].type == AMONG and self.nodes[found].type != ALL and self.nodes[found].parent:
            found = self.nodes[found].parent
        return found


@dataclass
class Candidate:
    """One thing that can fill a requirement."""

    key: tuple
    status_id: bytes
    kind: int
    institution: int
    origin: int
    own: object
    """The message that states its course, level and so on."""
    unit: str = ""
    amount: int = 0
    expires: object = None
    agreement: object = None
    roots: list = field(default_factory=list)
    score: object = None
    point: object = None
    instead: bool = False
    after: bool = False
    """Whether its period ended after the learner was enrolled."""
    decided: object = None
    """Of a result: the day on which the record that gave it was decided."""
    course: object = None
    """Its course, or None."""
    repeats: object = None
    """How often its course may count again, as Credits of the course say on which it stands, or None."""

    @property
    def declared(self):
        """Whether it is a result that stands on a declared conversion."""
        return self.kind in (KIND_CONVERSION, KIND_RECOGNITION) and bool(self.own.declared)

    @property
    def period(self):
        """First and last day of its period, or None."""
        if not self.own.has("period"):
            return None
        period = self.own.period
        begin, end = getattr(period, "from"), period.until
        if not (period.has("from") and period.has("until") and is_real(begin) and is_real(end)):
            return None
        return (first(begin), last(end)) if first(begin) <= last(end) else None


def candidates(register, records, definition, case):
    """What a record is to a definition."""
    message = records.read(case["kind"], 1, bytes.fromhex(case["body"]))
    awarding = {definition.institution, *definition.awarding}
    key, institution = (case["entry"], case["index"]), case["institution"]

    def made(number, own, origin):
        found = Candidate((*key, number), bytes.fromhex(case["status_id"]), case["kind"], institution, origin, own)
        if case["kind"] != KIND_OUTCOME:
            found.unit, found.amount = own.amount.unit, own.amount.e4
            found.roots = [((root.place.entry, root.place.index), _ratio(root)) for root in own.roots] if number else [
                (key, Fraction(1))]
        else:
            found.roots = [(key, Fraction(1))]
        found.expires = last(own.expires) if own.has("expires") else None
        found.decided = first(message.decided) if number and message.has("decided") else None
        found.course = register.course(institution, own.course.code) if own.course.code else None
        return found

    if case["kind"] == KIND_CREDIT:
        of_basis = {RECOGNISED: TRANSFER, EXEMPTED: EXEMPTION}.get(message.basis, OWN if institution in awarding else TRANSFER)
        found = made(0, message, RPL if message.mode == MODE_RPL else of_basis)
        found.repeats = message.repeats_max
        return [found]
    if case["kind"] == KIND_OUTCOME:
        found = made(0, message, RPL if message.type == PRIOR_LEARNING else NON_FORMAL)
        found.score = message.score if message.has("score") else None
        return [found]
    found = []
    if case["kind"] == KIND_RECOGNITION:
        for number, result in enumerate(message.exemptions, 1):
            one = made(number, result, EXEMPTION)
            if message.has("expires"):
                one.expires = min(filter(None, (one.expires, last(message.expires))))
            found.append(one)
        return found
    for number, result in enumerate(message.results, 1):
        one = made(number, result, _origin(register, message, result, institution, awarding))
        one.agreement = message.agreement if message.has("agreement") else None
        if one.agreement is not None and result.source_plus_1 and one.course is not None:
            source = message.sources[result.source_plus_1 - 1]
            one.course = register.course(source.institution, result.course.code)
        found.append(one)
    return found


def _origin(register, conversion, result, institution, awarding):
    if conversion.has("assessment") or result.mode == MODE_RPL:
        return RPL
    if conversion.has("equivalence"):
        name = conversion.equivalence
        rule = register.get(forms.KIND_EQUIVALENCE, name.institution, name.code, name.version)
        if rule is not None and rule.type in (TEST, STANDING_RULE):
            return NON_FORMAL
    if result.basis in (RECOGNISED, EXEMPTED):
        return TRANSFER if result.basis == RECOGNISED else EXEMPTION
    own = {institution, *(source.institution for source in conversion.sources)} <= awarding
    return OWN if own and conversion.sources else TRANSFER


def _ratio(root):
    if not root.has("fraction"):
        return Fraction(1)
    return Fraction(root.fraction.numerator, root.fraction.denominator)


class Points:
    """Grades as numbers, in the scale of means."""

    def __init__(self, register, definition):
        self.scale = register.scale(definition.average_scale) if definition.has("average_scale") else None
        self.points = {point.value: point.e4 for point in definition.grade_points}
        self.lower = self.scale is not None and self._lower()

    def _lower(self):
        if self.scale.has("numeric"):
            return bool(self.scale.numeric.lower_is_better)
        numbers = [self.points[one.value] for one in self.scale.listed if one.value in self.points]
        return bool(numbers) and numbers[0] < numbers[-1]

    def of(self, grade):
        """The number of a grade, or None."""
        if self.scale is None or grade.scale != self.scale.code:
            return None
        if grade.value in self.points:
            return self.points[grade.value]
        if any(one.value == grade.value for one in self.scale.listed) or not self.scale.has("numeric"):
            return None
        found, bounds = grades.parse(grade.value), self.scale.numeric
        return found if found is not None and bounds.min_e4 <= found <= bounds.max_e4 else None


def matches(asked, found):
    """Whether a candidate is what a Match asks for."""
    own = found.own

    def begins(prefixes, code):
        return not prefixes or code != "" and any(code.startswith(prefix) for prefix in prefixes)

    def among(values, value):
        return not values or value != 0 and value in values

    named = found.course is not None
    level = (own.level.framework, own.level.level) if own.has("level") else None
    uris = {one.esco_uri for one in own.outcomes} if found.kind in (KIND_CREDIT, KIND_OUTCOME) else set()
    assessment = own.assessment if found.kind in (KIND_CREDIT, KIND_OUTCOME) else 0
    return (not asked.levels or level in [(one.framework, one.level) for one in asked.levels]) \
        and begins(asked.fields, own.field) \
        and (not asked.institutions or found.institution in asked.institutions) \
        and among(asked.modes, own.mode) and (not asked.courses or named and any(map(found.course.is_named, asked.courses))) \
        and (not asked.course_prefixes or named and any(map(found.course.begins, asked.course_prefixes))) and among(asked.origins, found.origin) \
        and among(asked.assessments, assessment) \
        and (not asked.esco_uris or bool(uris & set(asked.esco_uris))) \
        and (not asked.bases or found.kind != KIND_OUTCOME and (own.basis or EARNED) in asked.bases) \
        and (not asked.after_enrolment or found.after)


def reaches(register, score, least):
    """Whether a score is at least a minimum of the same scale."""
    if score is None or score.scale != least.scale:
        return False
    scale = register.scale(score.scale)
    pair = grades.parse(score.value), grades.parse(least.value)
    if scale is None:
        return None not in pair and pair[0] >= pair[1]
    listed = [one.value for one in scale.listed]
    if score.value in listed and least.value in listed:
        return listed.index(score.value) <= listed.index(least.value)
    if score.value in listed or least.value in listed or None in pair or grades.number(scale, score.value) is None:
        return False
    return pair[0] <= pair[1] if scale.numeric.lower_is_better else pair[0] >= pair[1]


def spell(enrolment, day):
    """First and last day of an enrolment, as of a day."""
    end = last(enrolment.until) if enrolment.has("until") else day
    return first(getattr(enrolment, "from")), min(end, day)


def days_enrolled(enrolments, day):
    """The days that count, by their ordinals."""
    counted, leave = set(), set()
    for one in enrolments:
        begin, end = spell(one, day)
        (leave if one.state == LEAVE else counted).update(range(begin.toordinal(), end.toordinal() + 1))
    return counted, leave


def by_course(found):
    """Candidates that are credit for a course, by course, whoever holds them."""
    courses = {}
    for one in found:
        if one.unit and one.course:
            courses.setdefault(one.course.identity, []).append(one)
    return courses


def allowed(passes):
    """How often a course counts by these candidates of it."""
    return 1 + min((one.repeats for one in passes if one.repeats is not None), default=0)


def mark_repeats(found, said):
    """Notes of each candidate what Credits of its course say among its roots. `said`: course and repeats by place."""
    for one in found:
        for place, _ in one.roots if one.unit and one.course else []:
            course, repeats = said(place) or (None, None)
            if course is not None and course.identity == one.course.identity:
                one.repeats = repeats if one.repeats is None else min(one.repeats, repeats)


def _forms(ranked):
    """Passes in their order, each with the candidates that have roots in common."""
    passes = []
    for one in ranked:
        own = {place for place, _ in one.roots}
        joined = [forms for forms in passes if any(own & {place for place, _ in other.roots} for other in forms)]
        if not joined:
            passes.append([one])
            continue
        for forms in joined[1:]:
            joined[0].extend(forms)
            passes.remove(forms)
        joined[0].append(one)
        joined[0].sort(key=ranked.index)
    return passes


class Audit:
    """Judges an award. `held`: (institution, code, version, day) of standing awards; `enrolments`: those that it names;
    `day`: another one than that of the conferral."""

    def __init__(self, register, definition, found, held, award, enrolments=(), day=None):
        self.register = register
        self.definition = definition
        self.tree = Tree(definition)
        self.points = Points(register, definition)
        self.all = found
        self.held = held
        self.award = award
        self.day = day or first(award.conferred)
        self.enrolments = list(enrolments)
        since = min((first(getattr(one, "from")) for one in self.enrolments if one.state != LEAVE), default=None)
        for one in found:
            one.after = since is not None and one.period is not None and one.period[1] > since
        self._retakes()

    def _counts_alone(self, one):
        in_unit = one.kind == KIND_OUTCOME or one.unit == self.definition.unit
        begun = [one.period[0]] if one.period is not None else []
        if one.kind == KIND_CREDIT and one.own.has("completed"):
            begun.append(first(one.own.completed))
        if one.decided is not None:
            begun.append(one.decided)
        return in_unit and all(day <= self.day for day in begun) and (one.expires is None or self.day <= one.expires)

    def _retakes(self):
        usable = []
        for one in self.all:
            grade = one.own.grade if one.kind != KIND_OUTCOME and one.own.has("grade") else None
            number = None if grade is None else self.points.of(grade)
            one.point = None if number is None else Fraction(number)
            one.instead = False
            if self._counts_alone(one):
                usable.append(one)
        if self.definition.retakes:
            for group in by_course(usable).values():
                self._retake(group)

    def _retake(self, group):
        """As many passes count as the course may count: a retake replaces, a repeat adds."""
        def age(one):
            attempt = one.own.attempt if one.kind == KIND_CREDIT else 0
            return (0, 0, attempt, one.key) if one.period is None else (1, one.period[1].toordinal(), attempt, one.key)

        def quality(one):
            number = FIRST_OF_ALL if one.point is None else one.point
            return one.point is not None, -number if self.points.lower else number, age(one)

        policy = self.definition.retakes
        ranked = sorted(group, key=quality if policy == BEST else age, reverse=policy != FIRST)
        passes = _forms(ranked)
        chosen = passes[:allowed(group)]
        for forms in passes[allowed(group):]:
            for one in forms:
                one.instead = True
        if policy == MEAN:
            numbers = [next((one.point for one in forms if one.point is not None), None) for forms in passes]
            numbers = [number for number in numbers if number is not None]
            for one in (one for forms in chosen for one in forms):
                one.point = sum(numbers) / len(numbers) if numbers else None

    def _fits(self, node, one):
        if (node.type == OUTCOME) != (one.kind == KIND_OUTCOME):
            return False
        if node.type == OUTCOME and one.own.type != node.outcome:
            return False
        if not matches(node.match, one):
            return False
        return node.type != OUTCOME or not node.has("minimum") or reaches(self.register, one.score, node.minimum)

    def check(self):
        """Which requirements hold, and the mean; raises Broken with the rule."""
        taken = self._assigned()
        spent = []
        for number, ones in taken.items():
            for one in ones:
                require(self._counts_alone(one) and not one.instead, "SOURCE_NOT_USABLE")
                require(self._fits(self.tree.nodes[number], one), "REQUIREMENTS_NOT_MET")
                spent.append(one)
        require(len({id(one) for one in spent}) == len(spent), "ALREADY_SPENT")
        uses = {}
        for one in spent:
            for place, fraction in one.roots:
                uses[place] = uses.get(place, 0) + fraction
        require(all(use <= 1 for use in uses.values()), "ALREADY_SPENT")
        often = (passes for passes in by_course(spent).values() if len(passes) > allowed(passes))
        require(self.definition.retakes or next(often, None) is None, "TOO_MANY_REPEATS")
        holds, means = self._measure(taken)
        require(holds[1], "REQUIREMENTS_NOT_MET")
        counting = {}
        for number, node in self.tree.nodes.items():
            counting[number] = holds[number] and (not node.parent or counting[node.parent])
        require(all(counting[number] for number, ones in taken.items() if ones), "REQUIREMENTS_NOT_MET")
        self._shares(spent)
        mean = next((means[number] for number in means if counting[number]), None)
        if mean is not None and (mean.numerator > MAX_E4 or mean.denominator > MAX_E4):
            mean = None
        return [holds[number] for number in self.tree.nodes], mean

    def _assigned(self):
        by_key = {one.key: one for one in self.all}
        taken = {number: [] for number in self.tree.nodes}
        before = None
        for allocation in self.award.allocations:
            place = allocation.record.place
            key = (place.entry, place.index, allocation.result_plus_1)
            order = (allocation.requirement, key)
            require(before is None or before < order, "CONTRADICTION")
            before = order
            node = self.tree.nodes.get(allocation.requirement)
            require(node is not None and node.type in TAKING, "UNKNOWN_REFERENCE")
            one = by_key.get(key)
            require(one is not None and one.status_id == allocation.record.status_id, "SOURCE_NOT_USABLE")
            taken[allocation.requirement].append(one)
        return taken

    def _shares(self, spent):
        total = sum(one.amount for one in spent)
        for name in {(one.agreement.code, one.agreement.version) for one in spent if one.agreement is not None}:
            agreement = self.register.agreements.get(name)
            terms = None if agreement is None else agreement.terms
            if terms is not None and terms.has("award_share_max"):
                by = sum(one.amount for one in spent if one.agreement is not None and one.agreement.code == name[0])
                share = Fraction(terms.award_share_max.numerator, terms.award_share_max.denominator)
                require(by <= share * total, "REQUIREMENTS_NOT_MET")

    def _measure(self, taken):
        holds, means = {}, {}
        for number in sorted(self.tree.nodes, reverse=True):
            node = self.tree.nodes[number]
            scope = self.tree.scope(number)
            seen = [one for at in (scope, *self.tree.below(scope)) for one in taken[at]]
            if node.type == AVERAGE:
                means[number] = self._mean(seen)
            holds[number] = self._holds(number, node, holds, taken[number], seen)
        return holds, dict(sorted(means.items()))

    def _mean(self, seen):
        weight = sum(one.amount for one in seen if one.point is not None)
        return sum(one.point * one.amount for one in seen if one.point is not None) / weight if weight else None

    def _holds(self, number, node, holds, taken, seen):
        children = self.tree.children[number]
        if node.type == ALL:
            return all(holds[child] for child in children)
        if node.type == ANY:
            return sum(holds[child] for child in children) >= node.choose
        if node.type == CREDITS:
            return sum(one.amount for one in taken) >= node.amount_e4
        if node.type == COURSES:
            courses = [one.course for one in taken if one.course is not None]
            return all(any(course.is_named(code) for course in courses) for code in node.match.courses)
        if node.type == OUTCOME:
            return bool(taken)
        if node.type == AWARD:
            return any((name.institution, name.code) == of[:2] and name.version in (0, of[2]) and of[3] <= self.day
                       for name in node.awards for of in self.held)
        if node.type == ATTESTATION:
            return any(one.requirement == number and one.has("attested_by") and one.has("on") and is_real(one.on)
                       and last(one.on) <= self.day for one in self.award.attestations)
        return self._looks_at(node, seen)

    def _looks_at(self, node, seen):
        if node.type == ENROLMENT and self.enrolments:
            counted, leave = days_enrolled(self.enrolments, self.day)
            if not counted:
                return False
            begin, end = min(counted), max(counted)
            lost = end - begin + 1 - len(counted - leave)
            return add_months(datetime.date.fromordinal(begin), node.months).toordinal() <= end + 1 - lost
        if node.type == ENROLMENT:
            periods = [one.period for one in seen if one.origin == OWN and one.period is not None]
            if not periods:
                return False
            begin, end = min(period[0] for period in periods), max(period[1] for period in periods)
            return add_months(begin, node.months).toordinal() <= end.toordinal() + 1
        if node.type == AGE:
            return all(one.period is not None and add_months(one.period[1], node.months) >= self.day for one in seen)
        if node.type == AMONG:
            return self._among(node, [one for one in seen if matches(node.match, one)])
        if node.type == AVERAGE:
            mean, least = self._mean(seen), self.points.of(node.minimum)
            return mean is not None and least is not None and (mean <= least if self.points.lower else mean >= least)
        found = sum(one.amount for one in seen if matches(node.match, one))
        bound = Fraction(node.amount_e4)
        if node.has("share"):
            bound = Fraction(node.share.numerator, node.share.denominator) * sum(one.amount for one in seen)
        return found >= bound if node.type == AT_LEAST else found <= bound


    def _among(self, node, found):
        if node.amount_e4:
            return sum(one.amount for one in found) >= node.amount_e4
        if not node.match.courses:
            return len(found) >= (node.choose or 1)
        courses = [one.course for one in found if one.course is not None]
        there = sum(any(course.is_named(code) for course in courses) for code in node.match.courses)
        return there >= (node.choose or len(node.match.courses))


def confers(definition, institution):
    """Whether an institution confers a qualification."""
    return institution in definition.awarding if definition.awarding else institution == definition.institution


def in_force(register, definition, institution, day, enrolments=()):
    """Refuses an institution that does not confer the qualification, and a day on which it is not in force, unless an
    enrolment on this version began while it was."""
    require(confers(definition, institution), "NOT_THE_PUBLISHER")
    own = definition.institution, definition.code, definition.version
    on = [one for one in enrolments if one.has("definition") and first(getattr(one, "from")) <= day
          and (one.definition.institution, one.definition.code, one.definition.version) == own]
    on.sort(key=lambda one: first(getattr(one, "from")))
    stays = bool(on) and on[-1].state not in (WITHDRAWN, EXCLUDED)
    days = [day, *(first(getattr(one, "from")) for one in on if stays and one.state != LEAVE)]
    require(any(register.newest(forms.KIND_DEFINITION, definition, one) for one in days), "NOT_IN_FORCE")
