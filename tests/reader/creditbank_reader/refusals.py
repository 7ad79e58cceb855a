"""Which refusal a block gets before the rules (PROTOCOL.md, sections 5 and 15). Names only; the rules themselves, over what only a
node holds, are not here."""

import re

from . import ledger as forms
from .records import PUBLIC_SEED, is_public
from .suite import SUITE, verify
from .wire import Refused

BLOCK_LEN_MAX = 67_586
VERSION = 1
PURPOSE_REGISTRY = 2
DAY_MINUTES = 1_440
ROW = re.compile(r"^\| `([A-Z_]+)` \| .* \| (\w+) \|$", re.M)


class Named(Exception):
    """A refusal by its name."""


def _require(condition, name):
    if not condition:
        raise Named(name)


def names(document):
    """Name -> gRPC codes, of the tables of RULES.md."""
    found = {}
    for name, code in ROW.findall(document):
        found.setdefault(name, set()).add(code)
    return found


class Judge:
    """Judges blocks of one log. `keys`: key id -> Key message of the registry in force."""

    def __init__(self, canonical, origin, keys):
        self.canonical = canonical
        self.ledger = forms.Ledger(canonical)
        self.origin = origin
        self.keys = keys

    def form(self, data, records, places):
        """The name that form, hashes and signatures of a block get, or None. `records`: (kind, version, seed, body);
        `places`: how many are beside it."""
        try:
            self._form(data, records, places)
        except Named as name:
            return str(name)
        return None

    def _read(self, message, data):
        try:
            return self.canonical.read(message, data)
        except Refused as error:
            raise Named("NOT_CANONICAL") from error

    def _form(self, data, records, places):
        _require(len(data) <= BLOCK_LEN_MAX, "BLOCK_TOO_LONG")
        block = self._read("Block", data)
        _require(not block.has("second_signature"), "UNKNOWN_VERSION")
        header = self._read("BlockHeader", block.header)
        _require(header.suite == SUITE and header.version == VERSION, "UNKNOWN_VERSION")
        for name in ("origin", "previous", "records_root", "public_root", "operation_id", "key_id"):
            _require(header.has(name), "MISSING_FIELD")
        _require(block.has("signature"), "MISSING_FIELD")
        _require(all(approval.has("salt") for approval in block.approvals), "MISSING_FIELD")
        approvers = [approval.key_id for approval in block.approvals]
        _require(len(approvers) == len(set(approvers)), "REPEATED_APPROVAL")
        public = self._read("PublicPart", block.public_part)
        try:
            forms.check_pieces(header, public)
        except Refused as error:
            raise Named("WRONG_PUBLIC_ROOT") from error
        indices = [record.index for record in public.records]
        ascending = all(low < high for low, high in zip(indices, indices[1:]))
        _require(ascending and all(index < header.count for index in indices), "WRONG_PUBLIC_INDEX")
        effects = [effect.status_id for group in public.groups for effect in group.effects]
        _require(len(effects) == len(set(effects)), "REPEATED_EFFECT")
        try:
            forms.check_places(public.groups)
        except Refused as error:
            raise Named("WRONG_PLACE") from error
        _require(header.origin == self.origin, "WRONG_ORIGIN")
        _require(len(records) <= header.count, "WRONG_COUNT")
        _require(places == len(forms.silent(public.groups)), "WRONG_PLACE_COUNT")
        self._signatures(block, header)
        self._records(header, public, records)

    def _signatures(self, block, header):
        key = self.keys.get(header.key_id)
        _require(key is not None, "UNKNOWN_KEY")
        _require((key.purpose == PURPOSE_REGISTRY) == (header.institution == 0), "KEY_OF_ANOTHER")
        _require(verify(key.public_key, forms.block_message(block.header), block.signature), "WRONG_SIGNATURE")
        for approval in block.approvals:
            approver = self.keys.get(approval.key_id)
            _require(approver is not None, "NOT_AN_APPROVER")
            message = forms.approval_message(header, approval)
            _require(verify(approver.public_key, message, approval.signature), "WRONG_SIGNATURE")

    def _hash(self, kind, version, seed, body):
        try:
            if len(seed) != 32:
                raise Refused("a seed has 32 bytes")
            return self.ledger.records.hash(kind, version, seed, body)
        except Refused as error:
            raise Named("RECORD_MALFORMED") from error

    def _records(self, header, public, records):
        beside = [(kind, self._hash(kind, *rest)) for kind, *rest in records]
        seeds = [seed for _, _, seed, _ in records]
        _require(len(seeds) == len(set(seeds)), "RECORD_MALFORMED")
        _require(len(beside) + len(public.records) == header.count, "WRONG_COUNT")
        shown = {record.index: record for record in public.records}
        hashes = []
        for index in range(header.count):
            record = shown.get(index)
            if record is None:
                kind, digest = beside.pop(0)
            else:
                kind = record.kind
                _require(is_public(kind) or kind not in self.ledger.records.names, "WRONG_PART")
                digest = self._hash(kind, record.version, PUBLIC_SEED, record.body)
            _require(is_public(kind) == (record is not None), "WRONG_PART")
            hashes.append(digest)
        _require(forms.records_root(hashes) == header.records_root, "WRONG_RECORDS_ROOT")

    def place(self, data, chain, now_minute, institutions):
        """The name that a block's place in its chain gets, or None. `chain`: next height, header id and minute of its head."""
        header = self.canonical.read("BlockHeader", self.canonical.read("Block", data).header)
        if chain is None:
            return "UNKNOWN_UNIT" if header.institution in institutions else "UNKNOWN_INSTITUTION"
        if header.height < chain["next_height"]:
            return "STALE_HEAD"
        if header.height > chain["next_height"]:
            return "WRONG_HEIGHT"
        if header.previous.hex() != chain["previous"]:
            return "WRONG_PREVIOUS"
        created = header.created_at_minute
        if created < chain["created_at_minute"] or abs(created - now_minute) > DAY_MINUTES:
            return "WRONG_TIME"
        return None
