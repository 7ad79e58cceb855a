"""Transcript files (PROTOCOL.md, section 13): verifies one, step by step."""

from dataclasses import dataclass

from . import dates
from . import ledger as forms
from . import maps, standing, tree
from .authority import is_contested, is_custodian, is_suspect, owner
from .notes import Policy
from .records import is_public
from .status import status_id
from .suite import SUITE, genesis_preimage, key_id, preimage, sha256, tagged_hash, uint, var, verify
from .wire import Refused, read_fields, write_field

MAGIC = b"CBT\x01"
FILE_LEN_MAX = 64 * 2 ** 20
VERSION = 1
FIRST_REGISTRY_KIND = 64
PURPOSE_REGISTRY, PURPOSE_STATEMENT, PURPOSE_UNIT = 2, 3, 5
BASIS_ISSUER, BASIS_CUSTODIAN, BASIS_OPERATOR, BASIS_MANDATE, BASIS_DEPENDENCY = 1, 2, 3, 4, 5
SUPERSEDE, REVOKE, REDEEM, RELEASE, CONFIRM, REVIEW, CLOSE_REVIEW = 1, 2, 3, 4, 5, 8, 9
RULES_VERSION = 1
ACTIONS = {SUPERSEDE, REVOKE, CONFIRM, REDEEM, RELEASE, REVIEW, CLOSE_REVIEW}
"""What blocks may do to records."""
BY_OTHERS = {REDEEM, RELEASE, REVIEW}
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
    withheld: list
    statement: object


def checksum(body):
    """The checksum over everything before it."""
    return tagged_hash("transcript", var(body))


def verify_transcript(canonical, data, trust):
    """What a transcript proves; raises Broken with the first broken link."""
    run = _Verification(canonical, trust)
    steps = (("file", lambda: run.file(data)), ("checkpoint", run.checkpoint), ("seal", run.check_seals),
             ("registry", run.check_registry), ("block", run.check_blocks),
             ("publication", run.check_publications), ("record", run.check_records),
             ("block", run.check_effects), ("statement", run.check_statement),
             ("registry", run.check_institutions), ("seal", run.check_rest))
    for link, step in steps:
        try:
            step()
        except Broken:
            raise
        except Refused as error:
            raise Broken(link, str(error)) from error
    return run.result()


def _require(condition, reason):
    if not condition:
        raise Refused(reason)


def _ascending(items):
    return all(low < high for low, high in zip(items, items[1:]))


class _Verification:
    """The state of one verification; the methods are the steps, in order."""

    def __init__(self, canonical, trust):
        self.canonical = canonical
        self.trust = trust
        self.ledger = forms.Ledger(canonical)
        self.seals = {}
        self.registry = {}
        self.needed_registry = set()
        self.blocks = {}
        self.groups = {}
        self.published = set()
        self.needed_seals = set()
        self.amended = {}
        self.records = []
        self.file_message = self.head = self.log_key = self.last = self.day = self.statement = None

    def file(self, data):
        """Step 1."""
        _require(len(data) <= FILE_LEN_MAX, "longer than 64 MiB")
        _require(data[:4] == MAGIC and len(data) >= 36, "not a transcript file")
        _require(data[-32:] == checksum(data[:-32]), "the checksum is wrong")
        message = self.canonical.read("Transcript", data[4:-32])
        _require(message.suite == SUITE and message.version == VERSION, "suite or version is unknown")
        self.file_message = message

    def checkpoint(self):
        """Step 2."""
        self.head, self.log_key = self.trust.policy.accept(self.file_message.checkpoint)
        _require(self.head.origin == self.file_message.origin, "the origins differ")

    def _check_inclusion(self, proved):
        leaf, head = tree.leaf_hash(proved.entry), self.head
        found = tree.verify_inclusion(leaf, proved.index, head.size, proved.inclusion, head.root)
        _require(found, f"entry {proved.index} is not in the tree")

    def check_seals(self):
        """Step 3."""
        proved = self.file_message.seals
        _require(proved, "there is no seal")
        before = None
        for item in proved:
            self._check_inclusion(item)
            entry = self.ledger.read_seal(item.entry)
            seal = entry.seal
            _require(verify(self.log_key, forms.seal_message(entry.seal_bytes), entry.signature),
                     "the log key did not sign the seal")
            _require(seal.origin == self.head.origin, "a seal of another origin")
            _require(seal.index == item.index, "a seal at another index")
            if before is None:
                genesis = sha256(genesis_preimage(self.head.origin, self.trust.log_key, self.trust.registry_key,
                                                  self.trust.next_registry_key))
                _require(seal.first_index == 0, "the first seal is not the log's first")
                _require(seal.previous == genesis, "the log has another beginning")
            else:
                _require(seal.index > before.seal.index, "seals are not ascending")
                _require(seal.first_index > before.seal.index, "rounds overlap")
                _require(seal.time_ms >= before.seal.time_ms, "times go back")
                _require(seal.records_total >= before.seal.records_total, "records went away")
                if seal.first_index == before.seal.index + 1:
                    _require(seal.previous == forms.seal_id(before.seal_bytes), "seals are not linked")
            before = entry
            self.seals[seal.index] = seal
        self.last = before.seal
        self.day = dates.of_ms(self.last.time_ms)
        _require(self.last.index + 1 == self.head.size, "the last seal is not the last leaf")

    def check_registry(self):
        """Step 4."""
        order = []
        for item in self.file_message.registry:
            _require(item.seal in self.seals, "a registry entry under a seal that is not there")
            seal = self.seals[item.seal]
            key, body = self.ledger.read_registry(item.entry)
            raw = _nested(item, self.canonical, "entry")
            _require(not item.proof.has("other_leaf"), "a proof of presence with another leaf")
            maps.verify_presence(maps.REGISTRY, seal.registry_root, key, forms.registry_value(raw),
                                 item.proof.siblings)
            _require(item.entry.place.entry < seal.first_index, "a registry entry before it is in force")
            order.append((item.seal, key))
            self.registry[item.seal, key] = (item.entry.kind, body)
        _require(_ascending(order), "registry entries are not ascending")

    def _registered(self, seal, kind, identity):
        place = (seal.index, forms.registry_key_of(kind, identity))
        _require(place in self.registry, f"an entry of kind {kind} is missing under seal {seal.index}")
        self.needed_registry.add(place)
        return self.registry[place][1]

    def check_blocks(self):
        """Step 5."""
        proved = self.file_message.blocks
        _require(_ascending([item.index for item in proved]), "blocks are not ascending")
        heights = {}
        for item in proved:
            self._check_inclusion(item)
            entry = self.ledger.read_head(item.entry)
            _require(entry.header.origin == self.head.origin, "a block of another origin")
            rounds = [seal for seal in self.seals.values() if seal.first_index <= item.index < seal.index]
            self.blocks[item.index] = (entry, rounds[0] if rounds else None)
            self.groups[item.index] = []
            unit = (entry.header.institution, entry.header.unit)
            _require(entry.header.height > heights.get(unit, -1), "heights of a unit are not ascending")
            heights[unit] = entry.header.height
        order = []
        for item in self.file_message.groups:
            order.append((item.block, item.piece))
            _require(item.block in self.blocks, "a group of a block that is not there")
            self._check_piece(self.blocks[item.block][0].header, item.piece,
                              forms.GROUP_PIECE + _nested(item, self.canonical, "group"), item.path)
            self.groups[item.block].append(item.group)
        _require(_ascending(order), "groups are not ascending")
        for groups in self.groups.values():
            ids = [effect.status_id for group in groups for effect in group.effects]
            _require(len(ids) == len(set(ids)), "a status id has two effects in one block")

        shown = {record.place.entry for record in self.file_message.records} | {block for block, _ in order}
        for index in shown & self.blocks.keys():
            _require(self.blocks[index][1], "a block outside the given rounds")

    def check_publications(self):
        """Step 6: who has published each registry entry."""
        given = [((item.place.entry, item.place.index), item) for item in self.file_message.publications]
        _require(_ascending([place for place, _ in given]), "publications are not ascending")
        by_place, records = dict(given), {}
        for item in self.file_message.registry:
            entry = item.entry
            place = (entry.place.entry, entry.place.index)
            _require(place in by_place and place[0] in self.blocks, "a registry entry that was not published")
            number, head = by_place[place].piece_plus_1, self.blocks[place[0]][0]
            _require(number, "a publication without its number")
            record = b"".join(write_field(at, value) for at, value in
                              ((1, place[1]), (2, entry.kind), (3, entry.version), (4, entry.body)) if value)
            self._check_piece(head.header, number - 1, forms.RECORD_PIECE + record, by_place[place].path)
            records[place] = entry.kind
        _require(records.keys() == by_place.keys(), "a publication of no registry entry")
        for place, kind in records.items():
            self._check_publisher(place[0], kind)
            self.published.add(place[0])

    def _check_publisher(self, index, kind):
        entry, seal = self.blocks[index]
        header = entry.header
        _require((header.institution == 0) == (kind >= FIRST_REGISTRY_KIND), "published by somebody else")
        if header.institution == 0 and header.unit == 0 and header.key_id == key_id(self.trust.registry_key):
            _require(verify(self.trust.registry_key, forms.block_message(entry.header_bytes), entry.signature),
                     "the registry key did not sign the block")
            return
        _require(seal, "a block outside the given rounds")
        self._check_key(entry, seal, kind)
        self.needed_seals.add(seal.index)

    @staticmethod
    def _check_piece(header, number, piece, path):
        _require(tree.verify_inclusion(tree.leaf_hash(piece), number, header.public_count, path, header.public_root),
                 "a piece that the block does not have")

    def check_records(self):
        """Step 7."""
        places = []
        for record in self.file_message.records:
            place = record.place
            places.append((place.entry, place.index))
            _require(place.entry in self.blocks, "a record of a block that is not there")
            entry, seal = self.blocks[place.entry]
            header = entry.header
            _require(not is_public(record.kind), "not a record of a learner")
            found, opened, hidden = self.ledger.records.disclosed(record)
            _require(tree.verify_inclusion(tree.leaf_hash(found), place.index, header.count, record.path,
                                           header.records_root), "the record is not in its block")
            _require(header.institution, "a record of the operator")
            contested = is_contested(self._check_signer(entry, seal, record.kind))
            identity = status_id(entry.leaf, place.index, found)
            groups = self.groups[place.entry]
            if opened.has("amends") and opened.amends.has("place"):
                amended = opened.amends.place
                self.amended.setdefault(place.entry, []).append((amended.entry, amended.index))
                _require(any(_supersedes(group, self.amended[place.entry][-1:]) for group in groups),
                         "the effect that replaces what is amended is missing")
            whose = owner(header, groups, opened)
            if whose != header.institution:
                _require(self._is_custodian(header.institution, whose, seal), "not the custodian's to amend")
            trusted = self.trust.institutions is None or header.institution in self.trust.institutions
            expired = record.kind in standing.KINDS_THAT_EXPIRE and standing.has_expired(opened, self.day)
            self.records.append(ProvedRecord(place.entry, place.index, header.institution, found, identity, opened,
                                             hidden, contested, record.kind, whose, trusted, expired))
        _require(_ascending(places), "records are not ascending")
        identities = {record.status_id for record in self.records}
        _require(len(identities) == len(self.records), "the same record stands twice")

    def _check_signer(self, entry, seal, kind=None):
        self._check_key(entry, seal, kind)
        now = self._registered(self.last, forms.KIND_KEY, entry.header.key_id)
        return is_suspect(now, seal.time_ms)

    def _check_key(self, entry, seal, kind):
        header = entry.header
        key = self._registered(seal, forms.KIND_KEY, header.key_id)
        purpose = PURPOSE_UNIT if header.institution else PURPOSE_REGISTRY
        _require(key.suite == SUITE and key.purpose == purpose, "the key is for something else")
        _require((key.institution, key.unit) == (header.institution, header.unit), "the key of another unit")
        _require(not header.institution or kind is None or kind in key.kinds, "the kind is outside the key's scope")
        minute = seal.time_ms // MS_PER_MINUTE
        _require(_in_force(key, minute), "the key was not in force")
        _require(abs(header.created_at_minute - minute) <= CREATED_WITHIN_MINUTES, "created at another time")
        _require(not key.has("revoked"), "the key was revoked")
        _require(verify(key.public_key, forms.block_message(entry.header_bytes), entry.signature),
                 "the block's signature does not hold")

    def _is_custodian(self, signer, other, seal):
        closed, keeper = (self._registered(seal, forms.KIND_INSTITUTION, uint(64, number)) for number in (other, signer))
        return is_custodian(keeper, closed, dates.of_ms(seal.time_ms))

    def check_effects(self):
        """Step 8: what the blocks say of the records."""
        identities = {record.status_id: record for record in self.records}
        with_records = {record.entry for record in self.records}
        for index, (entry, seal) in self.blocks.items():
            found = []
            for group in self.groups[index]:
                own = [(group.authority, effect) for effect in group.effects if effect.status_id in identities]
                _require(own or _supersedes(group, self.amended.get(index, [])), "a group without an effect on a record")
                found += own
            if self.groups[index] or index in with_records:
                self.needed_seals.add(seal.index)
            else:
                _require(index in self.published, "a block without a record or an effect on one")
            for authority, effect in found:
                self._check_effect(index, entry, seal, authority, effect, identities[effect.status_id])

    def _check_effect(self, index, entry, seal, authority, effect, record):
        _require(seal.rules_version == RULES_VERSION, "an effect under other rules")
        _require(effect.action in ACTIONS, "an action that blocks may not carry")
        place = (effect.place.entry, effect.place.index)
        _require(place == (record.entry, record.index) and index > record.entry, "an effect on another place")
        suspect = self._check_signer(entry, seal, None if effect.action in BY_OTHERS else record.kind)
        _require(self._right(entry, seal, authority, effect.action, record), "an effect without the right")
        if effect.action == CONFIRM:
            record.contested = is_contested(record.contested, suspect)
            record.confirmed = record.confirmed if suspect else index
        elif effect.action == REDEEM:
            record.redeemed = index
        elif effect.action == RELEASE:
            if record.redeemed is not None and effect.redemption_plus_1 == record.redeemed + 1:
                record.redeemed = None
        elif effect.action in (REVIEW, CLOSE_REVIEW):
            record.under_review = index if effect.action == REVIEW else None
        else:
            record.ended = effect.action if record.ended is None else record.ended

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
        if action == RELEASE:
            by_operator = signer == 0 and authority.has("case_reference")
            by_custodian = authority.institution != signer
            return {BASIS_ISSUER: True, BASIS_CUSTODIAN: by_custodian, BASIS_OPERATOR: by_operator}.get(authority.basis, False)
        if authority.basis == BASIS_ISSUER:
            return signer == record.owner
        if authority.basis == BASIS_CUSTODIAN:
            return authority.institution == record.owner and self._is_custodian(signer, record.owner, seal)
        return (authority.basis == BASIS_OPERATOR and signer == 0 and authority.has("case_reference")
                and action != SUPERSEDE)

    def check_statement(self):
        """Step 9."""
        raw = self.file_message.statement
        statement = self.canonical.read("SubjectStatement", raw)
        _require(statement.suite == SUITE and statement.version == VERSION, "suite or version is unknown")
        _require(statement.origin == self.head.origin, "a statement of another origin")
        _require((statement.size, statement.root) == (self.head.size, self.head.root),
                 "a statement of another checkpoint")
        key = self._registered(self.last, forms.KIND_KEY, statement.key_id)
        _require(key.suite == SUITE and key.purpose == PURPOSE_STATEMENT, "the key is for something else")
        _require(key.institution == 0, "not a key of the operator")
        _require(_in_force(key, self.last.time_ms // MS_PER_MINUTE), "the statement key is not in force")
        _require(not key.has("revoked"), "the statement key was revoked")
        message = preimage("statement-signature", var(raw))
        _require(verify(key.public_key, message, self.file_message.statement_signature),
                 "the statement's signature does not hold")
        listed = set(statement.status_ids)
        _require(all(record.status_id in listed for record in self.records), "a record is not listed")
        _require(statement.has("holder_key") != statement.has("no_holder_key"),
                 "not exactly one of holder_key and no_holder_key")
        _require(statement.has("identity") != statement.has("no_identity"),
                 "not exactly one of identity and no_identity")
        _require(statement.selection in (SELECTION_SOME, SELECTION_COMPLETE), "the selection is unknown")
        _require((statement.selection == SELECTION_COMPLETE) == statement.has("institution"),
                 "an institution goes with a complete selection, and with no other")
        self.statement = statement

    def check_institutions(self):
        """Step 10, the registry."""
        numbers = {record.institution for record in self.records} | {record.owner for record in self.records}
        issuers = {number: self._registered(self.last, forms.KIND_INSTITUTION, uint(64, number)) for number in numbers}
        keepers = {}
        for (at, key), (kind, body) in self.registry.items():
            if at == self.last.index and kind == forms.KIND_INSTITUTION:
                kept = {number for number, entry in issuers.items() if is_custodian(body, entry, self.day)}
                if kept:
                    self.needed_registry.add((at, key))
                    keepers[body.number] = kept
        for record in self.records:
            record.kept_by = min((number for number, kept in keepers.items() if record.owner in kept), default=None)
        _require(self.needed_registry == self.registry.keys(), "a registry entry that nothing needs")

    def check_rest(self):
        """Step 10, the seals."""
        needed = {min(self.seals), self.last.index} | self.needed_seals
        _require(needed == self.seals.keys(), "a seal that nothing needs")

    def result(self):
        """What was proved."""
        shown = {record.status_id for record in self.records}
        withheld = [item for item in self.statement.status_ids if item not in shown]
        head = self.head
        return Proved(head.origin, head.size, head.root, self.records, withheld, self.statement)


def _in_force(key, minute):
    return key.from_minute <= minute and (not key.until_minute or minute < key.until_minute)


def _supersedes(group, places):
    """Whether a group replaces the record at one of some places."""
    return any(effect.action == SUPERSEDE and (effect.place.entry, effect.place.index) in places
               for effect in group.effects)


def _nested(message, canonical, name):
    """The bytes of a nested message, without its tag and length."""
    number = canonical.by_name[message.name][name].number
    found = list(read_fields(message.raw.get(number, b"")))
    return found[0][2] if found else b""
