"""The registry as the rules see it: the newest entry of each identity (PROTOCOL.md, sections 9 and 17)."""

import datetime

from . import courses
from . import ledger as forms
from .dates import OPEN_BEGIN, OPEN_END, earliest, first, last, within

TIER_INSTITUTION, TIER_GROUP, TIER_COUNTRY = 1, 2, 3
MEMBER_OF = 1
RECORDED = (forms.KIND_INSTITUTION, forms.KIND_ACCEPTANCE, forms.KIND_EQUIVALENCE)
"""Kinds on whose day of recording something depends."""
KIND_CREDIT_UNIT, KIND_FRAMEWORK, KIND_SCALE, KIND_LEVEL_MAP = 68, 69, 70, 71


class Agreement:
    """One version: what was proposed last, and whether it was accepted and ended."""

    def __init__(self, terms):
        self.terms = terms
        self.accepted = False
        self.ends = None


class Register:
    """Entries by kind and identity. `entries`: kind, body and when it was sealed. The log index of none is known, so that
    no time correction holds one here."""

    def __init__(self, records, entries):
        self.found = {}
        self.agreements = {}
        self.recorded = {}
        for kind, body, sealed_at_ms in entries:
            read = records.read(kind, 1, body)
            self._add(read, kind)
            if kind in RECORDED:
                self.recorded.setdefault((kind, _identity(kind, read)), earliest(sealed_at_ms // 60_000))

    def _add(self, body, kind):
        if kind == forms.KIND_PROPOSAL:
            self.agreements[body.terms.code, body.terms.version] = Agreement(body.terms)
        elif kind == forms.KIND_ACCEPTANCE:
            self.agreements[body.agreement.code, body.agreement.version].accepted = True
        elif kind == forms.KIND_ENDING:
            self.agreements[body.agreement.code, body.agreement.version].ends = body.ends
        else:
            self.found[kind, _identity(kind, body)] = body

    def get(self, kind, *identity):
        """The entry of a kind under an identity, or None."""
        return self.found.get((kind, identity))

    def recorded_on(self, kind, *identity):
        """The day on which an institution, an acceptance or an equivalence was recorded, or None."""
        return self.recorded.get((kind, identity))

    def all(self, kind):
        """All entries of a kind."""
        return [body for (of, _), body in self.found.items() if of == kind]

    def course(self, institution, code):
        """The course that a code of an institution names."""
        return courses.course(self, institution, code)

    def scale(self, code):
        """A grade scale, or None."""
        return self.get(KIND_SCALE, code)

    def has_level(self, framework, level):
        """Whether a framework has a level."""
        found = self.get(KIND_FRAMEWORK, framework)
        return found is not None and any(one.code == level for one in found.levels)

    def in_force(self, agreement, day):
        """Whether conversions are made under an agreement on a day."""
        if not agreement.accepted:
            return False
        terms = agreement.terms
        begin, end = _span(terms)
        if agreement.ends is not None:
            end = min(end, last(agreement.ends))
        for other in self.agreements.values():
            newer = other.terms.code == terms.code and other.terms.version > terms.version
            named = any((name.code, name.version) == (terms.code, terms.version) for name in other.terms.replaces)
            if other.accepted and (newer or named):
                end = min(end, _span(other.terms)[0] - datetime.timedelta(1))
        return begin <= day <= end

    def speaks_for(self, terms, sender, receiver, day):
        """Whether terms are about credit of one institution at another."""
        return self._on_side(terms.tier, terms.sender, sender, day) and \
            self._on_side(terms.tier, terms.receiver, receiver, day)

    def _on_side(self, tier, party, number, day):
        if tier == TIER_INSTITUTION or number == party:
            return number == party
        own = self.get(forms.KIND_INSTITUTION, number)
        if tier == TIER_GROUP:
            return own is not None and any(one.type == MEMBER_OF and one.institution == party and within(day, one)
                                           for one in own.relations)
        authority = self.get(forms.KIND_INSTITUTION, party)
        return own is not None and authority is not None and own.country == authority.country != ""

    def newest(self, kind, body, day):
        """Whether a version lies between its dates and no later one of its code has begun."""
        later = [one for one in self.all(kind) if (one.institution, one.code) == (body.institution, body.code)
                 and one.version > body.version and _span(one)[0] <= day]
        return within(day, body) and not later


def _span(holder):
    begin = first(getattr(holder, "from")) if holder.has("from") else OPEN_BEGIN
    return begin, last(holder.until) if holder.has("until") else OPEN_END


def _identity(kind, body):
    if kind == forms.KIND_INSTITUTION:
        return (body.number,)
    if kind == forms.KIND_UNIT:
        return body.institution, body.unit
    if kind == forms.KIND_KEY:
        return (bytes(body.public_key),)
    if kind in (forms.KIND_ACCREDITATION, forms.KIND_DISTRIBUTION):
        return body.institution, body.number
    if kind == forms.KIND_COUNTRY:
        return (body.alpha2,)
    if kind == forms.KIND_ACCEPTANCE:
        return body.agreement.code, body.agreement.version
    if kind in (forms.KIND_EQUIVALENCE, forms.KIND_DEFINITION):
        return body.institution, body.code, body.version
    if kind == forms.KIND_COURSE_ALIAS:
        return body.institution, body.code
    if kind == forms.KIND_COURSE_CODES:
        return (body.institution,)
    if kind == forms.KIND_TIME_CORRECTION:
        return (body.first,)
    return (body.code,)
