"""Conversions and awards against the ledger: what they count, what they redeem, what is spent (PROTOCOL.md, sections 17 and 18)."""

import datetime

from . import conversion, foreign, late, mandates, qualification, status
from . import ledger as forms
from .conversion import plain
from .courses import is_code, wide
from .dates import first, has_happened, last
from .grades import require
from .standing import KINDS_WITH_EMBARGO
from .suite import verify

KIND_OUTCOME, KIND_CREDIT, KIND_DECISION, KIND_CONVERSION, KIND_AWARD, KIND_RECOGNITION = 2, 3, 7, 12, 14, 15
GRANTS = (1, 2, 3, 4)
"""Types of a Decision that recognises something: full, partial, alternative, conditional."""
KIND_ENROLMENT, KIND_FOREIGN = 19, 20
ISSUED, REASON_ERROR = 1, 1
AUDITED, DECLARED, HONORARY = 1, 2, 3
PURPOSE_UNIT = 5
TEXT_MAX = 200
AGAINST = {status.SUPERSEDED, status.REVOKED, status.DISPUTED, status.UNDER_REVIEW}


def place_of(message):
    """A Place as a pair."""
    return message.entry, message.index


def named(scene, reference, account):
    """The learner's record that a reference names."""
    found = scene.held.get(place_of(reference.place))
    require(found is not None and found.account == account and found.status_id == reference.status_id, "SOURCE_NOT_USABLE")
    require(not reference.has("origin"), "SOURCE_NOT_USABLE")
    return found


def standing(scene, held):
    """Refuses a record that does not stand."""
    require(not AGAINST & held.marks.keys() and not scene.contested(held), "SOURCE_NOT_USABLE")


def _may_be_shown(scene, held):
    dated = held.kind in KINDS_WITH_EMBARGO and held.body.has("visible_from")
    return not dated or scene.created >= first(held.body.visible_from)


def visible(scene, held):
    """Refuses a record that may not be shown on the day of the block."""
    require(_may_be_shown(scene, held), "NOT_VISIBLE")


def convert(scene, message, former, account):
    """Checks a Conversion; what it redeems."""
    require(message.has("decider"), "MISSING_FIELD")
    decision = _carried_out(scene, message, account)
    sources = []
    for source in message.sources:
        held = named(scene, source.record, account)
        standing(scene, held)
        visible(scene, held)
        require(status.REDEEMED not in held.marks, "ALREADY_SPENT")
        require(held.kind in (KIND_OUTCOME, KIND_CREDIT, KIND_CONVERSION, KIND_RECOGNITION), "SOURCE_NOT_USABLE")
        case = {**held.case, "body": held.case["record"]["body"], "result_plus_1": source.result_plus_1}
        found = conversion.read_source(scene.records, case)
        if former is None:
            roots = [scene.held.get((root.place.get("entry", 0), root.place.get("index", 0))) for root in found.roots]
            require(not any(root is not None and is_surplus(scene, root) for root in roots), "TOO_MANY_REPEATS")
        require(_begun(held, source.result_plus_1) <= first(message.decided), "INVALID_DATE")
        sources.append(found)
    promised = None
    if decision is not None and decision.courses:
        promised = first(decision.decided)
        require(all(_is_promised(scene, decision, source) for source in sources), "OUTSIDE_SCOPE")
    earlier = _account(scene, message, former, account)

    def check(day):
        conversion.check(scene.register, scene.institution, sources, earlier, message, day, promised)

    check(first(message.decided))
    if former is not None:
        require(_right(message) == _right(scene.held[former].body), "CONTRADICTION")
    if message.has("declared"):
        require(not message.has("late"), "LATE")
    else:
        late.judge(scene, message, former, "decided", lambda day: late.refuses(check, day))
    if not message.has("agreement") or former is not None:
        return []
    terms = scene.register.agreements[message.agreement.code, message.agreement.version].terms
    return sorted({place_of(source.record.place) for source in message.sources}) if terms.exclusive else []


def _carried_out(scene, message, account):
    """The decision that a conversion carries out, or None."""
    if not message.has("decision"):
        return None
    held = scene.held.get(place_of(message.decision))
    own = KIND_DECISION, scene.institution, account
    require(held is not None and (held.kind, held.institution, held.account) == own, "SOURCE_NOT_USABLE")
    standing(scene, held)
    require(held.body.type in GRANTS, "SOURCE_NOT_USABLE")
    return held.body


def _is_promised(scene, decision, source):
    """Whether a source is of a course of an advance decision."""
    code = source.course.code if source.course is not None else ""
    course = scene.register.course(source.institution, code)
    return code != "" and any(one.institution == source.institution and course.is_named(one.course.code)
                              for one in decision.courses)


def _right(message):
    """Of what a conversion is and by what right, which its amendments keep."""
    shown = plain(message)
    sources = [(place_of(source.record.place), source.result_plus_1) for source in message.sources]
    return sources, shown.get("agreement"), shown.get("equivalence"), message.has("declared")


def _begun(held, result):
    """The day before which a source was not there."""
    own = held.body
    if result:
        own = (own.results if held.kind == KIND_CONVERSION else own.exemptions)[result - 1]
    days = [first(getattr(own.period, "from"))] if own.has("period") and own.period.has("from") else []
    if held.kind == KIND_CREDIT and own.has("completed"):
        days.append(first(own.completed))
    if result and held.body.has("decided"):
        days.append(first(held.body.decided))
    return max(days, default=datetime.date.min)


def counts_declared(scene, award):
    """Whether an award counts a result that stands on a declared conversion."""
    for one in award.body.allocations:
        held = scene.held.get(place_of(one.record.place))
        if held is not None and held.kind in (KIND_CONVERSION, KIND_RECOGNITION) and one.result_plus_1:
            results = held.body.results if held.kind == KIND_CONVERSION else held.body.exemptions
            if results[one.result_plus_1 - 1].declared:
                return True
    return False


def is_surplus(scene, credit):
    """Whether the course of a Credit counts already by others."""
    if credit.kind != KIND_CREDIT or not credit.stands() or not _may_be_shown(scene, credit):
        return False
    course = scene.register.course(credit.institution, credit.body.course.code)
    passes = [one for one in scene.held.values()
              if (one.kind, one.account, one.institution) == (KIND_CREDIT, credit.account, credit.institution)
              and one.stands() and _may_be_shown(scene, one) and course.is_named(one.body.course.code)]

    def rank(one):
        stands = not AGAINST & one.marks.keys() and not scene.contested(one)
        return not _is_redeemed(scene, one), not stands, one.place

    most = 1 + min(one.case["repeats_max"] for one in passes)
    return credit not in sorted(passes, key=rank)[:most]


def _is_redeemed(scene, held):
    while held is not None:
        if status.REDEEMED in held.marks:
            return True
        held = scene.held.get(place_of(held.body.amends.place)) if held.body.has("amends") else None
    return False


def _account(scene, message, former, account):
    def code(one):
        if one.has("agreement"):
            return "agreement", one.agreement.code
        return ("equivalence", one.equivalence.code) if one.has("equivalence") else ("assessment or declared",)

    found = conversion.Account()
    for held in sorted(scene.held.values(), key=lambda one: one.place):
        own = held.kind == KIND_CONVERSION and (held.account, held.institution) == (account, scene.institution)
        if own and held.stands() and held.place != former and code(held.body) == code(message):
            found.add(held.body)
    return found


def award(scene, body, message, former, account):
    """Checks an Award; what it redeems."""
    require(is_code(message.specialisation, most=TEXT_MAX), "INVALID_CODE")
    require(message.has("definition") or not message.has("specialisation"), "CONTRADICTION")
    redeems = _judged(scene, body, message, former, account)
    others = [held for held in scene.held.values() if held.kind == KIND_AWARD and held.account == account
              and held.place != former and held.stands()]
    require(not any(is_again(scene, message, held.body) for held in others), "AWARDED_ALREADY")
    return redeems


def is_again(scene, message, other):
    """Whether another award of a learner is of the same definition and specialisation, which may not be repeated."""
    if not message.has("definition") or not other.has("definition"):
        return False
    own, theirs = _name(message.definition), _name(other.definition)
    definition = scene.register.get(forms.KIND_DEFINITION, *own)
    same = own[:2] == theirs[:2] and wide(message.specialisation) == wide(other.specialisation)
    return same and not (definition is not None and definition.repeatable)


def _judged(scene, body, message, former, account):
    require(message.kind and message.has("decider") and message.basis, "MISSING_FIELD")
    conferred = scene.day(message, "conferred")
    require(all(has_happened(one.on, scene.now) for one in message.attestations if one.has("on")), "IMPLAUSIBLE_DATE")
    counts = any(message.has(name) for name in ("allocations", "absorbs", "attestations", "average_e4", "declared_e4"))
    require(message.basis == DECLARED or not message.has("consumes_none"), "CONTRADICTION")
    if former is not None:
        require(scene.held[former].body.basis == message.basis, "CONTRADICTION")
    if message.basis == HONORARY:
        require(message.has("titles"), "MISSING_FIELD")
        bare = not (message.has("definition") or counts or message.has("redeems") or message.has("cosignatures") or message.has("enrolments"))
        require(bare, "CONTRADICTION")
        _documents(scene, message, (), former)
        _late(scene, message, former, account)
        return []
    require(not message.has("titles"), "CONTRADICTION")
    require(message.has("definition"), "MISSING_FIELD")
    name = message.definition
    definition = scene.register.get(forms.KIND_DEFINITION, name.institution, name.code, name.version)
    require(definition is not None, "UNKNOWN_REFERENCE")
    enrolments = _enrolments(scene, message, definition, former, account)
    qualification.in_force(scene.register, definition, scene.institution, conferred, enrolments)
    _documents(scene, message, list(definition.awarding) or [definition.institution], former)
    _cosigned(scene, body, message, definition)
    if message.basis == DECLARED:
        require(not counts, "CONTRADICTION")
        among = list(definition.awarding) or [definition.institution]
        stands = (scene.register, definition, scene.institution)
        _late(scene, message, former, account,
              lambda day: late.refuses(qualification.in_force, *stands, day, enrolments))
        return _consumed(scene, body, message, (definition, among), former, account, conferred)
    scene.mandate(KIND_AWARD, body, message)
    if former is not None:
        before = plain(scene.held[former].body)
        now = plain(message)
        kept = ("definition", "conferred", "allocations", "attestations", "redeems", "absorbs", "enrolments",
                "average_e4", "declared_e4", "replaces")
        require(all(before.get(name) == now.get(name) for name in kept), "CONTRADICTION")
        _late(scene, message, former, account)
        return []
    return _audited(scene, message, definition, enrolments, account)


def _late(scene, message, former, account, on=lambda day: ""):
    """Refuses what an award says of being late. `on`: the name of the rule that refuses the same on another day."""
    recorded = scene.register.recorded_on(forms.KIND_INSTITUTION, scene.institution)
    before = message.basis != AUDITED and recorded is not None and first(message.conferred) < recorded
    if _replaces(scene, message, account) or before:
        require(not message.has("late"), "LATE")
        return
    late.judge(scene, message, former, "conferred", on)


def _replaces(scene, message, account):
    """Whether an award comes in the place of a revoked one."""
    if not message.has("replaces"):
        return False
    held = named(scene, message.replaces, account)
    require(held.kind == KIND_AWARD and status.REVOKED in held.marks, "SOURCE_NOT_USABLE")
    same = _name(held.body.definition)[:2] == _name(message.definition)[:2]
    require(same and plain(held.body.conferred) == plain(message.conferred), "CONTRADICTION")
    return True


def _consumed(scene, body, message, conferring, former, account, conferred):
    """What a declared award redeems."""
    definition, among = conferring
    require(message.has("redeems") or message.has("consumes_none"), "MISSING_FIELD")
    require(not (message.has("redeems") and message.has("consumes_none")), "CONTRADICTION")
    if former is not None:
        before, now = plain(scene.held[former].body), plain(message)
        kept = ("redeems", "definition", "conferred") if message.has("redeems") else ("redeems",)
        require(all(before.get(name) == now.get(name) for name in kept), "CONTRADICTION")
    if message.has("redeems"):
        scene.mandate(KIND_AWARD, body, message)
    if former is not None:
        return []
    spending = Spending(scene, definition, account)
    for reference in message.redeems:
        held = named(scene, reference, account)
        visible(scene, held)
        require(held.kind == KIND_CREDIT and held.institution in among, "SOURCE_NOT_USABLE")
        ended = last(held.body.period.until)
        if held.body.has("completed"):
            ended = max(ended, first(held.body.completed))
        require(ended <= conferred, "INVALID_DATE")
        spending.count(held, _Consumed())
    require([place_of(one.place) for one in message.redeems] == sorted(spending.redeems), "ALREADY_SPENT")
    return sorted(spending.redeems)


class _Consumed:
    """A whole Credit; as it is not held by an award, it overlaps with none."""

    roots, amount = (), 0


def _enrolments(scene, message, definition, former, account):
    before = [] if former is None else [plain(one) for one in scene.held[former].body.enrolments]
    found = []
    for reference in message.enrolments:
        held = named(scene, reference, account)
        fits = held.kind == KIND_ENROLMENT and qualification.confers(definition, held.institution)
        require(fits, "SOURCE_NOT_USABLE")
        if plain(reference) not in before:
            standing(scene, held)
        require(not found or found[-1].place < held.place, "CONTRADICTION")
        name = held.body.definition
        same = (name.institution, name.code) == (definition.institution, definition.code)
        require(same or not held.body.has("definition"), "CONTRADICTION")
        found.append(held)
    return [held.body for held in found]


def _number(number):
    return wide(number.series), wide(number.number)


def numbers(institution, message):
    """Institution, series and number of each document that has one."""
    return [(one.institution or institution, *_number(one.number))
            for one in message.documents if one.has("number")]


def _documents(scene, message, among, former):
    for one in message.documents:
        require(one.type and one.state, "MISSING_FIELD")
        scene.day(one, "issued")
        other = one.institution != scene.institution and one.institution in among
        require(one.institution == 0 or other, "CONTRADICTION")
        for named_number in [getattr(one, name) for name in ("number", "replaces") if one.has(name)]:
            require(named_number.has("number"), "MISSING_FIELD")
            for text in (named_number.series, named_number.number):
                require(is_code(text), "INVALID_CODE")
    for one in message.documents:
        if one.has("replaces"):
            original = _number(one.replaces)
            same = next((other for other in message.documents if other.institution == one.institution
                         and other.has("number") and _number(other.number) == original), None)
            stands = same is not None and same.state == ISSUED
            require(not stands and not (one.has("number") and _number(one.number) == original), "CONTRADICTION")
    given = numbers(scene.institution, message)
    require(len(given) == len(set(given)), "DOCUMENT_NUMBER_USED")
    if former is not None and message.amends.reason != REASON_ERROR:
        require(set(numbers(scene.institution, scene.held[former].body)) <= set(given), "CONTRADICTION")
    for held in scene.held.values():
        if held.kind == KIND_AWARD and held.body is not None and held.stands() and held.place != former:
            require(not set(given) & set(numbers(held.institution, held.body)), "DOCUMENT_NUMBER_USED")


def _cosigned(scene, body, message, definition):
    others = [number for number in definition.awarding if number != scene.institution]
    require([one.institution for one in message.cosignatures] == others, "NOT_COSIGNED")
    core = mandates.core(scene.records, KIND_AWARD, body)
    for one in message.cosignatures:
        key = scene.keys.get(one.key_id)
        fits = key is not None and key.institution == one.institution and key.purpose == PURPOSE_UNIT \
            and KIND_AWARD in key.kinds and not key.has("revoked")
        require(len(one.salt) == mandates.SALT_LEN, "MISSING_FIELD")
        signed = mandates.joint_message(scene.origin, scene.institution, core, one)
        require(fits and verify(key.public_key, signed, one.signature), "NOT_COSIGNED")
        require(mandates.is_in_time(one.until_minute, *scene.minutes), "NOT_COSIGNED")


def _audited(scene, message, definition, enrolments, account):
    spending = Spending(scene, definition, account)
    for reference in message.absorbs:
        spending.absorb(named(scene, reference, account))
    counted = []
    for allocation in message.allocations:
        held = named(scene, allocation.record, account)
        visible(scene, held)
        found = _candidates(scene, definition, held)
        one = next((one for one in found if one.key[2] == allocation.result_plus_1), None)
        require(one is not None, "SOURCE_NOT_USABLE")
        spending.count(held, one)
        if all(other.key != one.key for other in counted):
            counted.append(one)
    standing_awards = [(*_name(held.body.definition), first(held.body.conferred)) for held in scene.held.values()
                       if held.kind == KIND_AWARD and held.account == account and not AGAINST & held.marks.keys()
                       and not scene.contested(held)]
    found = [*counted, *_other_passes(scene, definition, counted, account)] if definition.retakes else counted
    qualification.mark_repeats(found, lambda place: _repeats_said(scene, account, place))

    def audit(day):
        qualification.in_force(scene.register, definition, scene.institution, day, enrolments)
        return qualification.Audit(scene.register, definition, found, standing_awards, message, enrolments, day).check()

    _, mean = audit(first(message.conferred))
    said = (message.average_e4.numerator, message.average_e4.denominator) if message.has("average_e4") else None
    require(said == (None if mean is None else (mean.numerator, mean.denominator)), "REQUIREMENTS_NOT_MET")
    require(message.declared_e4 == sum(one.amount for one in counted if one.declared), "CONTRADICTION")
    _late(scene, message, None, account, lambda day: late.refuses(audit, day))
    require([place_of(one.place) for one in message.redeems] == sorted(spending.redeems), "ALREADY_SPENT")
    return sorted(spending.redeems)


def _name(name):
    return name.institution, name.code, name.version


def _candidates(scene, definition, held):
    if held.kind not in (KIND_OUTCOME, KIND_CREDIT, KIND_CONVERSION, KIND_RECOGNITION):
        return []
    case = {**held.case, "body": held.case["record"]["body"]}
    return qualification.candidates(scene.register, scene.records, definition, case)


def _other_passes(scene, definition, counted, account):
    """What else has come of the courses that count, as the retake policy has to see it: whole courses, under each code."""
    courses = {one.course.identity for one in counted if one.course and one.unit}
    known = {one.key for one in counted}
    among = {one.institution for one in counted} | {institution for institution, _ in courses} \
        | {definition.institution, *definition.awarding}
    found = []
    for held in scene.held.values():
        if held.account != account or held.body is None or not held.stands() or not _may_be_shown(scene, held):
            continue
        for one in _candidates(scene, definition, held):
            concerned = one.kind == KIND_CREDIT or one.institution in among
            if one.course and one.unit and one.course.identity in courses and one.key not in known and concerned:
                found.append(one)
    return found


def _repeats_said(scene, account, place):
    """Course and repeats of the Credit at a place, or None."""
    held = scene.held.get(place)
    if held is None or held.kind != KIND_CREDIT or held.account != account or held.body is None:
        return None
    return scene.register.course(held.institution, held.body.course.code), held.body.repeats_max


class Spending:
    """No root pays twice."""

    def __init__(self, scene, definition, account):
        self.scene = scene
        self.definition = definition
        self.account = account
        self.absorbed = set()
        self.redeems = set()
        self.shared = {}
        self.counted = []

    def absorb(self, held):
        """Takes over what an earlier award holds."""
        standing(self.scene, held)
        allowed = held.kind == KIND_AWARD and any(_same(one, held.body.definition) for one in self.definition.absorbs)
        require(allowed, "SOURCE_NOT_USABLE")
        require(status.REDEEMED not in held.marks, "ALREADY_SPENT")
        self.redeems.add(held.place)
        todo = [held]
        while todo:
            one = todo.pop()
            self.absorbed |= self.scene.entries(one)
            todo += [self.scene.held[place_of(earlier.place)] for earlier in one.body.absorbs]

    def count(self, held, one):
        """Counts a record or a result of it."""
        chain, todo = {}, [held]
        while todo:
            link = todo.pop()
            standing(self.scene, link)
            chain[link.place] = link
            before = [source.record for source in link.body.sources] if link.kind == KIND_CONVERSION else []
            if link.kind == KIND_RECOGNITION and link.body.has("qualification"):
                before.append(link.body.qualification)
            todo += [self.scene.held[place_of(one.place)] for one in before if place_of(one.place) not in chain]
        for place, _ in one.roots or [(held.place, 1)]:
            root = self.scene.held.get(place)
            require(root is not None and root.account == self.account, "SOURCE_NOT_USABLE")
            standing(self.scene, root)
            require(self.definition.retakes or not is_surplus(self.scene, root), "TOO_MANY_REPEATS")
            if root.kind in (KIND_FOREIGN, KIND_AWARD):
                self._redeem(self._recognition(place, chain), chain, one.amount)
                self.counted.append((held, one.key[2]))
                foreign.draw(self.scene, root, self.absorbed, self.counted)
            elif held.kind != KIND_OUTCOME:
                self._redeem(root, chain, one.amount)

    @staticmethod
    def _recognition(place, chain):
        """By which recognition a diploma, or an award that stands for itself, is drawn on."""
        for link in chain.values():
            if link.kind == KIND_RECOGNITION and any(place_of(root.place) == place for one in link.body.exemptions
                                                     for root in one.roots):
                return link
        raise conversion.Broken("SOURCE_NOT_USABLE")

    def _redeem(self, root, chain, amount):
        entry = root.marks.get(status.REDEEMED)
        if entry is None:
            self.redeems.add(root.place)
        elif entry not in self.absorbed:
            holder = next((link for link in chain.values() if link.kind == KIND_CONVERSION
                           and root.place in self.scene.named_by(link)
                           and entry in self.scene.entries(link)), None)
            if holder is not None:
                self._redeem(holder, chain, amount)
            else:
                self._share(root, entry, amount)

    def _share(self, root, entry, amount):
        for held in self.scene.held.values():
            if held.kind == KIND_AWARD and held.stands() and held.institution == self.scene.sealed_by.get(entry) \
                    and root.place in self.scene.named_by(held) and entry in self.scene.entries(held):
                other = held.body.definition
                theirs = self.scene.register.get(forms.KIND_DEFINITION, *_name(other))
                own = [one.max_e4 for one in self.definition.overlaps if _same(one.other, other)]
                back = [one.max_e4 for one in theirs.overlaps if _same(one.other, self.definition)]
                require(own and back, "ALREADY_SPENT")
                key = other.institution, other.code
                before, most = self.shared.get(key, (0, own[0]))
                self.shared[key] = before + amount, min(most, own[0], back[0])
                require(self.shared[key][0] <= self.shared[key][1], "ALREADY_SPENT")
                return
        require(False, "ALREADY_SPENT")


def _same(listed, name):
    return (listed.institution, listed.code) == (name.institution, name.code) and listed.version in (0, name.version)
