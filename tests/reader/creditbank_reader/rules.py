"""What the rules ask of applications, decisions, appeals, conversions, awards and enrolments, and of effects on the records of
others (PROTOCOL.md, sections 8 and 15). The first rule that is broken is the answer."""

import datetime

from . import ledger as forms
from . import awards, deadlines, enrolments, late, mandates, recognitions, status
from .authority import is_custodian, is_suspect
from .courses import broken, is_code, wide
from .dates import EARLIEST, first, has_happened, is_plausible_expiry, is_plausible_period, is_real, last, latest
from .grades import Broken, require
from .once import is_in_time

KIND_OUTCOME, KIND_RESULT = 2, 4
PLANNED = (5, 7, 8)
"""Statuses of a Result that is not final: deferred, in progress, provisional."""
KIND_IDENTITY, KIND_CREDIT, KIND_APPLICATION, KIND_APPEAL, KIND_DECISION, KIND_CONVERSION, KIND_AWARD = 1, 3, 5, 6, 7, 12, 14
SUPERSEDE, REVOKE, REDEEM, RELEASE, CONFIRM, REVIEW, CLOSE_REVIEW, REINSTATE = 1, 2, 3, 4, 5, 8, 9, 10
ISSUER, CUSTODIAN, OPERATOR, MANDATE, DEPENDENCY = 1, 2, 3, 4, 5
FULL, PARTIAL, ALTERNATIVE, CONDITIONAL, REFUSED, UNVERIFIED, MISSING, RECEIVED, WITHDRAWN, PUT_OFF = \
    range(1, 11)
KIND_DEADLINE = 72
KIND_RECOGNITION, KIND_ENROLMENT, KIND_FOREIGN = 15, 19, 20
EPOCH = datetime.date(1970, 1, 1)
TEXT_MAX = 200
JUDGED_KINDS = {KIND_APPLICATION, KIND_APPEAL, KIND_DECISION, KIND_CONVERSION, KIND_AWARD, KIND_RECOGNITION, KIND_ENROLMENT,
                KIND_FOREIGN}


class Held:
    """A record that the ledger holds."""

    def __init__(self, records, case):
        self.case = case
        self.place = (case["entry"], case["index"])
        self.kind, self.institution, self.account = case["kind"], case["institution"], case["account"]
        self.marks = status.unspell(bytes.fromhex(case["marks"]))
        self.status_id = bytes.fromhex(case["status_id"])
        self.body = records.read(self.kind, 1, bytes.fromhex(case["record"]["body"])) if "record" in case else None
        self.depends_on = {(one["entry"], one["index"]) for one in case.get("depends_on", [])}

    def stands(self):
        """Neither superseded nor revoked."""
        return not {status.SUPERSEDED, status.REVOKED} & self.marks.keys()


def _same_account(one, other):
    """Whether two conversions count against each other: under the same code, or of a source in common."""
    for name in ("agreement", "equivalence"):
        if one.has(name) and other.has(name):
            mine, others = getattr(one, name), getattr(other, name)
            if mine.code == others.code and (name == "agreement" or mine.institution == others.institution):
                return True
    sources = [{(place_of(source.record.place), source.result_plus_1) for source in of.sources} for of in (one, other)]
    return bool(sources[0] & sources[1])


def _paper_of(institution, kind, message):
    """Institution, kind and reference of the paper on which a record stands, or None."""
    if kind not in mandates.KINDS or not message.has("mandate") or not message.mandate.has("paper_reference"):
        return None
    return institution, kind, wide(message.mandate.paper_reference)


def place_of(message):
    """A Place as a pair."""
    return message.entry, message.index


class Scene:
    """The ledger that a block comes to."""

    def __init__(self, records, register, vectors, case):
        self.records = records
        self.register = register
        self.origin = vectors["origin"]
        self.sealed_at_minute = vectors["sealed_at_ms"] // 60_000
        self.used = {bytes.fromhex(digest) for digest in case["used"]}
        self.today = EPOCH + datetime.timedelta(vectors["sealed_at_ms"] // 86_400_000)
        self.aliases = {(one["institution"], one["alias"]): one for one in vectors["aliases"]}
        self.held = {}
        for one in case["held"]:
            found = Held(records, one)
            self.held[found.place] = found
        keys = {}
        for entry in [*vectors["registry"], *case["registry"]]:
            if entry["kind"] == forms.KIND_KEY:
                key = records.read(entry["kind"], 1, bytes.fromhex(entry["body"]))
                keys[forms.key_id(key.public_key)] = key
        self.keys = keys
        by = {one["entry"]: [keys[bytes.fromhex(key)] for key in (one["key_id"], *one["approvers"])]
              for one in case["sealings"]}
        self.sealed_by = {entry: found[0].institution for entry, found in by.items()}
        self.suspect = {one["entry"] for one in case["sealings"]
                        if any(is_suspect(key, one["sealed_at_ms"]) for key in by[one["entry"]])}
        self.said = {one["entry"]: [effect for group in one["groups"]
                                    for effect in records.canonical.read("EffectGroup", bytes.fromhex(group)).effects]
                     for one in case.get("said", [])}

    def _come_to(self, header, approvals):
        """A block of a header comes to the ledger."""
        self.institution = header.institution
        self.is_approved = bool(approvals)
        self.minutes = (header.created_at_minute, self.sealed_at_minute)
        self.created = EPOCH + datetime.timedelta(header.created_at_minute // 1_440)
        self.now = latest(header.created_at_minute)

    def judge(self, header, approvals, groups, records, places):
        """Refuses the block of these records, each a kind and a body, and effects; the places of those that show none."""
        self._come_to(header, approvals)
        self.beside = dict(zip((effect.status_id for effect in forms.silent(groups)), places))
        self.has_records = bool(records)
        self.key = self.keys[header.key_id]
        require(not self.key.has("revoked"), "KEY_REVOKED")
        names, amends, redeems, used_up = [], [], [], []
        self.papers = []
        stated = self._stated(groups)
        for kind, body in records:
            message = self.records.read(kind, 1, body)
            require(kind in self.key.kinds, "KIND_OUTSIDE_KEY")
            wrong = broken(self.records.canonical.schema, message)
            require(wrong is None, wrong)
            name, used = self._record(kind, body, message)
            names.append(name)
            redeems += used
            self._paper(kind, message)
            consents = mandates.consents(self.records, self.origin, self.institution, kind, body)
            require(not self.used & set(consents), "MANDATE_USED")
            used_up += consents
            if message.has("amends"):
                amends.append(place_of(message.amends.place))
        require(len(names) == len(set(names)), "DUPLICATE_RECORD")
        require(len(self.papers) == len(set(self.papers)), "MANDATE_USED")
        self._effects(groups, amends, sorted(redeems))
        require(len(used_up) == len(set(used_up)), "MANDATE_USED")
        require(stated == set(used_up), "EFFECT_MISMATCH")

    def _stated(self, groups):
        """The mandates that groups state by their digests."""
        for group in groups:
            authority = group.authority
            silent = not (authority.has("case_reference") or authority.institution)
            states = authority.basis == MANDATE and authority.has("mandate_digest") and silent and self.institution != 0
            require(group.effects or states, "NOT_AUTHORISED")
        stated = {group.authority.mandate_digest for group in groups if group.authority.has("mandate_digest")}
        require(not self.used & stated, "MANDATE_USED")
        return stated

    # Records.

    def _record(self, kind, body, message):
        alias = self.aliases.get((self.institution, message.learner.hex()))
        require(alias is not None, "UNKNOWN_ALIAS")
        account = alias["account"]
        former = place_of(message.amends.place) if message.has("amends") else None
        if kind == KIND_ENROLMENT:
            enrolments.judge(self.register, self.institution, message, self.now)
            # Any number of them may stand.
            return (account, object()), []
        if kind == KIND_AWARD:
            if message.has("mandate"):
                self.mandate(kind, body, message)
            return (account, "holder"), self._used(kind, body, awards.award(self, body, message, former, account))
        if kind != KIND_DECISION:
            self.mandate(kind, body, message)
        if kind == KIND_CONVERSION:
            self.day(message, "decided")
            return (account, "holder"), self._used(kind, body, awards.convert(self, message, former, account))
        if kind == KIND_RECOGNITION:
            recognitions.recognise(self, message, former, account)
            return (account, "recognition"), []
        if kind == KIND_FOREIGN:
            recognitions.judge(self, message, former, account)
            return (account, "diploma"), []
        if kind == KIND_APPLICATION:
            return (account, self._application(message, former, account)), []
        if kind == KIND_DECISION:
            return (account, self._decision(message, former, account)), []
        return (account, self._appeal(message, former, account)), []

    def _used(self, kind, body, places):
        """Each place with the digest of the record's mandate."""
        if not places:
            return []
        digest = mandates.consents(self.records, self.origin, self.institution, kind, body)[0]
        return [(place, digest) for place in places]

    def mandate(self, kind, body, message):
        """Refuses a record that the learner does not want."""
        require(message.has("mandate"), "NO_MANDATE")
        require(len(message.mandate.salt) == mandates.SALT_LEN, "MISSING_FIELD")
        require(is_code(message.mandate.paper_reference, most=TEXT_MAX), "INVALID_CODE")
        require(mandates.holds(self.records, self.origin, self.institution, kind, body), "NO_MANDATE")
        require(is_in_time(message.mandate.until_minute, *self.minutes), "MANDATE_EXPIRED")

    def _paper(self, kind, message):
        """An institution uses a paper once for each kind of record; an amendment may stand on that of what it amends."""
        paper = _paper_of(self.institution, kind, message)
        if paper is None:
            return
        used = [held.place for held in self.held.values()
                if held.body is not None and _paper_of(held.institution, held.kind, held.body) == paper]
        own = message.has("amends") and place_of(message.amends.place) in used
        require(not used or own, "MANDATE_USED")
        self.papers.append(paper)

    def day(self, message, name):
        """A day that a person names."""
        require(message.has(name), "MISSING_FIELD")
        date = getattr(message, name)
        require(is_real(date) and date.day, "INVALID_DATE")
        require(has_happened(date, self.now), "IMPLAUSIBLE_DATE")
        return first(date)

    def _at(self, place, account):
        found = self.held.get(place)
        require(found is not None and found.account == account, "SOURCE_NOT_USABLE")
        return found

    def _application(self, message, former, account):
        require(message.purpose and message.has("asked"), "MISSING_FIELD")
        self.day(message, "received")
        law = self.register.get(KIND_DEADLINE, message.deadline)
        require(law is not None, "UNKNOWN_REFERENCE")
        own = self.register.get(forms.KIND_INSTITUTION, self.institution)
        require(law.country in ("", own.country) and law.purpose in (0, message.purpose), "CONTRADICTION")
        for reference in message.records:
            found = self._at(place_of(reference.place), account)
            require(found.status_id == reference.status_id and not reference.has("origin"), "SOURCE_NOT_USABLE")
            awards.visible(self, found)
        for other in self.held.values():
            if other.kind == KIND_APPLICATION and other.place != former and other.body.purpose == message.purpose:
                case = self._case(other.place, account)
                require(case is None or self._stage(case, self._steps(case, None)[0])[0] != "open", "APPLICATION_OPEN")
        return "application", message.purpose

    def _case(self, place, account):
        found = self.held.get(place)
        if found is None or found.kind != KIND_APPLICATION or not found.stands() \
                or (found.account, found.institution) != (account, self.institution):
            return None
        return found

    def _application_of(self, step):
        """The application to whose case a held decision or appeal belongs."""
        if step.kind == KIND_DECISION and step.body.has("application"):
            return place_of(step.body.application)
        named = step.body.appeal if step.kind == KIND_DECISION else step.body.decision
        other = self.held.get(place_of(named))
        return None if other is None else self._application_of(other)

    def _first(self, step):
        """The place at which a step stood before it was amended."""
        if not step.body.has("amends"):
            return step.place
        former = self.held.get(place_of(step.body.amends.place))
        own = former is not None and former.kind in (KIND_DECISION, KIND_APPEAL) \
            and self._application_of(former) == self._application_of(step)
        return self._first(former) if own else step.place

    def _steps(self, case, target):
        """The steps before a target, or all, in order; and those behind it."""
        found = [step for step in self.held.values() if step.kind in (KIND_DECISION, KIND_APPEAL) and step.stands()
                 and self._application_of(step) == case.place]
        found.sort(key=self._first)
        at = next((at for at, step in enumerate(found) if step.place == target), len(found))
        return found[:at], found[at + 1:]

    @staticmethod
    def _step_day(step):
        return first(step.body.decided if step.kind == KIND_DECISION else step.body.received)

    def _between(self, case, steps, behind, day):
        """Steps follow each other by their days."""
        require(day >= max([first(case.body.received), *map(self._step_day, steps)]), "INVALID_DATE")
        require(all(day <= self._step_day(step) for step in behind), "INVALID_DATE")

    def _stays(self, former, case, account):
        """An amendment is of a step of its own case."""
        step = self.held.get(former)
        if step is not None and step.account == account and step.kind in (KIND_DECISION, KIND_APPEAL):
            require(self._application_of(step) == case.place, "CONTRADICTION")

    def _kept(self, message, former, behind):
        """What others have built on stays."""
        if not behind:
            return
        before = self.held[former].body
        require(before.type == message.type, "CONTRADICTION")
        free = {"learner", "amends", "channel", "notified", "arrived", "appeal_until", "appeal_untold", "appeal"}
        core = [{name: value for name, value in awards.conversion.plain(one).items() if name not in free}
                for one in (before, message)]
        require(message.type in (MISSING, RECEIVED, PUT_OFF) or core[0] == core[1], "CONTRADICTION")

    def _stage(self, case, steps):
        """("open", clock, open appeal), ("decided", decision) or ("closed",)."""
        law = self.register.get(KIND_DEADLINE, case.body.deadline)
        term = law.decision if law.has("decision") else None
        clock = deadlines.Clock(law, term, first(case.body.received), law.decision_from == deadlines.COMPLETE_DOCUMENTS)
        appeal, decided, last = None, None, None
        for step in steps:
            if step.kind == KIND_APPEAL:
                appeal, decided = step, None
                term = law.appeal_decision if law.has("appeal_decision") else None
                from_end = last is not None and law.appeal_decision_from == deadlines.APPEAL_PERIOD
                clock = deadlines.Clock(law, term, last if from_end else first(step.body.received))
            elif step.body.type == MISSING:
                clock.stop(first(step.body.decided))
            elif step.body.type == RECEIVED:
                clock.go_on(first(step.body.decided))
            elif step.body.type == PUT_OFF:
                clock.put_off(first(step.body.put_off_until))
            elif step.body.type == WITHDRAWN:
                return ("closed",)
            else:
                decided = step
                last = first(step.body.appeal_until) if step.body.has("appeal_until") else None
        if decided is None:
            return "open", clock, appeal
        return ("closed",) if appeal is not None else ("decided", decided)

    def _is_step(self, place, step, former):
        """Whether a place is that of a step; for an amendment, also one at which the step stood before."""
        if step is None or place is None:
            return step is None and place is None
        named = self.held.get(place)
        return place == step.place or former is not None and named is not None and self._first(named) == self._first(step)

    def _own(self, place, kind, account):
        found = self.held.get(place)
        own = found is not None and (found.kind, found.institution, found.account) == (kind, self.institution, account)
        require(own, "NOT_OPEN")
        return found

    def _appealed(self, message, account):
        found = self._own(place_of(message.decision), KIND_DECISION, account)
        require(found.body.has("application"), "NOT_OPEN")
        return place_of(found.body.application)

    def _decision(self, message, former, account):
        require(message.has("application") != message.has("appeal"), "MISSING_FIELD")
        if message.has("application"):
            place, appeal = place_of(message.application), None
        else:
            appeal = place_of(message.appeal)
            found = self._own(appeal, KIND_APPEAL, account)
            place = self._appealed(found.body, account)
        case = self._case(place, account)
        require(case is not None, "NOT_OPEN")
        decided = self.day(message, "decided")
        self._stays(former, case, account)
        steps, behind = self._steps(case, former)
        stage = self._stage(case, steps)
        require(stage[0] == "open" and self._is_step(appeal, stage[2], former), "NOT_OPEN")
        self._between(case, steps, behind, decided)
        self._kept(message, former, behind)
        require(message.type and message.has("decider"), "MISSING_FIELD")
        clock = stage[1]
        self._says(message, case, clock.stopped is None)
        law = self.register.get(KIND_DEADLINE, case.body.deadline)
        self._put_off(message, law, clock, decided, appeal)
        self._instructs(message, former, law, self._notified(message, law, decided))
        self._advance(message)
        late.judge(self, message, former, "decided")
        return "case", case.place

    def _instructs(self, message, former, law, notified):
        """What a decision says of appeals: where, and until when."""
        ends = message.type not in (MISSING, RECEIVED, PUT_OFF, WITHDRAWN) and message.has("application")
        name = "appeal_untold" if message.appeal_untold and law.has("appeal_untold") else "appeal"
        runs = ends and law.has(name) and notified is not None
        until = deadlines.end_of(getattr(law, name), max(notified, self.created), law) if runs else None
        if former is not None and self._notice(message) == self._notice(self.held[former].body):
            until = self._appeal_until(self.held[former].body)
        require(self._appeal_until(message) == until, "CONTRADICTION")
        require(message.appeal_instance == (law.appeal_instance if ends else ""), "CONTRADICTION")

    @staticmethod
    def _appeal_until(decision):
        return first(decision.appeal_until) if decision.has("appeal_until") else None

    @staticmethod
    def _notice(decision):
        """How a decision was made known."""
        shown = awards.conversion.plain(decision)
        return [shown.get(name) for name in ("type", "channel", "notified", "arrived", "appeal_untold")]

    def _advance(self, message):
        """What is decided in advance."""
        grants = message.type in awards.GRANTS and message.has("application")
        require(grants or not message.courses, "CONTRADICTION")
        for one in message.courses:
            known = self.register.get(forms.KIND_INSTITUTION, one.institution) is not None
            require(known and one.institution != self.institution, "UNKNOWN_REFERENCE")
            require(one.course.has("code") and one.course.titles, "MISSING_FIELD")

    def _put_off(self, message, law, clock, decided, appeal):
        if message.type != PUT_OFF:
            require(not message.has("put_off_until"), "CONTRADICTION")
            return
        require(message.has("reasons") and message.has("put_off_until") and message.put_off_until.day, "MISSING_FIELD")
        due = clock.due() if clock.stopped is None and not clock.was_put_off and appeal is None else None
        require(due is not None and decided <= due, "NOT_OPEN")
        require(law.has("extension") or law.extension_reasonable, "CONTRADICTION")
        until = first(message.put_off_until)
        last = deadlines.end_of(law.extension, due, law) if law.has("extension") else until
        require(due < until <= last, "CONTRADICTION")

    def _notified(self, message, law, decided):
        """The day on which a decision counts as notified, or None."""
        require(bool(message.channel) == message.has("notified"), "MISSING_FIELD")
        require(message.channel or not message.has("arrived"), "CONTRADICTION")
        if not message.channel:
            return None
        day = self.day(message, "notified")
        arrived = self.day(message, "arrived") if message.has("arrived") else None
        require(day >= decided and (arrived is None or arrived >= day), "INVALID_DATE")
        return deadlines.counts_as_notified(law, message.channel, day, arrived)

    def _says(self, message, case, runs):
        kind = message.type
        require(kind in (MISSING, RECEIVED, PUT_OFF) or message.has("legal_basis"), "MISSING_FIELD")
        require(all(one.type and one.has("reason") for one in message.differences), "MISSING_FIELD")
        if kind == PARTIAL:
            asked = {place_of(one.place) for one in case.body.records}
            require(message.recognised, "MISSING_FIELD")
            require({place_of(one) for one in message.recognised} <= asked, "SOURCE_NOT_USABLE")
        said = {REFUSED: message.differences, ALTERNATIVE: message.alternative, MISSING: message.missing_documents,
                CONDITIONAL: message.conditions and all(one.type and one.has("text") for one in message.conditions)}
        require(said.get(kind, True), "MISSING_FIELD")
        require(kind != MISSING or runs, "NOT_OPEN")
        require(kind != RECEIVED or not runs, "NOT_OPEN")

    def _appeal(self, message, former, account):
        place = self._appealed(message, account)
        case = self._case(place, account)
        require(case is not None, "NOT_OPEN")
        require(message.has("grounds"), "MISSING_FIELD")
        received = self.day(message, "received")
        self._stays(former, case, account)
        steps, behind = self._steps(case, former)
        stage = self._stage(case, steps)
        require(stage[0] == "decided" and self._is_step(place_of(message.decision), stage[1], former), "NOT_OPEN")
        self._between(case, steps, behind, received)
        decided = stage[1].body
        require(decided.has("appeal_instance"), "NOT_OPEN")
        late.appeal(message, self._appeal_until(decided))
        return "case", case.place

    # Effects.

    def _effects(self, groups, amends, redeems):
        said = [(group.authority, effect) for group in groups for effect in group.effects]
        shown = [one for one in said if one[1].status_id not in self.beside]
        silent = [one for one in said if one[1].status_id in self.beside]
        found = [(*one, self._effect(*one)) for one in shown]
        self._asked(found, silent, redeems)
        found += [(*one, self._effect(*one)) for one in silent]

        def places(*actions):
            return sorted(target.place for _, effect, target in found if effect.action in actions)

        used = sorted((target.place, authority.mandate_digest) for authority, effect, target in found
                      if effect.action == REDEEM)
        require(places(SUPERSEDE) == sorted(amends) and used == redeems, "EFFECT_MISMATCH")
        self._releases(found)
        changed = set(places(SUPERSEDE, REVOKE))
        restored = self._restored(found)
        due = self._due(changed, restored)
        reviews = set(places(REVIEW))
        require(due <= reviews, "DEPENDANTS_NOT_REVIEWED")
        require(due == reviews, "EFFECT_MISMATCH")
        self._reinstated(found, restored, set(places(REVOKE)), changed)

    def _asked(self, shown, silent, redeems):
        """Refuses an effect that shows no place, and is about a place for which the block has no cause, in one way: whatever
        stands there. Else whoever has a key could find out where the record of a status id stands."""
        def places(*actions):
            return {target.place for _, effect, target in shown if effect.action in actions}

        actions = {effect.action for _, effect in silent}
        changed, restored = places(SUPERSEDE, REVOKE), self._restored(shown)
        closes, again = set(), {}
        if actions & {CLOSE_REVIEW, REINSTATE}:
            closes, again = self._follows(restored, places(REVOKE), changed)
        released = {self.beside[effect.status_id] for _, effect in silent if effect.action == RELEASE}
        let_go = self._let_go([target for _, effect, target in shown if effect.action == REVOKE], restored)
        for authority, effect in silent:
            self._form(effect)
            redemption = effect.redemption_plus_1 - 1 if effect.redemption_plus_1 else None
            require(self._right(authority, effect.action, self.sealed_by.get(redemption, 0)), "NOT_AUTHORISED")
            place = self.beside[effect.status_id]
            left = effect.action == RELEASE and place in self.held \
                and self._is_left_behind(effect, self.held[place], released)
            asked = {REDEEM: (place, authority.mandate_digest) in redeems, REVIEW: place in self._due(changed, restored),
                     CLOSE_REVIEW: place in closes, REINSTATE: place in again, RELEASE: place in let_go or left}
            require(asked[effect.action], "EFFECT_MISMATCH")

    def _due(self, changed, restored):
        """The places of what is to be put under review."""
        against = {status.SUPERSEDED, status.REVOKED, status.UNDER_REVIEW}
        return {one.place for one in self.held.values()
                if one.depends_on & changed and one.place not in changed | restored and not against & one.marks.keys()}

    def _restored(self, found):
        """The records of which a block clears what has ended them."""
        return {target.place for _, effect, target in found
                if effect.action == REINSTATE and not effect.redemption_plus_1 and status.ended(target.marks)}

    def _amendment(self, held):
        """The record that stands in the place of a superseded one."""
        entry = held.marks[status.SUPERSEDED]
        return next((one for one in self.held.values() if one.place[0] == entry and one.body is not None
                     and one.body.has("amends") and place_of(one.body.amends.place) == held.place), None)

    def contested(self, held):
        """Whether a record is contested."""
        if not status.is_contested(held.marks, held.place[0], self.suspect.__contains__):
            return False
        if status.SUPERSEDED not in held.marks:
            return True
        amendment = self._amendment(held)
        confirmed = None if amendment is None else amendment.marks.get(status.CONFIRMED)
        return confirmed is None or confirmed in self.suspect

    def _reinstated(self, found, restored, revoked, gone):
        """What belongs to the reinstatements of a block."""
        if any(effect.action == REINSTATE for _, effect, _ in found):
            require(not self.has_records, "EFFECT_MISMATCH")
        closes = {target.place for authority, effect, target in found
                  if effect.action == CLOSE_REVIEW and authority.basis == DEPENDENCY}
        again = {target.place: effect.redemption_plus_1 - 1 for _, effect, target in found
                 if effect.action == REINSTATE and effect.redemption_plus_1}
        require(self._follows(restored, revoked, gone) == (closes, again), "EFFECT_MISMATCH")

    def _follows(self, restored, revoked, gone):
        """What follows from the reinstatements of a block: the reviews that it closes, and what is held again."""
        due, holds = set(), {}
        for place in sorted(restored):
            held = self.held[place]
            entry = held.marks[status.ended(held.marks)]
            if status.SUPERSEDED in held.marks:
                amendment = self._amendment(held)
                require(amendment is not None, "UNKNOWN_TARGET")
                require(status.SUPERSEDED not in amendment.marks, "STATUS_FORBIDS")
                if status.REVOKED not in amendment.marks:
                    require(status.REDEEMED not in amendment.marks, "ALREADY_SPENT")
                    require(amendment.place in revoked, "EFFECT_MISMATCH")
            holds |= self._held_again(held, entry)
            for source in self._named(held):
                ended = self.held[source].marks if source in self.held else {}
                mark = status.ended(ended)
                since = mark is not None and ended[mark] >= entry and source not in restored
                require(not since and source not in gone, "SOURCE_NOT_USABLE")
            self._meanwhile(held, entry, restored, gone)
            due |= {one.place for one in self.held.values() if place in one.depends_on and one.place not in gone
                    and one.place not in restored and one.marks.get(status.UNDER_REVIEW) == entry}
        return due, holds

    def _meanwhile(self, held, entry, restored, gone):
        """Refuses to reinstate what was ended at an entry, where something has come in its place."""
        stand = [one for one in self.held.values() if one.case["key"] == held.case["key"]
                 and (one.account, one.institution) == (held.account, held.institution)
                 and one.place not in gone and (one.stands() or one.place in restored)]
        others = [one for one in stand if one.place != held.place]
        come = [one for one in others if one.place[0] >= entry]
        if held.kind == KIND_CREDIT:
            same = [one for one in stand if one.kind == KIND_CREDIT]
            full = len(same) > 1 + min(one.case["repeats_max"] for one in same)
            require(not full or not any(one.kind == KIND_CREDIT for one in come), "TOO_MANY_REPEATS")
        elif held.kind == KIND_IDENTITY:
            require(not others, "IDENTITY_NOT_AMENDED")
        elif held.kind == KIND_AWARD:
            numbers = set(awards.numbers(held.institution, held.body))
            for one in self.held.values():
                standing = one.place not in gone and (one.stands() or one.place in restored)
                if one.kind == KIND_AWARD and one.place != held.place and standing and one.body is not None:
                    require(not numbers & set(awards.numbers(one.institution, one.body)), "DOCUMENT_NUMBER_USED")
                    again = one.place[0] >= entry and one.account == held.account
                    require(not (again and awards.is_again(self, held.body, one.body)), "AWARDED_ALREADY")
        elif held.kind == KIND_APPLICATION:
            cases = [self._case(one.place, held.account) for one in come]
            require(not any(case and self._stage(case, self._steps(case, None)[0])[0] == "open" for case in cases), "APPLICATION_OPEN")
        elif held.kind in (KIND_DECISION, KIND_APPEAL):
            require(not come, "NOT_OPEN")
        elif held.kind == KIND_CONVERSION:
            require(not any(_same_account(held.body, one.body) for one in come), "ALREADY_SPENT")

    def _named(self, held):
        """The records that a record names as what it stands on, as far as these scenes ask for it."""
        if held.kind == KIND_APPLICATION:
            return [place_of(one.place) for one in held.body.records]
        if held.kind == KIND_AWARD:
            return [*self.named_by(held), *(place_of(one.place) for one in held.body.enrolments)]
        return self.named_by(held)

    def _held_again(self, held, entry):
        """What a reinstated award or conversion holds again, each with its redemption."""
        found = {}
        if held.kind not in (KIND_AWARD, KIND_CONVERSION) or status.REDEEMED in held.marks:
            return found
        own = self.entries(held)
        redeemed = {effect.status_id for at in own for effect in self.said.get(at, []) if effect.action == REDEEM}
        released = {effect.status_id: effect.redemption_plus_1 - 1 for effect in self.said.get(entry, [])
                    if effect.action == RELEASE}
        for place in self.named_by(held):
            mark, identity = self.held[place].marks.get(status.REDEEMED), self.held[place].status_id
            if identity in redeemed and mark not in own:
                require(mark is None and released.get(identity) in own, "ALREADY_SPENT")
                found[place] = released[identity]
        return found

    @staticmethod
    def _form(effect):
        require(effect.action in (SUPERSEDE, REVOKE, REDEEM, RELEASE, CONFIRM, REVIEW, CLOSE_REVIEW,
                                  REINSTATE), "ACTION_NOT_ADMITTED")
        named = effect.redemption_plus_1, effect.contested_plus_1
        fits = {REINSTATE: bool(named[1]), RELEASE: not named[1]}.get(effect.action, named == (0, 0))
        require(fits and (effect.action == REVOKE or not effect.reason), "EFFECT_MISMATCH")
        require(effect.action != REVOKE or effect.reason, "MISSING_FIELD")

    def _effect(self, authority, effect):
        self._form(effect)
        target = self.held.get(place_of(effect.place) if effect.has("place") else self.beside[effect.status_id])
        require(target is not None, "UNKNOWN_TARGET")
        redemption = effect.redemption_plus_1 - 1 if effect.redemption_plus_1 else None
        owner = target.institution
        if effect.action in (RELEASE, REINSTATE) and redemption is not None:
            owner = self.sealed_by.get(redemption, 0)
        # Before the status id is compared: else whoever may not change the record finds out which one stands there.
        require(self._right(authority, effect.action, owner), "NOT_AUTHORISED")
        require(target.status_id == effect.status_id, "UNKNOWN_TARGET")
        follows = authority.basis == DEPENDENCY or redemption is not None
        if not follows and effect.action not in (REDEEM, RELEASE) and self.institution:
            require(target.kind in self.key.kinds, "KIND_OUTSIDE_KEY")
        contested = effect.contested_plus_1 - 1 if effect.contested_plus_1 else None
        allowed = status.apply(target.marks, effect.action, 0, redemption, contested) is not None
        spent = effect.action == REINSTATE and redemption is not None
        require(allowed, "ALREADY_SPENT" if spent else "STATUS_FORBIDS")
        if effect.action == CONFIRM:
            require(self.contested(target), "NOT_CONTESTED")
        if effect.action == REINSTATE:
            ends = redemption is None and status.ended(target.marks)
            require(contested in self.suspect and (not ends or self.contested(target)), "NOT_CONTESTED")
            wanted = CLOSE_REVIEW if redemption is None else RELEASE
            require(ends or any(one.action == wanted and one.status_id == target.status_id
                                and one.redemption_plus_1 == effect.redemption_plus_1
                                for one in self.said.get(contested, [])), "EFFECT_MISMATCH")
        return target

    def _right(self, authority, action, owner):
        basis = authority.basis
        if authority.institution and basis != CUSTODIAN or authority.has("mandate_digest") and basis != MANDATE:
            return False
        if action == REDEEM or basis == MANDATE:
            return action == REDEEM and basis == MANDATE and authority.has("mandate_digest") and self.institution != 0
        if action == REVIEW or basis == DEPENDENCY:
            return action in (REVIEW, CLOSE_REVIEW) and basis == DEPENDENCY
        if basis == ISSUER:
            return owner == self.institution
        if basis == CUSTODIAN:
            keeper, closed = (self.register.get(forms.KIND_INSTITUTION, one) for one in (self.institution, owner))
            return owner == authority.institution and is_custodian(keeper, closed, self.today)
        return basis == OPERATOR and self.institution == 0 and authority.has("case_reference") and action != SUPERSEDE

    def named_by(self, held):
        """What an award or a conversion says that it has redeemed."""
        if held.kind == KIND_AWARD:
            return [place_of(one.place) for one in held.body.redeems]
        if held.kind == KIND_CONVERSION:
            return [place_of(one.record.place) for one in held.body.sources]
        return []

    def entries(self, held):
        """Its entry and those of what it amends, directly or not."""
        found = {held.place[0]}
        while held is not None and held.body.has("amends"):
            held = self.held.get(place_of(held.body.amends.place))
            if held is not None:
                found.add(held.place[0])
        return found

    def _let_go(self, revoked, restored):
        """The places of what records let go of that are revoked."""
        found = set()
        for holder in revoked:
            # A reinstated record holds what its amendment held in its place.
            if holder.body is not None and holder.body.has("amends") and place_of(holder.body.amends.place) in restored:
                continue
            if holder.kind not in (KIND_AWARD, KIND_CONVERSION) or status.REDEEMED in holder.marks:
                continue
            for place in self.named_by(holder):
                held = self.held.get(place)
                if held is not None and held.marks.get(status.REDEEMED) in self.entries(holder):
                    found.add(place)
        return found

    def _releases(self, found):
        released = {target.place for _, effect, target in found if effect.action == RELEASE}
        revoked = [target for _, effect, target in found if effect.action == REVOKE]
        let_go = self._let_go(revoked, self._restored(found))
        require(let_go <= released, "EFFECT_MISMATCH")
        left = released - let_go
        for _, effect, target in found:
            if effect.action == RELEASE and target.place in left:
                require(self._is_left_behind(effect, target, released), "EFFECT_MISMATCH")
                require(not self.institution or {KIND_AWARD, KIND_CONVERSION} & set(self.key.kinds), "KIND_OUTSIDE_KEY")

    def _is_left_behind(self, effect, target, released):
        entry = effect.redemption_plus_1 - 1
        for holder in self.held.values():
            if holder.account != target.account or holder.institution != self.sealed_by.get(entry) \
                    or status.REVOKED not in holder.marks:
                continue
            if status.REDEEMED in holder.marks and holder.place not in released:
                continue
            if holder.kind in (KIND_AWARD, KIND_CONVERSION) and target.place in self.named_by(holder) \
                    and entry in self.entries(holder):
                return True
        return False


def texts(records, shown):
    """The rule that a text of records, each a kind and a body, breaks first, or None."""
    found = (broken(records.canonical.schema, records.read(kind, 1, body)) for kind, body in shown)
    return next((one for one in found if one is not None), None)


def dates(records, minute, shown):
    """Whether the dates of Identities, Outcomes, Credits and Results are plausible, of a block that was made at a minute."""
    return all(_dates(records.read(kind, 1, body), kind, latest(minute)) for kind, body in shown)


def _dates(message, kind, now):
    if kind == KIND_IDENTITY:
        return not message.has("birth_date") or has_happened(message.birth_date, now)
    if kind not in (KIND_OUTCOME, KIND_CREDIT, KIND_RESULT):
        return True
    period, planned = message.period, kind == KIND_RESULT and message.status in PLANNED
    begin, end = getattr(period, "from"), period.until
    if period.has("from") and period.has("until") and first(begin) <= last(end) \
            and not is_plausible_period(first(begin), last(end), now, planned):
        return False
    if kind in (KIND_CREDIT, KIND_RESULT) and message.has("completed") and not has_happened(message.completed, now):
        return False
    if message.has("visible_from") and first(message.visible_from) < EARLIEST:
        return False
    return kind == KIND_RESULT or not message.has("expires") or is_plausible_expiry(message.expires, now)


def is_hidden_again(records, minute, held, shown):
    """Whether an amendment may not be shown on the day on which its block was made, and what it amends may."""
    day = EPOCH + datetime.timedelta(minute // 1_440)
    bodies = {(one["entry"], one["index"]): records.read(one["kind"], 1, bytes.fromhex(one["record"]["body"]))
              for one in held if "record" in one}

    def hidden(message):
        return message.has("visible_from") and day < first(message.visible_from)

    for kind, body in shown:
        message = records.read(kind, 1, body)
        if kind == KIND_IDENTITY or not message.has("amends") or not hidden(message):
            continue
        former = bodies.get(place_of(message.amends.place))
        if former is not None and not hidden(former):
            return True
    return False


def is_repeated(register, records, held, shown):
    """Whether one of the Credits of institution 1 is of a course that counts once, and counts already: in `held`, as the
    vectors show it, or before it."""
    own = {(one["entry"], one["index"]): one["key"][1] for one in held if one["kind"] == KIND_CREDIT
           and one["institution"] == 1
           and not {status.SUPERSEDED, status.REVOKED} & status.unspell(bytes.fromhex(one["marks"])).keys()}
    codes = list(own.values())
    for _, body in shown:
        credit = records.read(KIND_CREDIT, 1, body)
        code = credit.course.code
        former = own.get(place_of(credit.amends.place)) if credit.has("amends") else None
        if former is not None and register.course(1, code).is_named(former):
            continue
        if any(register.course(1, code).is_named(other) for other in codes):
            return True
        codes.append(code)
    return False


__all__ = ["Broken", "JUDGED_KINDS", "Scene", "dates", "is_hidden_again", "is_repeated", "texts"]
