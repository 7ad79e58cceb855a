"""Transcript files (PROTOCOL.md, section 13): verifies one, step by step."""

from dataclasses import dataclass, field

from . import accreditation, currency, dates
from . import ledger as forms
from . import maps, standing, status, tree
from .log_keys import LogKeys
from .authority import is_custodian, is_suspect, owner
from .notes import Policy
from .once import is_in_time
from .records import is_public
from .status import status_id
from .suite import (SUITE, commitment, genesis_preimage, is_strict_point, key_id, preimage, sha256, succession_message, tagged_hash,
                    uint, var, verify)
from .wire import Refused, read_fields, write_field

MAGIC = b"CBT\x01"
FILE_LEN_MAX = 64 * 2 ** 20
VERSION = 1
COMMITMENTS_MIN = 16
FIRST_REGISTRY_KIND = 64
PURPOSE_REGISTRY, PURPOSE_STATEMENT, PURPOSE_UNIT, PURPOSE_APPROVER = 2, 3, 5, 6
STATE_ACTIVE = 1
KIND_CREDIT = 3
BASIS_ISSUER, BASIS_CUSTODIAN, BASIS_OPERATOR, BASIS_MANDATE, BASIS_DEPENDENCY = 1, 2, 3, 4, 5
SUPERSEDE, REDEEM, DISPUTE, REVIEW = 1, 3, 6, 8
RULES_VERSION = 1
BY_OTHERS = {REDEEM, REVIEW}
"""What others than the issuer do, under a key without the record's kind in its scope."""
SELECTION_SOME, SELECTION_COMPLETE = 1, 2
MS_PER_MINUTE = 60_000
BEGINNING = ("log_key", "registry_key", "next_registry_key")
"""What the log was begun with, by the names in a trust file."""
CREATED_WITHIN_MINUTES = 1_440


class Broken(Refused):
    """The first broken link of a transcript."""

    def __init__(self, link, reason):
        super().__init__(f"{link}: {reason}")
        self.link = link


@dataclass
class Trust:
    """What a verifier holds itself."""

    policy: Policy
    log_key: bytes
    registry_key: bytes
    next_registry_key: bytes
    """What the log was begun with: two keys, and the commitment to the registry key that may follow."""
    institutions: frozenset | None = None
    """Numbers of those that are trusted; None: all that the registry has admitted."""
    freshness: currency.Freshness = currency.Freshness()
    former: dict = field(default_factory=dict)
    """The origins that the log had before, in their order, each with the size up to which it holds."""


@dataclass
class ProvedRecord:
    """A record that the transcript proves."""

    entry: int
    index: int
    institution: int
    record_hash: bytes
    status_id: bytes
    opened: object
    hidden: list
    contested: bool
    kind: int
    owner: int
    trusted: bool
    expired: bool
    embargoed: bool
    approved_by: list = field(default_factory=list)
    accreditation: list | None = None
    kept_by: int | None = None
    ended: int | None = None
    confirmed: int | None = None
    redeemed: int | None = None
    under_review: int | None = None

    @property
    def standing(self):
        """What may be said of it, in one word."""
        return standing.standing(self)


@dataclass
class Proved:
    """What a whole transcript proves."""

    origin: str
    size: int
    root: bytes
    records: list
    whole: bool
    """Whether it is proved that no record of the statement is withheld."""
    statement: object
    currency: object
    statement_as_of_ms: int
    """By when the seal was made that the statement's tree ends with."""

    @property
    def reliance(self):
        """Whether the records can be relied on."""
        standing_for = set()
        doubtful = not self.records
        # A record amends earlier ones.
        for record in reversed(self.records):
            place = (record.entry, record.index)
            replaced = record.standing == "superseded" and record.trusted and place in standing_for
            if record.standing in standing.VALID or replaced:
                if record.opened.has("amends") and record.opened.amends.has("place"):
                    standing_for.add((record.opened.amends.place.entry, record.opened.amends.place.index))
            else:
                doubtful = True
        valid = not doubtful
        return currency.reliance(valid, self.currency.state)


def read_former(listed):
    """The former origins of a trust file, in their order."""
    sizes = [one["size"] for one in listed]
    _require(_ascending(sizes), "former origins are not in their order")
    found = {one["origin"]: one["size"] for one in listed}
    _require(len(found) == len(listed), "a former origin twice")
    return found


def checksum(body):
    """The checksum over everything before it."""
    return tagged_hash("transcript", var(body))


def verify_transcript(canonical, data, trust, now_ms=0):
    """What a transcript proves at a verifier's time; raises Broken with the first broken link."""
    run = _Verification(canonical, trust, now_ms)
    steps = (("file", lambda: run.file(data)), ("publication", run.read_log_keys), ("checkpoint", run.check_note), ("statement", run.read_statement),
             ("checkpoint", run.check_consistency), ("seal", run.check_seals), ("registry", run.check_registry),
             ("block", run.check_blocks), ("publication", run.check_publications), ("seal", run.check_times),
             ("record", run.check_records),
             ("status", run.check_statuses), ("block", run.check_used_blocks), ("statement", run.check_statement),
             ("registry", run.check_institutions), ("registry", run.check_used_registry), ("seal", run.check_used_seals))
    for link, step in steps:
        try:
            step()
        except Broken:
            raise
        except Refused as error:
            raise Broken(link, str(error)) from error
    return run.result(now_ms)


def _require(condition, reason):
    if not condition:
        raise Refused(reason)


def _ascending(items):
    return all(low < high for low, high in zip(items, items[1:]))


@dataclass
class _Part:
    """What is proved in one tree."""

    proofs: object
    head: object
    seals: dict = field(default_factory=dict)
    """Log index -> (seal, its bytes)."""
    registry: dict = field(default_factory=dict)
    needed_registry: set = field(default_factory=set)
    blocks: dict = field(default_factory=dict)
    """Log index -> (head, the seal of its round or None)."""
    groups: dict = field(default_factory=dict)
    """Log index -> {piece: group}."""
    published: set = field(default_factory=set)
    publishers_seals: set = field(default_factory=set)
    followed: list = field(default_factory=list)
    """The registry keys: (log index of the block of the succession, key, commitment to the next one), the first at -1."""
    used_blocks: set = field(default_factory=set)
    used_groups: set = field(default_factory=set)

    def listed(self, name):
        """A list of the proofs."""
        return getattr(self.proofs, name) if self.proofs is not None else []

    def include(self, proved):
        """Refuses an entry that is not in the tree."""
        leaf, head = tree.leaf_hash(proved.entry), self.head
        found = tree.verify_inclusion(leaf, proved.index, head.size, proved.inclusion, head.root)
        _require(found, f"entry {proved.index} is not in the tree")

    def check_registrar(self, index):
        """Refuses a block of the operator that the registry key in force has not signed."""
        entry = self.blocks[index][0]
        header = entry.header
        keys = [[key for at, key, _ in self.followed if at < index][-1]]
        keys += [key for at, key, _ in self.followed if at == index]
        found = [key for key in keys if header.unit == 0 and header.institution == 0 and header.key_id == key_id(key)]
        _require(found, "not the registry key in force")
        _require(verify(found[0], forms.block_message(entry.header_bytes), entry.signature),
                 "the registry key did not sign the block")

    def registered(self, seal, kind, identity):
        """The body of the registry entry that was in force in the round of a seal: the first that is given under it or a
        later one, if it was published before the round."""
        key = forms.registry_key_of(kind, identity)
        under = min((at for at, found in self.registry if found == key and at >= seal.index), default=None)
        _require(under is not None and self.registry[under, key][2] < seal.first_index,
                 f"an entry of kind {kind} is missing under seal {seal.index}")
        self.needed_registry.add((under, key))
        return self.registry[under, key][1]

    def accreditations(self, institution, seal):
        """The accreditations of an institution that are given, as they were in the round of a seal."""
        found = []
        for (at, key), (kind, body, place) in self.registry.items():
            if kind == forms.KIND_ACCREDITATION and at >= seal.index and place < seal.first_index \
                    and body.institution == institution:
                self.needed_registry.add((at, key))
                found.append(body)
        return found

    def effect(self, index, is_wanted):
        """The effect of a block that is wanted, with the authority of its group."""
        for piece, group in self.groups[index].items():
            for effect in group.effects:
                if is_wanted(effect):
                    self.used_groups.add((index, piece))
                    return group, effect
        return None, None

    def is_custodian(self, signer, other, seal):
        """Whether the registry of a round had `signer` as the custodian of `other`."""
        closed, keeper = (self.registered(seal, forms.KIND_INSTITUTION, uint(64, number)) for number in (other, signer))
        return is_custodian(keeper, closed, dates.of_ms(seal.time_ms))

    def check_key(self, index, kind=None):
        """Refuses a block that its key may not sign, or has not signed, or that its unit could not seal."""
        entry, seal = self.blocks[index]
        header = entry.header
        by_operator = header.institution == 0
        if by_operator:
            self.check_registrar(index)
        _require(abs(header.created_at_minute - seal.time_ms // MS_PER_MINUTE) <= CREATED_WITHIN_MINUTES,
                 "created at another time")
        key = self._key(header.key_id, PURPOSE_REGISTRY if by_operator else PURPOSE_UNIT, header, seal)
        _require(by_operator or kind is None or kind in key.kinds, "the kind is outside the key's scope")
        _require(verify(key.public_key, forms.block_message(entry.header_bytes), entry.signature),
                 "the block's signature does not hold")
        if by_operator:
            return
        institution = self.registered(seal, forms.KIND_INSTITUTION, uint(64, header.institution))
        _require(institution.state == STATE_ACTIVE, "the institution was not active")
        unit = self.registered(seal, forms.KIND_UNIT, uint(64, header.institution) + uint(32, header.unit))
        _require(unit.state == STATE_ACTIVE, "the unit was not active")
        _require(entry.approvals or not unit.requires_approval, "nobody has approved the block")
        for approval in entry.approvals:
            approver = self._key(approval.key_id, PURPOSE_APPROVER, header, seal)
            _require(is_in_time(approval.until_minute, header.created_at_minute, seal.time_ms // MS_PER_MINUTE),
                     "an approval had ended, or ends too late")
            _require(verify(approver.public_key, forms.approval_message(header, approval), approval.signature),
                     "an approval's signature does not hold")

    def _key(self, identity, purpose, header, seal):
        """A key of the header's unit that was in force in the round of a seal."""
        key = self.registered(seal, forms.KIND_KEY, identity)
        _require(key.suite == SUITE and key.purpose == purpose, "the key is for something else")
        _require((key.institution, key.unit) == (header.institution, header.unit), "the key of another unit")
        _require(_in_force(key, seal.time_ms // MS_PER_MINUTE), "the key was not in force")
        _require(not key.has("revoked"), "the key was revoked")
        return key


class _Verification:
    """The state of one verification; the methods are the steps, in order."""

    def __init__(self, canonical, trust, now_ms):
        self.canonical = canonical
        self.trust = trust
        self.now_ms = now_ms
        self.ledger = forms.Ledger(canonical)
        self.records = []
        self.message = self.head = self.last = self.day = self.statement = None
        self.base = self.status = self.cosigned = self.whole = None

    def file(self, data):
        """Step 1."""
        _require(len(data) <= FILE_LEN_MAX, "longer than 64 MiB")
        _require(data[:4] == MAGIC and len(data) >= 36, "not a transcript file")
        _require(data[-32:] == checksum(data[:-32]), "the checksum is wrong")
        message = self.canonical.read("Transcript", data[4:-32])
        _require(message.suite == SUITE and message.version == VERSION, "suite or version is unknown")
        self.message = message

    def read_log_keys(self):
        """Before step 2: which log keys and origins the parts say have followed. That they have, step 6 says."""
        status = self.message.status if self.message.has("status") else None
        proofs = (self.message.base if self.message.has("base") else None,
                  status.proofs if status is not None and status.has("proofs") else None)
        self.first_origin = self._first_origin(proofs[1])
        self.log_keys = [LogKeys(self.first_origin, self.trust.log_key) for _ in proofs]
        for part, followed in zip(proofs, self.log_keys):
            given = part.log_keys if part is not None else []
            _require(_ascending([item.block for item in given]), "log keys are not ascending")
            for item in given:
                followed.follow(self.canonical, item)

    def _first_origin(self, status):
        """The origin that the log was begun with, which the genesis value confirms."""
        if self.trust.former:
            return next(iter(self.trust.former))
        for item in status.log_keys if status is not None else []:
            if item.has("record") and item.record.kind == forms.KIND_LOG_SUCCESSION:
                return self.canonical.read("LogSuccession", item.record.body).origin
        return self.message.origin

    def check_note(self):
        """Step 2, the note."""
        _require(self.message.has("status"), "there is no status part")
        log_keys, trust = self.log_keys[1], self.trust
        followers = log_keys.followers(trust.policy, trust.former)
        self.head, _, self.cosigned = trust.policy.accept(self.message.status.checkpoint, followers)
        log_keys.check_former(self.head, trust)
        _require(self.head.origin == log_keys.origin(max(self.head.size, 1) - 1), "a checkpoint of another origin")

    def read_statement(self):
        """Step 2, the tree that the statement names."""
        statement = self.canonical.read("SubjectStatement", self.message.statement)
        _require(statement.suite == SUITE and statement.version == VERSION, "suite or version is unknown")
        _require(statement.origin == self.message.origin, "a statement of another origin")
        _require(statement.has("root"), "a statement without a root")
        self.statement = statement

    def check_consistency(self):
        """Step 2, the two trees."""
        said, head = self.statement, self.head
        _require(said.origin == self.log_keys[1].origin(max(said.size, 1) - 1), "a statement of another origin")
        _require(tree.verify_consistency(said.size, head.size, self.message.status.consistency, said.root, head.root),
                 "the checkpoint's tree does not begin with the statement's")
        named = type(head)(said.origin, said.size, said.root)
        status = self.message.status
        self.base = _Part(self.message.base if self.message.has("base") else None, named)
        self.status = _Part(status.proofs if status.has("proofs") else None, head)

    @property
    def parts(self):
        """Both of them."""
        return (self.base, self.status)

    def check_seals(self):
        """Step 3."""
        for part, log_keys in zip(self.parts, self.log_keys):
            order = []
            for item in part.listed("seals"):
                part.include(item)
                entry = self.ledger.read_seal(item.entry)
                seal = entry.seal
                _require(verify(log_keys.key(item.index), forms.seal_message(entry.seal_bytes), entry.signature),
                         "the log key did not sign the seal")
                _require(seal.index == item.index, "a seal at another index")
                _require(seal.origin == log_keys.origin(item.index), "a seal of another origin")
                order.append(item.index)
                part.seals[item.index] = (seal, entry.seal_bytes)
            _require(_ascending(order), "seals are not ascending")
        self._check_order()
        genesis = sha256(genesis_preimage(self.first_origin, *(getattr(self.trust, name) for name in BEGINNING)))
        _require(self.base.seals, "there is no seal")
        first = self.base.seals[min(self.base.seals)][0]
        _require(first.first_index == 0, "the first seal is not the log's first")
        _require(first.previous == genesis, "the log has another beginning")
        _require(self.base.head.size - 1 in self.base.seals, "the base does not end with the last leaf of its tree")
        _require(self.head.size - 1 in self.status.seals, "the last seal is not the last leaf")
        self.last = self.status.seals[self.head.size - 1][0]
        self.day = dates.of_ms(self.last.time_ms)
        self.today = max(self.day, dates.of_ms(self.now_ms))

    def _check_order(self):
        """The seals of both parts are of one log."""
        before, self.back = None, []
        for _, (seal, raw) in sorted({**self.base.seals, **self.status.seals}.items()):
            if before is not None:
                _require(seal.first_index > before[0].index, "rounds overlap")
                if seal.time_ms < before[0].time_ms:
                    self.back.append((before[0], seal))
                _require(seal.records_total >= before[0].records_total, "records went away")
                if seal.first_index == before[0].index + 1:
                    _require(seal.previous == forms.seal_id(before[1]), "seals are not linked")
            before = (seal, raw)

    def check_times(self):
        """Step 6, the times that go back."""
        given = [(part, at, body) for part in self.parts
                 for (at, _), (kind, body, _) in part.registry.items() if kind == forms.KIND_TIME_CORRECTION]
        self.corrections = [body for _, _, body in given]
        self._check_corrections()
        for before, seal in self.back:
            _require(any(body.first <= before.index <= body.last + forms.CORRECTING_ENTRIES < seal.index
                         and seal.time_ms >= body.bound_ms for _, _, body in given), "times go back")
        for part, at, body in given:
            if part is self.status and at == self.last.index:
                part.needed_registry.add((at, forms.registry_key(forms.KIND_TIME_CORRECTION, body)))

    def _check_corrections(self):
        """Corrections agree with what is shown: their places, the seals, and one another."""
        for part in self.parts:
            for item in part.listed("registry"):
                if item.entry.kind == forms.KIND_TIME_CORRECTION:
                    body = self.canonical.read("TimeCorrection", item.entry.body)
                    _require((item.entry.place.entry, item.entry.place.index) == (body.last + 1, 0),
                             "a correction that is not directly behind the last wrong seal")
        seals = [seal for part in self.parts for seal, _ in part.seals.values()]
        spans = {(one.first, one.last + forms.CORRECTING_ENTRIES, one.bound_ms) for one in self.corrections}
        for first, end, bound in spans:
            last = end - forms.CORRECTING_ENTRIES
            _require(first <= last, "a correction that ends before it begins")
            for other in spans - {(first, end, bound)}:
                _require(other[1] < first or end < other[0], "corrections overlap")
                _require(other[1] > first or other[2] <= bound, "a correction to before an earlier one")
            for seal in seals:
                held = any(begins <= seal.index <= ends for begins, ends, _ in spans)
                _require(seal.index >= first or held or seal.time_ms <= bound, "a correction to before the seal before")
                _require(seal.index != last or seal.time_ms > bound, "a correction that takes nothing back")

    def _statement_as_of(self):
        """By when the seal was made that the statement's tree ends with."""
        seal = self.base.seals[self.base.head.size - 1][0]
        return min([seal.time_ms] + [one.bound_ms for one in self.corrections
                                     if one.first <= seal.index <= one.last + forms.CORRECTING_ENTRIES])

    def check_registry(self):
        """Step 4."""
        for part in self.parts:
            order = []
            for item in part.listed("registry"):
                _require(item.seal in part.seals, "a registry entry under a seal that is not there")
                seal = part.seals[item.seal][0]
                key, body = self.ledger.read_registry(item.entry)
                raw = _nested(item, self.canonical, "entry")
                _require(not item.proof.has("other_leaf"), "a proof of presence with another leaf")
                maps.verify_presence(maps.REGISTRY, seal.registry_root, key, forms.registry_value(raw),
                                     item.proof.siblings)
                _require(item.entry.place.entry < seal.first_index, "a registry entry before it is in force")
                order.append((item.seal, key))
                part.registry[item.seal, key] = (item.entry.kind, body, item.entry.place.entry)
            _require(_ascending(order), "registry entries are not ascending")

    def check_blocks(self):
        """Step 5."""
        for part, log_keys in zip(self.parts, self.log_keys):
            self._check_blocks_of(part, log_keys)
        heights = {}
        for _, (entry, _) in sorted({**self.base.blocks, **self.status.blocks}.items(), key=lambda item: item[0]):
            unit = (entry.header.institution, entry.header.unit)
            _require(entry.header.height > heights.get(unit, -1), "heights of a unit are not ascending")
            heights[unit] = entry.header.height

    def _check_blocks_of(self, part, log_keys):
        _require(_ascending([item.index for item in part.listed("blocks")]), "blocks are not ascending")
        for item in part.listed("blocks"):
            part.include(item)
            entry = self.ledger.read_head(item.entry)
            _require(entry.header.origin == log_keys.origin(item.index), "a block of another origin")
            rounds = [seal for seal, _ in part.seals.values() if seal.first_index <= item.index < seal.index]
            part.blocks[item.index] = (entry, rounds[0] if rounds else None)
            part.groups[item.index] = {}
        order = []
        for item in part.listed("groups"):
            order.append((item.block, item.piece))
            _require(item.block in part.blocks, "a group of a block that is not there")
            self._check_piece(part.blocks[item.block][0].header, item.piece,
                              forms.SLICE_PIECE + _nested(item, self.canonical, "group"), item.path)
            _require(len(item.group.effects) <= forms.SLICE_EFFECTS_MAX, "more effects than a piece has")
            part.groups[item.block][item.piece] = item.group
        _require(_ascending(order), "groups are not ascending")
        for groups in part.groups.values():
            ids = [effect.status_id for group in groups.values() for effect in group.effects]
            _require(len(ids) == len(set(ids)), "a status id has two effects in one block")
            forms.check_places(groups.values())
        shown = {block for block, _ in order}
        if part is self.base:
            shown |= {record.place.entry for record in self.message.records}
        for index in shown & part.blocks.keys():
            _require(part.blocks[index][1], "a block outside the given rounds")

    def check_publications(self):
        """Step 6: who has published each registry entry."""
        for part, log_keys in zip(self.parts, self.log_keys):
            self._follow(part, log_keys)
        for part in self.parts:
            self._check_log_keys_of(part)
        for part in self.parts:
            self._check_publications_of(part)

    def _follow(self, part, log_keys):
        """Follows the successions of the registry key."""
        part.followed = [(-1, self.trust.registry_key, self.trust.next_registry_key)]
        for item in part.listed("successions"):
            last, before, committed = part.followed[-1]
            _require(item.block > last and item.block in part.blocks, "a succession out of order, or without its block")
            _require(item.has("succession"), "a succession is missing")
            said, head = item.succession, part.blocks[item.block][0]
            body = _nested(item, self.canonical, "succession")
            record = b"".join(write_field(at, value) for at, value in
                              ((2, forms.KIND_REGISTRY_SUCCESSION), (3, VERSION), (4, body)))
            self._check_piece(head.header, 0, forms.RECORD_PIECE + record, item.path)
            _require(said.has("public_key") and said.has("next_registry_key"), "a succession without its key")
            _require(commitment(said.public_key) == committed, "not the key that was committed to")
            _require(is_strict_point(said.public_key), "not a key")
            message = succession_message(log_keys.origin(item.block), before, said)
            _require(verify(said.public_key, message, said.signature), "the new key did not sign the succession")
            part.followed.append((item.block, said.public_key, said.next_registry_key))
            part.check_registrar(item.block)
            part.published.add(item.block)

    def _check_log_keys_of(self, part):
        """The registry key in force has named each log key."""
        for item in part.listed("log_keys"):
            _require(item.block in part.blocks, "a log key without its block")
            part.check_registrar(item.block)
            _require(item.block not in {at for at, *_ in part.followed}, "a log key in a block with a succession")
            record = forms.RECORD_PIECE + _nested(item, self.canonical, "record")
            self._check_piece(part.blocks[item.block][0].header, item.record.index, record, item.path)
            self._check_tree_of(part, item)
            part.published.add(item.block)

    def _check_tree_of(self, part, item):
        """The tree of a part begins with the one that a succession of the log names."""
        if item.record.kind != forms.KIND_LOG_SUCCESSION:
            _require(not item.consistency, "a log key of the same origin with a consistency path")
            return
        _require(item.record.index == 0, "a succession that is not the first record of its block")
        said = self.canonical.read("LogSuccession", item.record.body)
        _require(tree.verify_consistency(said.size, part.head.size, item.consistency, said.root, part.head.root),
                 "the tree does not begin with the one that a succession names")

    def _check_publications_of(self, part):
        given = [((item.place.entry, item.place.index), item) for item in part.listed("publications")]
        _require(_ascending([place for place, _ in given]), "publications are not ascending")
        by_place, records = dict(given), {}
        for item in part.listed("registry"):
            entry = item.entry
            place = (entry.place.entry, entry.place.index)
            _require(place in by_place and place[0] in part.blocks, "a registry entry that was not published")
            number, head = by_place[place].piece_plus_1, part.blocks[place[0]][0]
            _require(number, "a publication without its number")
            record = b"".join(write_field(at, value) for at, value in
                              ((1, place[1]), (2, entry.kind), (3, entry.version), (4, entry.body)) if value)
            self._check_piece(head.header, number - 1, forms.RECORD_PIECE + record, by_place[place].path)
            records[place] = (entry.kind, entry.body)
        _require(records.keys() == by_place.keys(), "a publication of no registry entry")
        for place, (kind, body) in records.items():
            if place[0] in {at for at, *_ in part.followed}:
                _require(self._is_of_registrars(kind, body), "published in a block with a succession")
            self._check_publisher(part, place[0], kind)
            part.published.add(place[0])

    def _is_of_registrars(self, kind, body):
        """Whether a block with a succession may have the record."""
        if kind == forms.KIND_KEY:
            key = self.canonical.read("Key", body)
            return key.institution == 0 and key.purpose in (PURPOSE_REGISTRY, PURPOSE_APPROVER)
        return kind in (forms.KIND_REGISTRY_SUCCESSION, forms.KIND_REGISTRY_POLICY)

    def _check_publisher(self, part, index, kind):
        entry, seal = part.blocks[index]
        header = entry.header
        _require((header.institution == 0) == (kind >= FIRST_REGISTRY_KIND), "published by somebody else")
        if header.institution == 0:
            part.check_registrar(index)
            return
        _require(seal, "a block outside the given rounds")
        part.check_key(index, kind)
        part.publishers_seals.add(seal.index)

    @staticmethod
    def _check_piece(header, number, piece, path):
        _require(tree.verify_inclusion(tree.leaf_hash(piece), number, header.public_count, path, header.public_root),
                 "a piece that the block does not have")

    def check_records(self):
        """Step 7."""
        places = []
        for record in self.message.records:
            place = record.place
            places.append((place.entry, place.index))
            _require(place.entry in self.base.blocks, "a record of a block that is not there")
            self.base.used_blocks.add(place.entry)
            entry, seal = self.base.blocks[place.entry]
            header = entry.header
            _require(not is_public(record.kind), "not a record of a learner")
            found, opened, hidden = self.ledger.records.disclosed(record)
            _require(tree.verify_inclusion(tree.leaf_hash(found), place.index, header.count, record.path,
                                           header.records_root), "the record is not in its block")
            _require(header.institution, "a record of the operator")
            self.base.check_key(place.entry, record.kind)
            contested = self._is_suspect(entry, seal)
            identity = status_id(entry.leaf, place.index, found)
            whose = self._owner(entry, seal, place.entry, opened)
            trusted = self.trust.institutions is None or header.institution in self.trust.institutions
            expired = record.kind in standing.KINDS_THAT_EXPIRE and standing.has_expired(opened, self.today)
            embargoed = record.kind in standing.KINDS_WITH_EMBARGO and standing.is_embargoed(opened, self.today)
            approvers = [approval.key_id for approval in entry.approvals]
            accredited = None
            if record.kind == KIND_CREDIT:
                given = sorted(self.base.accreditations(whose, seal), key=lambda one: forms.registry_key_of(
                    forms.KIND_ACCREDITATION, uint(64, one.institution) + uint(32, one.number)))
                accredited = [one.number for one in given if accreditation.covers(one, opened)]
            self.records.append(ProvedRecord(place.entry, place.index, header.institution, found, identity, opened,
                                             hidden, contested, record.kind, whose, trusted, expired, embargoed, approvers,
                                             accredited))
        _require(_ascending(places), "records are not ascending")
        identities = {record.status_id for record in self.records}
        _require(len(identities) == len(self.records), "the same record stands twice")

    def _owner(self, entry, seal, index, opened):
        """Whose record it is: where it amends another one, the effect says so that supersedes that one."""
        header = entry.header
        if not (opened.has("amends") and opened.amends.has("place")):
            return header.institution
        amended = (opened.amends.place.entry, opened.amends.place.index)
        group, _ = self.base.effect(index, lambda effect: effect.action == SUPERSEDE
                                    and (effect.place.entry, effect.place.index) == amended)
        _require(group is not None, "the effect that replaces what is amended is missing")
        whose = owner(header, [group], opened)
        if group.authority.basis == BASIS_CUSTODIAN:
            _require(self.base.is_custodian(header.institution, whose, seal), "not the custodian's to amend")
        return whose

    def _is_suspect(self, entry, seal):
        """Whether a key that signed or approved a block is compromised, as the last seal has it, at the time of its
        round."""
        ids = [entry.header.key_id] + [approval.key_id for approval in entry.approvals if approval.has("key_id")]
        now = [self.status.registered(self.last, forms.KIND_KEY, one) for one in ids]
        return any(is_suspect(key, seal.time_ms) for key in now)

    def check_statuses(self):
        """Step 8: what has become of the records."""
        proofs = self.message.status.statuses
        _require(_ascending([proof.status_id for proof in proofs]), "status proofs are not ascending")
        _require(all(len(proof.status_id) == 32 for proof in proofs), "a status proof without its id")
        by_id = {proof.status_id: proof for proof in proofs}
        for record in self.records:
            _require(record.status_id in by_id, "a record without a status proof")
            marks = self._marks(by_id.pop(record.status_id))
            suspects = {record.entry} if record.contested else set()
            suspects |= {index for mark, index in marks.items() if self._check_mark(record, mark, index)}
            record.contested = status.is_contested(marks, record.entry, suspects.__contains__)
        _require(not by_id, "a status proof of no record")
        settled = {(record.opened.amends.place.entry, record.opened.amends.place.index) for record in self.records
                   if record.confirmed is not None and record.opened.has("amends") and record.opened.amends.has("place")}
        for record in self.records:
            if record.ended == SUPERSEDE and (record.entry, record.index) in settled:
                record.contested = False

    def _marks(self, proof):
        """The marks that stand under a status id."""
        marks, other = status.unspell(proof.marks), proof.proof.other_leaf
        if marks:
            _require(not other, "a proof of presence with another leaf")
            maps.verify_presence(maps.STATUS, self.last.status_root, proof.status_id, status.value_hash(marks),
                                 proof.proof.siblings)
        else:
            leaf = (other[:32], other[32:]) if other else None
            maps.verify_absence(maps.STATUS, self.last.status_root, proof.status_id, proof.proof.siblings, leaf)
        return marks

    def _check_mark(self, record, mark, index):
        part = self.status
        _require(index in part.blocks, "the block that has set a mark is missing")
        group, effect = part.effect(index, lambda effect: effect.status_id == record.status_id)
        _require(group is not None, "the group that has set a mark is missing")
        part.used_blocks.add(index)
        entry, seal = part.blocks[index]
        setters = {action for action, (found, _) in status.SETS.items() if found == mark}
        if mark in (status.REINSTATED, status.UNDER_REVIEW) and not effect.redemption_plus_1:
            setters.add(status.REINSTATE)
        if mark == status.REINSTATED and effect.redemption_plus_1:
            setters.clear()
        _require(effect.action in setters, "another effect than the mark's")
        _require(seal.rules_version == RULES_VERSION, "an effect under other rules")
        _require(effect.action != DISPUTE, "an action that blocks may not carry")
        place = (effect.place.entry, effect.place.index)
        _require(not effect.has("place") or place == (record.entry, record.index), "an effect on another place")
        _require(index > record.entry, "an effect before its record")
        part.check_key(index, None if effect.action in BY_OTHERS else record.kind)
        suspect = self._is_suspect(entry, seal)
        _require(self._right(entry, seal, group.authority, effect.action, record), "an effect without the right")
        if mark == status.CONFIRMED:
            record.confirmed = None if suspect else index
        elif mark == status.REDEEMED:
            record.redeemed = index
        elif mark == status.UNDER_REVIEW:
            record.under_review = index
        elif mark != status.REINSTATED:
            record.ended = effect.action
        return suspect

    def _right(self, entry, seal, authority, action, record):
        signer = entry.header.institution
        if authority.has("mandate_digest") != (authority.basis == BASIS_MANDATE):
            return False
        if bool(authority.institution) != (authority.basis == BASIS_CUSTODIAN):
            return False
        if action == REDEEM:
            return authority.basis == BASIS_MANDATE and signer != 0
        if action == REVIEW:
            return authority.basis == BASIS_DEPENDENCY
        if authority.basis == BASIS_ISSUER:
            return signer == record.owner
        if authority.basis == BASIS_CUSTODIAN:
            return authority.institution == record.owner and self.status.is_custodian(signer, record.owner, seal)
        return (authority.basis == BASIS_OPERATOR and signer == 0 and authority.has("case_reference")
                and action != SUPERSEDE)

    def check_used_blocks(self):
        """Step 8: nothing else is said."""
        for part in self.parts:
            needed = part.used_blocks | part.published
            _require(needed >= part.blocks.keys(), "a block that nothing needs")
            given = {(index, piece) for index, groups in part.groups.items() for piece in groups}
            _require(given == part.used_groups, "a group of effects that nothing needs")

    def check_statement(self):
        """Step 9."""
        raw, statement = self.message.statement, self.statement
        of_base = self.base.seals[self.base.head.size - 1][0]
        key = self.base.registered(of_base, forms.KIND_KEY, statement.key_id)
        _require(key.suite == SUITE and key.purpose == PURPOSE_STATEMENT, "the key is for something else")
        _require(key.institution == 0, "not a key of the operator")
        _require(_in_force(key, of_base.time_ms // MS_PER_MINUTE), "the statement key was not in force")
        _require(not key.has("revoked"), "the statement key was revoked")
        now = self.status.registered(self.last, forms.KIND_KEY, statement.key_id)
        _require(not now.revoked.compromised_since_minute, "the statement key was stolen")
        message = preimage("statement-signature", var(raw))
        _require(verify(key.public_key, message, self.message.statement_signature),
                 "the statement's signature does not hold")
        self._check_commitments()
        _require(statement.has("holder_key") != statement.has("no_holder_key"),
                 "not exactly one of holder_key and no_holder_key")
        _require(statement.has("identity") != statement.has("no_identity"),
                 "not exactly one of identity and no_identity")
        _require(statement.has("visible_on") and statement.visible_on.day, "visible_on is no day")
        _require(statement.selection in (SELECTION_SOME, SELECTION_COMPLETE), "the selection is unknown")
        _require((statement.selection == SELECTION_COMPLETE) == statement.has("institution"),
                 "an institution goes with a complete selection, and with no other")

    def _check_commitments(self):
        """The statement commits to each record; whether it is shown that it commits to no other."""
        commitments, salts, seed = set(self.statement.commitments), self.message.salts, self.message.padding_seed
        size = len(commitments)
        _require(size >= COMMITMENTS_MIN and size & (size - 1) == 0, "not a power of two of commitments, at least 16")
        _require(len(salts) == len(self.records), "not one salt for each record")
        for record, salt in zip(self.records, salts):
            _require(len(salt) == 16 and tagged_hash("statement-record", salt, record.status_id) in commitments,
                     "a record of which the statement does not speak")
        if seed:
            rest = range(size - len(self.records))
            _require(all(tagged_hash("statement-padding", seed, uint(32, number)) in commitments for number in rest),
                     "the padding is not what its seed makes")
        self.whole = bool(seed)

    def check_institutions(self):
        """Step 10, the institutions."""
        part = self.status
        numbers = {record.institution for record in self.records} | {record.owner for record in self.records}
        issuers = {number: part.registered(self.last, forms.KIND_INSTITUTION, uint(64, number)) for number in numbers}
        keepers = {}
        for (at, key), (kind, body, _) in part.registry.items():
            if at == self.last.index and kind == forms.KIND_INSTITUTION:
                kept = {number for number, entry in issuers.items() if is_custodian(body, entry, self.day)}
                if kept:
                    part.needed_registry.add((at, key))
                    keepers[body.number] = kept
        for record in self.records:
            record.kept_by = min((number for number, kept in keepers.items() if record.owner in kept), default=None)

    def check_used_registry(self):
        """Step 10, the registry."""
        for part in self.parts:
            _require(part.needed_registry == part.registry.keys(), "a registry entry that nothing needs")

    def check_used_seals(self):
        """Step 10, the seals."""
        for part, own in ((self.base, {min(self.base.seals)}), (self.status, set())):
            used = {part.blocks[index][1].index for index in part.used_blocks}
            _require({part.head.size - 1} | own | used | part.publishers_seals == part.seals.keys(), "a seal that nothing needs")

    def result(self, now_ms):
        """What was proved."""
        head = self.head
        age = currency.currency(self.last.time_ms, self.cosigned, now_ms, self.trust.freshness,
                                head.origin in self.trust.former)
        return Proved(head.origin, head.size, head.root, self.records, self.whole, self.statement, age,
                      self._statement_as_of())


def _in_force(key, minute):
    return key.from_minute <= minute and (not key.until_minute or minute < key.until_minute)


def _nested(message, canonical, name):
    """The bytes of a nested message, without its tag and length."""
    number = canonical.by_name[message.name][name].number
    found = list(read_fields(message.raw.get(number, b"")))
    return found[0][2] if found else b""
