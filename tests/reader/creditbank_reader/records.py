"""Records, claims and disclosure (PROTOCOL.md, section 4)."""

from .suite import SUITE, sha256, uint
from .wire import Refused, read_fields

VERSION = 1
BODY_LEN_MAX = 65_535
PUBLIC_SEED = bytes(32)
REGISTRY_KIND_MIN = 64
PUBLISHED_KINDS = frozenset((8, 9, 10, 11, 13, 16, 17, 18))
"""What institutions publish; registry kinds are the operator's."""
REQUIRED = {
    1: (6,),
    2: (2, 3, 11, 14, 16, 17, 18),
    3: (2, 3, 7, 11, 14, 16, 17, 18, 20, 21),
    4: (2, 3, 8, 12, 15, 16, 18),
    5: (2, 6, 9),
    6: (2, 5, 7, 8),
    7: (2, 3, 4, 5, 10, 15, 22, 23),
    12: (2, 3, 4, 6, 8, 12, 13, 14),
    14: (2, 3, 4, 10, 13, 17, 19, 20, 21, 23),
    15: (2, 3, 5, 6, 10, 12, 13, 14, 15, 16),
    19: (2, 4, 5, 6, 9),
    20: (2, 3, 4, 6, 8, 10),
}
"""Kind -> the fields that must not be hidden in a record that is called valid."""


class Records:
    """Hashes records of the kinds that the schema names."""

    def __init__(self, canonical):
        self.canonical = canonical
        self.names = {}
        for name, kind in canonical.schema.enums["Kind"].items():
            if kind:
                words = name.removeprefix("KIND_").split("_")
                self.names[kind] = "".join(word.capitalize() for word in words)

    def message_name(self, kind):
        """The message of a kind."""
        if kind not in self.names:
            raise Refused(f"kind {kind} is unknown")
        return self.names[kind]

    def numbers(self, kind):
        """The field numbers of a kind, in order."""
        return list(self.canonical.schema.messages[self.message_name(kind)])

    def read(self, kind, version, body):
        """The checked message of a record."""
        if version != VERSION:
            raise Refused(f"record version {version} is unknown")
        if len(body) > BODY_LEN_MAX:
            raise Refused("the body is too long")
        return self.canonical.read(self.message_name(kind), body)

    def claims(self, kind, version, seed, body):
        """(number, salt, value, hash) of every claim of a whole record."""
        raw = self.read(kind, version, body).raw
        found = []
        for number in self.numbers(kind):
            salt = claim_salt(seed, kind, version, number)
            value = raw.get(number, b"")
            found.append((number, salt, value, claim_hash(salt, kind, version, number, value)))
        return found

    def hash(self, kind, version, seed, body):
        """The hash of a whole record."""
        if seed == bytes(32) and not is_public(kind):
            raise Refused("a hidden record has a secret seed")
        return record_hash(kind, version, [claim[3] for claim in self.claims(kind, version, seed, body)])

    def disclosed(self, record):
        """Hash of a DisclosedRecord, what it opens as a message, and the required fields that it hides."""
        kind, version = record.kind, record.version
        if record.has("seed"):
            if record.claims:
                raise Refused("a record is whole and in part")
            found = self.hash(kind, version, record.seed, record.body)
            return found, self.read(kind, version, record.body), []
        if record.has("body"):
            raise Refused("a body without its seed")
        numbers = self.numbers(kind)
        if len(record.claims) != len(numbers):
            raise Refused(f"{len(record.claims)} claims, expected {len(numbers)}")
        hashes, values, hidden = [], b"", []
        for number, claim in zip(numbers, record.claims):
            if claim.has("hash"):
                if claim.has("salt") or claim.has("value"):
                    raise Refused(f"claim {number} is hidden and opened")
                hashes.append(claim.hash)
                if number in REQUIRED.get(kind, ()):
                    hidden.append(number)
                continue
            if not claim.has("salt"):
                raise Refused(f"claim {number} has neither hash nor salt")
            if any(field[0] != number for field in read_fields(claim.value)):
                raise Refused(f"claim {number} holds another field")
            hashes.append(claim_hash(claim.salt, kind, version, number, claim.value))
            values += claim.value
        return record_hash(kind, version, hashes), self.read(kind, version, values), hidden


def is_public(kind):
    """Whether records of a kind stand in the log for everybody."""
    return kind >= REGISTRY_KIND_MIN or kind in PUBLISHED_KINDS


def short(tag, *parts):
    """SHA-256 behind one of the short tags of records."""
    return sha256(bytes([len(tag)]) + tag + b"".join(parts))


def claim_salt(seed, kind, version, number):
    """The salt of a claim: half of what two claims share."""
    pair, second = divmod(number - 1, 2)
    both = short(b"cb1s", seed, uint(16, kind), uint(16, version), uint(16, pair))
    return both[16:] if second else both[:16]


def claim_hash(salt, kind, version, number, value):
    """The hash of a claim; an empty value is an absent field."""
    body = b"\x01" + value if value else b"\x00"
    return short(b"cb1c", salt, uint(16, kind), uint(16, version), uint(16, number), body)


def record_hash(kind, version, claims):
    """The hash of a record over its claims' hashes."""
    return short(b"cb1r", uint(16, SUITE), uint(16, kind), uint(16, version), uint(16, len(claims)), *claims)
