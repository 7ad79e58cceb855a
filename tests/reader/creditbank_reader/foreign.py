"""Diplomas of elsewhere: which records are about one, and what awards draw on it (RULES.md, sections 15 and 18)."""

from fractions import Fraction

from . import conversion
from .courses import near
from .dates import first, last
from .grades import require

KIND_CONVERSION, KIND_AWARD, KIND_RECOGNITION, KIND_FOREIGN = 12, 14, 15, 20


def place_of(message):
    """A Place as a pair."""
    return message.entry, message.index


def _titles(one):
    return {near(title.value) for title in one.titles}


def _day(one):
    return conversion.plain(one.conferred) if one.has("conferred") else None


def is_same(one, other):
    """Whether two records are about one diploma."""
    keys = [(of.country, near(of.institution), near(of.number)) for of in (one, other)]
    if keys[0] != keys[1]:
        return False
    return one.has("number") or _day(one) == _day(other) and bool(_titles(one) & _titles(other))


def _pairs(text):
    found = {}
    for pair in zip(text, text[1:]):
        found[pair] = found.get(pair, 0) + 1
    return found


def _alike(one, other):
    if one == other:
        return True
    mine, theirs = _pairs(one), _pairs(other)
    common = sum(min(count, theirs.get(pair, 0)) for pair, count in mine.items())
    return common > 0 and 4 * common >= sum(mine.values()) + sum(theirs.values())


def is_close(one, other):
    """Whether a person has to say that two records are about two diplomas."""
    if near(one.number) and near(one.number) == near(other.number):
        return True
    institution = _alike(near(one.institution), near(other.institution))
    if institution and _titles(one) & _titles(other):
        return True
    if not (one.has("conferred") and other.has("conferred")):
        return False
    meet = first(one.conferred) <= last(other.conferred) and first(other.conferred) <= last(one.conferred)
    return meet and (institution or any(_alike(mine, theirs) for mine in _titles(one) for theirs in _titles(other)))


def known(scene, account):
    """All diplomas of a learner."""
    return [held for held in scene.held.values() if held.kind == KIND_FOREIGN and held.account == account]


def chain(scene, place):
    """A record and what it amends, directly or not."""
    found = set()
    while place is not None and place in scene.held:
        found.add(place)
        body = scene.held[place].body
        place = place_of(body.amends.place) if body.has("amends") else None
    return found


def records_of(scene, root):
    """The places of all records of a diploma, or of an award and what it amends."""
    if root.kind == KIND_AWARD:
        return chain(scene, root.place)
    found = {root.place: root}
    while True:
        before = len(found)
        for held in known(scene, root.account):
            links = chain(scene, held.place)
            for other in list(found.values()):
                if other.place in links or held.place in chain(scene, other.place) or is_same(held.body, other.body):
                    found[held.place] = held
        if len(found) == before:
            return set(found)


def _results(held):
    return held.body.results if held.kind == KIND_CONVERSION else held.body.exemptions


def draws(scene, records, held, number):
    """What a result of a record draws on a diploma: fraction, part, unit and sizes."""
    if held.kind not in (KIND_CONVERSION, KIND_RECOGNITION) or not number:
        return []
    result = _results(held)[number - 1]
    return [(Fraction(root.fraction.numerator, root.fraction.denominator), root.part_e4, result.amount.unit,
             [(size.unit, size.e4) for size in root.had])
            for root in result.roots if place_of(root.place) in records]


def draw(scene, root, absorbed, counted):
    """Refuses to count more of a diploma than it is, by the award at hand and by all others."""
    records = records_of(scene, root)
    drawn = {}
    for award in scene.held.values():
        stands = award.kind == KIND_AWARD and award.stands() and records & award.depends_on
        if stands and not absorbed & scene.entries(award):
            for one in award.body.allocations:
                place = place_of(one.record.place)
                drawn[place, one.result_plus_1] = draws(scene, records, scene.held[place], one.result_plus_1)
    for held, number in counted:
        drawn[held.place, number] = draws(scene, records, held, number)
    every = [one for found in drawn.values() for one in found]
    require(sum((fraction for fraction, *_ in every), Fraction(0)) <= 1, "ALREADY_SPENT")
    sizes = {}
    for *_, had in every:
        for unit, e4 in had:
            sizes[unit] = min(e4, sizes.get(unit, e4))
    for unit, most in sizes.items():
        require(sum(part for _, part, of, _ in every if of == unit) <= most, "ALREADY_SPENT")
