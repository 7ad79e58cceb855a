"""Diplomas of elsewhere and recognitions of qualifications, with the roots of what is given for them (RULES.md, sections 15 and
17)."""

from fractions import Fraction

from . import conversion, foreign, late
from .awards import counts_declared, named, place_of, standing
from .courses import near
from .dates import first, has_happened, is_real, last
from .grades import MAX_E4, passes, require

KIND_AWARD, KIND_FOREIGN = 14, 20
AUDITED, DECLARED, HONORARY = 1, 2, 3
DECISION = 2
GRANTING = (1, 2, 3, 4)
RECORDS_MAX, ROOTS_MAX = 64, 256


def judge(scene, message, former, account):
    """Checks a ForeignAward."""
    titles = {near(title.value) for title in message.titles}
    require(message.has("titles") and near(message.institution), "MISSING_FIELD")
    require(all(titles), "MISSING_FIELD")
    require(len(message.country) == 2 and message.country.isascii() and message.country.isupper(), "INVALID_CODE")
    require(message.has("evidence"), "MISSING_FIELD")
    require(not message.has("number") or near(message.number), "INVALID_CODE")
    require(message.has("number") or message.has("conferred"), "MISSING_FIELD")
    if message.has("conferred"):
        require(is_real(message.conferred) and has_happened(message.conferred, scene.now), "IMPLAUSIBLE_DATE")
    distinct = set()
    for one in message.distinct_from:
        require(one.has("reason"), "MISSING_FIELD")
        held = named(scene, one.award, account)
        require(held.kind == KIND_FOREIGN, "SOURCE_NOT_USABLE")
        distinct.add(held.place)
    known = foreign.known(scene, account)
    require(sum(held.institution == scene.institution for held in known) < RECORDS_MAX, "TOO_MANY_REPEATS")
    others = [held for held in known if held.stands() and held.place != former]
    require(not any(foreign.is_same(message, held.body) for held in others), "DUPLICATE_RECORD")
    own = foreign.chain(scene, former)
    for held in others:
        if foreign.is_close(message, held.body):
            theirs = {place_of(one.award.place) for one in held.body.distinct_from}
            require(foreign.chain(scene, held.place) & distinct or theirs & own, "CLOSE_MATCH")


def recognise(scene, message, former, account):
    """Checks a QualificationRecognition, as far as what it says of credit."""
    decided = scene.day(message, "decided")
    require(message.has("decider"), "MISSING_FIELD")
    require(not message.has("expires") or last(message.expires) > decided, "INVALID_DATE")
    require(message.has("qualification"), "MISSING_FIELD")
    of = named(scene, message.qualification, account)
    require(of.kind in (KIND_AWARD, KIND_FOREIGN), "SOURCE_NOT_USABLE")
    standing(scene, of)
    require(not of.body.has("conferred") or first(of.body.conferred) <= decided, "INVALID_DATE")
    require(message.form, "MISSING_FIELD")
    if message.form == DECISION:
        require(message.has("legal_basis"), "MISSING_FIELD")
        found = scene.held.get(place_of(message.decision))
        own = found is not None and (found.kind, found.account, found.institution) == (7, account, scene.institution)
        require(own and found.body.type in GRANTING, "SOURCE_NOT_USABLE")
        standing(scene, found)
    else:
        require(not message.has("decision"), "CONTRADICTION")
    says = message.has("comparable_to") or message.has("level") or message.has("exemptions")
    require(says, "MISSING_FIELD")
    levels(scene, message)
    for exemption in message.exemptions:
        _exemption(scene, exemption)
    declared = of.kind == KIND_AWARD and counts_declared(scene, of)
    require(all(bool(one.declared) == declared for one in message.exemptions), "CONTRADICTION")
    late.judge(scene, message, former, "decided")
    for exemption, roots in zip(message.exemptions, _roots(scene, message, of)):
        _same_roots(exemption, roots)


def levels(scene, message):
    """Refuses a level that no framework has."""
    if message.has("level"):
        framework = scene.register.get(69, message.level.framework)
        known = framework is not None and message.level.level in {one.code for one in framework.levels}
        require(known, "UNKNOWN_LEVEL")


def _roots(scene, message, of):
    counted = of.kind == KIND_AWARD and (of.body.basis != DECLARED or of.body.has("redeems"))
    require(not message.has("exemptions") or not (of.kind == KIND_AWARD and of.body.basis == HONORARY), "SOURCE_NOT_USABLE")
    if counted or not message.has("exemptions"):
        require(not message.has("size") and not message.has("method"), "CONTRADICTION")
    amounts = [(one.amount.unit, one.amount.e4) for one in message.exemptions]
    if counted:
        return _shared(scene, of, amounts) if amounts else []
    if not amounts:
        return []
    require(message.has("size") and message.size.e4 and message.has("method"), "MISSING_FIELD")
    unit, size = message.size.unit, message.size.e4
    require(scene.register.get(68, unit) is not None, "UNKNOWN_CREDIT_UNIT")
    require(all(of_unit == unit and e4 <= size for of_unit, e4 in amounts), "CONVERSION_DIFFERS")
    require(sum(e4 for _, e4 in amounts) <= size, "CONVERSION_DIFFERS")
    return [[conversion.Root(_place(of), of.status_id, Fraction(e4, size), e4, [(unit, size)])] for _, e4 in amounts]


def _place(held):
    return conversion.clean({"entry": held.place[0], "index": held.place[1]})


def _shared(scene, of, amounts):
    """The roots of an Award, of each exemption for it."""
    if of.body.basis == AUDITED:
        counted = [(place_of(one.record.place), one.result_plus_1) for one in of.body.allocations]
    else:
        counted = [(place_of(one.place), 0) for one in of.body.redeems]
    sources = []
    for place, result in sorted(counted):
        held = scene.held[place]
        case = {**held.case, "body": held.case["record"]["body"], "result_plus_1": result}
        sources.append(conversion.read_source(scene.records, case))
    if any(source.amount is not None for source in sources):
        sources = [source for source in sources if source.amount is not None]
    one_unit = len({source.amount.unit for source in sources if source.amount is not None}) <= 1
    roots = {}
    for root in (root for source in sources for root in source.roots):
        key = (root.place.get("entry", 0), root.place.get("index", 0))
        part = root.part if one_unit else 0
        if key not in roots:
            roots[key] = conversion.Root(root.place, root.status_id, root.fraction, part, list(root.had))
            continue
        known = roots[key]
        known.fraction, known.part = known.fraction + root.fraction, min(known.part + part, MAX_E4)
        had = dict(known.had)
        known.had = [(unit, min(e4, dict(root.had).get(unit, e4))) for unit, e4 in known.had] \
            + [(unit, e4) for unit, e4 in root.had if unit not in had]
    require(0 < len(roots) <= ROOTS_MAX, "SOURCE_NOT_USABLE")
    found = []
    for unit, e4 in amounts:
        shared = [conversion.Root(root.place, root.status_id, _fitting(min(root.fraction, Fraction(1)) / len(amounts)),
                                  root.part, list(root.had)) for _, root in sorted(roots.items())]
        amount, settled = conversion.fixed(shared, unit, e4)
        require(amount == e4, "CONVERSION_DIFFERS")
        found.append(settled)
    return found


def _fitting(fraction):
    if max(fraction.numerator, fraction.denominator) <= MAX_E4:
        return fraction
    return Fraction(-(-fraction.numerator * MAX_E4 // fraction.denominator), MAX_E4)


def _exemption(scene, exemption):
    require(exemption.has("course") and exemption.course.titles, "MISSING_FIELD")
    require(scene.register.get(68, exemption.amount.unit) is not None, "UNKNOWN_CREDIT_UNIT")
    require(exemption.amount.e4, "MISSING_FIELD")
    levels(scene, exemption)
    if exemption.has("grade"):
        scale = scene.register.scale(exemption.grade.scale)
        require(scale is not None and passes(scale, exemption.grade.value), "UNKNOWN_GRADE")
    steps = ("suggested", "override_reason", "grade_steps", "source_plus_1", "basis")
    require(not any(exemption.has(name) for name in steps), "CONTRADICTION")


def _same_roots(exemption, roots):
    stated = [((place_of(root.place)), root.status_id, Fraction(root.fraction.numerator, root.fraction.denominator),
               root.part_e4, [(one.unit, one.e4) for one in root.had]) for root in exemption.roots]
    expected = [((root.place.get("entry", 0), root.place.get("index", 0)), root.status_id, root.fraction, root.part, root.had)
                for root in roots]
    require(stated == expected, "CONVERSION_DIFFERS")

