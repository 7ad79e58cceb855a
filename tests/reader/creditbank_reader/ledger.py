"""Blocks, seals and registry entries (PROTOCOL.md, sections 5, 6, 9 and 10)."""

from dataclasses import dataclass

from . import tree
from .records import Records
from .suite import SUITE, key_id, preimage, tagged_hash, uint, var
from .wire import Refused, read_fields

VERSION = 1
ENTRY_LEN_MAX = 65_535
HEAD_BYTE, SEAL_BYTE, PUBLIC_BYTE = b"\x01", b"\x02", b"\x03"
HEAD_LEN_MAX = 2_048
RECORD_PIECE, SLICE_PIECE = b"\x01", b"\x02"
SLICE_EFFECTS_MAX = 4
KIND_INSTITUTION, KIND_UNIT, KIND_KEY, KIND_ACCREDITATION = 64, 65, 66, 67
KINDS_BY_CODE = (68, 69, 70, 71, 72, 75)
KIND_PROPOSAL, KIND_ACCEPTANCE, KIND_ENDING, KIND_EQUIVALENCE, KIND_DEFINITION, KIND_DISTRIBUTION = 8, 9, 10, 11, 13, 16
KIND_COURSE_ALIAS, KIND_COURSE_CODES = 17, 18
KIND_COUNTRY, KIND_REGISTRY_SUCCESSION, KIND_REGISTRY_POLICY, KIND_TIME_CORRECTION, KIND_LOG_SUCCESSION = 74, 76, 77, 78, 79
CORRECTING_ENTRIES = 3


@dataclass
class HeadEntry:
    """The head of a block that was read from a log entry."""

    leaf: bytes
    header_bytes: bytes
    header: object
    signature: bytes
    approvals: list


@dataclass
class SealEntry:
    """A seal that was read from a log entry."""

    leaf: bytes
    seal_bytes: bytes
    seal: object
    signature: bytes


def header_id(header):
    """The identity of a block header."""
    return tagged_hash("header", var(header))


def block_message(header):
    """What a unit signs."""
    return preimage("block-signature", var(header))


SHOWING = {1, 2, 5}
CLOSE_REVIEW, REINSTATE, BASIS_DEPENDENCY = 9, 10, 5


def shows_place(authority, effect):
    """Whether an effect stands in the log with the place of its record."""
    return (effect.action in SHOWING
            or effect.action == CLOSE_REVIEW and authority.basis != BASIS_DEPENDENCY
            or effect.action == REINSTATE and not effect.redemption_plus_1)


def check_places(groups):
    """Refuses effects that show the place of a record where that may not stand, or none where it must."""
    for group in groups:
        for effect in group.effects:
            if effect.has("place") != shows_place(group.authority, effect):
                raise Refused("an effect shows a place that may not stand, or none where it must")


def silent(groups):
    """The effects that show no place, in their order."""
    return [effect for group in groups for effect in group.effects if not shows_place(group.authority, effect)]


def pieces(public_part):
    """The pieces of a public part that was read."""
    found = [RECORD_PIECE + b"".join(item.raw[number] for number in sorted(item.raw)) for item in public_part.records]
    for group in public_part.groups:
        effects = [raw for _, _, _, raw in read_fields(group.raw.get(2, b""))]
        for start in range(0, max(len(effects), 1), SLICE_EFFECTS_MAX):
            found.append(SLICE_PIECE + group.raw.get(1, b"") + b"".join(effects[start:start + SLICE_EFFECTS_MAX]))
    return found


def check_pieces(header, public_part):
    """Refuses a public part, that was read, of another block."""
    found = pieces(public_part)
    if header.public_count != len(found) or header.public_root != tree.root([tree.leaf_hash(item) for item in found]):
        raise Refused("the public root is another")


def approval_message(header, approval):
    """What an approver signs."""
    unit = var(header.origin.encode()) + uint(64, header.institution) + uint(32, header.unit)
    return preimage("approval", unit, header.records_root, uint(32, header.count), header.public_root,
                    uint(32, header.public_count), header.operation_id, uint(64, approval.until_minute), approval.salt)


def records_root(hashes):
    """The records root over record hashes."""
    return tree.root([tree.leaf_hash(item) for item in hashes])


def seal_id(seal):
    """The identity of a seal."""
    return tagged_hash("seal", var(seal))


def seal_message(seal):
    """What the log key signs."""
    return preimage("seal-signature", var(seal))


def registry_key(kind, body):
    """The key of a registry record in the registry map; `body` is its read message."""
    if kind == KIND_INSTITUTION:
        identity = uint(64, body.number)
    elif kind == KIND_UNIT:
        identity = uint(64, body.institution) + uint(32, body.unit)
    elif kind == KIND_KEY:
        if body.suite != SUITE or not body.has("public_key"):
            raise Refused("a key of another suite, or without its bytes, has no registry key")
        identity = key_id(body.public_key)
    elif kind in (KIND_ACCREDITATION, KIND_DISTRIBUTION):
        identity = uint(64, body.institution) + uint(32, body.number)
    elif kind in KINDS_BY_CODE:
        identity = var(body.code.encode())
    elif kind == KIND_COUNTRY:
        identity = var(body.alpha2.encode())
    elif kind in (KIND_REGISTRY_SUCCESSION, KIND_REGISTRY_POLICY, KIND_LOG_SUCCESSION):
        identity = b""
    elif kind == KIND_TIME_CORRECTION:
        identity = uint(64, body.first)
    elif kind == KIND_COURSE_ALIAS:
        identity = uint(64, body.institution) + var(body.code.encode())
    elif kind == KIND_COURSE_CODES:
        identity = uint(64, body.institution)
    elif kind in (KIND_PROPOSAL, KIND_ACCEPTANCE, KIND_ENDING):
        name = body.terms if kind == KIND_PROPOSAL else body.agreement
        identity = var(name.code.encode()) + uint(32, name.version)
    elif kind in (KIND_EQUIVALENCE, KIND_DEFINITION):
        identity = uint(64, body.institution) + var(body.code.encode()) + uint(32, body.version)
    else:
        raise Refused(f"kind {kind} is no registry record")
    return registry_key_of(kind, identity)


def registry_key_of(kind, identity):
    """The registry key of a kind and an identity."""
    return tagged_hash("registry-key", uint(16, kind), identity)


def registry_value(entry):
    """The value hash of canonical RegistryEntry bytes."""
    return tagged_hash("registry-value", var(entry))


class Ledger:
    """Reads entries of the log."""

    def __init__(self, canonical):
        self.canonical = canonical
        self.records = Records(canonical)

    def read_head(self, entry):
        """The head of a block, checked as far as it can be without the log."""
        self._check_entry(entry, HEAD_BYTE, "head of a block")
        if len(entry) > HEAD_LEN_MAX + 1:
            raise Refused("the head is too long")
        block = self.canonical.read("BlockHead", entry[1:])
        header = self.canonical.read("BlockHeader", block.header)
        _check_head(header)
        for name in ("previous", "records_root", "public_root", "operation_id", "key_id"):
            if not header.has(name):
                raise Refused(f"the header has no {name}")
        if not block.has("signature") or block.has("second_signature"):
            raise Refused("a block has one signature under suite 1")
        if any(not approval.has("salt") for approval in block.approvals):
            raise Refused("an approval has no salt")
        approvers = [approval.key_id for approval in block.approvals]
        if len(approvers) != len(set(approvers)):
            raise Refused("a key approves twice")
        return HeadEntry(tree.leaf_hash(entry), block.header, header, block.signature, block.approvals)

    def read_public(self, entry, header):
        """The public part of a block, in the entry behind its head."""
        self._check_entry(entry, PUBLIC_BYTE, "public part")
        if len(entry) == 1:
            raise Refused("the public part is empty")
        public_part = self.canonical.read("PublicPart", entry[1:])
        check_pieces(header, public_part)
        self._check_public(header, public_part)
        return public_part

    def read_seal(self, entry):
        """The seal of a log entry."""
        self._check_entry(entry, SEAL_BYTE, "seal")
        signed = self.canonical.read("SignedSeal", entry[1:])
        seal = self.canonical.read("Seal", signed.seal)
        _check_head(seal)
        if not seal.has("rules_version") or not seal.has("status_root") or not seal.has("registry_root") \
                or not seal.has("previous") or not signed.has("signature") or signed.has("second_signature"):
            raise Refused("the seal's form is not that of version 1")
        if seal.first_index > seal.index:
            raise Refused("the round begins after its seal")
        return SealEntry(tree.leaf_hash(entry), signed.seal, seal, signed.signature)

    def read_receipt(self, receipt, policy):
        """The entry that a receipt proves (section 12); `receipt`: entry, index, inclusion, checkpoint."""
        entry, index, inclusion, note = receipt
        checkpoint, _, _ = policy.accept_signed(note)
        if any(len(item) != 32 for item in inclusion) or not tree.verify_inclusion(
                tree.leaf_hash(entry), index, checkpoint.size, inclusion, checkpoint.root):
            raise Refused("the receipt's path does not lead to the checkpoint")
        read = self.read_head(entry) if entry[:1] == HEAD_BYTE else self.read_seal(entry)
        origin = read.header.origin if entry[:1] == HEAD_BYTE else read.seal.origin
        if origin != checkpoint.origin:
            raise Refused("an entry of another log")
        return read

    def read_registry(self, entry):
        """The registry key and the body of a RegistryEntry."""
        body = self.records.read(entry.kind, entry.version, entry.body)
        return registry_key(entry.kind, body), body

    @staticmethod
    def _check_entry(entry, first, name):
        if len(entry) > ENTRY_LEN_MAX or entry[:1] != first:
            raise Refused(f"the entry is not a {name}")

    @staticmethod
    def _check_public(header, part):
        indices = [record.index for record in part.records]
        if any(low >= high for low, high in zip(indices, indices[1:])):
            raise Refused("public records are not ascending")
        if indices and indices[-1] >= header.count:
            raise Refused("a public record stands behind the last")
        ids = [effect.status_id for group in part.groups for effect in group.effects]
        if len(ids) != len(set(ids)):
            raise Refused("a status id has two effects in one block")
        check_places(part.groups)


def _check_head(message):
    if message.suite != SUITE or message.version != VERSION:
        raise Refused("suite or version is unknown")
    if not message.has("origin"):
        raise Refused("the origin is missing")
