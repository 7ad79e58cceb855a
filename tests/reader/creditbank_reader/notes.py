"""Signed notes, checkpoints, cosignatures, policies and proofs of C2SP (PROTOCOL.md, section 11)."""

import base64
import binascii
from dataclasses import dataclass, field

from .suite import is_strict_point, public_key, sha256, sign, uint, verify
from .wire import Refused

LOG_TYPE, COSIGNATURE_TYPE = 0x01, 0x04
NOTE_LEN_MAX = 65_536
SIGNATURES_MAX = 100
POLICY_LINES_MAX = 1_000
PROOF_HASHES_MAX = 64
TIME_MAX = 2 ** 63 - 1
U64_MAX = 2 ** 64 - 1
DASH = "\u2014 "
PROOF_HEAD = "c2sp.org/tlog-proof@v1"


def encode64(data):
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")


def decode64(text):
    """The bytes of standard base64 in its one spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Refused("not base64") from error
    if encode64(data) != text:
        raise Refused("base64 is not in its one spelling")
    return data


def decimal(text):
    """A number without leading zeros."""
    if not text.isascii() or not text.isdigit() or (text[0] == "0" and text != "0") or int(text) > U64_MAX:
        raise Refused("not a decimal number")
    return int(text)


@dataclass(frozen=True)
class NoteKey:
    """A verifier key of a note: name, type and Ed25519 key."""

    name: str
    type: int
    key: bytes

    @property
    def id(self):
        """The four bytes that name the key in a signature line."""
        return sha256(self.name.encode(), b"\n", uint(8, self.type), self.key)[:4]

    @property
    def vkey(self):
        """The key as text."""
        return f"{self.name}+{self.id.hex()}+{encode64(uint(8, self.type) + self.key)}"

    @classmethod
    def parse(cls, text):
        """The key of its text."""
        parts = text.split("+", 2)
        if len(parts) != 3 or not _is_name(parts[0]):
            raise Refused("not a verifier key")
        data = decode64(parts[2])
        if len(data) != 33 or data[0] not in (LOG_TYPE, COSIGNATURE_TYPE):
            raise Refused("a verifier key of another type")
        found = cls(parts[0], data[0], data[1:])
        if not is_strict_point(found.key):
            raise Refused("not a public key")
        if found.id.hex() != parts[1]:
            raise Refused("the id of the verifier key is another")
        return found

    def holds(self, text, signature):
        """Whether a signature (after the four bytes of the id) of this key over a note's text holds."""
        if self.type == LOG_TYPE:
            return verify(self.key, text.encode(), signature)
        time = int.from_bytes(signature[:8], "big")
        return len(signature) == 72 and time <= TIME_MAX \
            and verify(self.key, cosignature_message(text, time), signature[8:])


def cosignature_message(text, time):
    """What a witness signs."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def signature_line(key, signature):
    """A signature as a line of a note."""
    return f"{DASH}{key.name} {encode64(key.id + signature)}\n"


def sign_note(name, seed, text):
    """A note with the signature of a log key."""
    key = NoteKey(name, LOG_TYPE, public_key(seed))
    return f"{text}\n{signature_line(key, sign(seed, text.encode()))}"


def cosign_note(name, seed, note, time):
    """A note with one more line, the cosignature of a witness."""
    text, _ = split_note(note.encode())
    key = NoteKey(name, COSIGNATURE_TYPE, public_key(seed))
    return note + signature_line(key, uint(64, time) + sign(seed, cosignature_message(text, time)))


def _is_name(name):
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)


def split_note(data):
    """The text of a note and its signatures (name, id, signature), none of which is verified yet."""
    if len(data) > NOTE_LEN_MAX:
        raise Refused("the note is too long")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("the note is not UTF-8") from error
    if any(letter < " " and letter != "\n" for letter in note):
        raise Refused("the note holds a control character")
    at = note.rfind("\n\n")
    if at < 0 or not note.endswith("\n"):
        raise Refused("the note has no signatures")
    text, lines = note[:at + 1], note[at + 2:].split("\n")[:-1]
    if not 1 <= len(lines) <= SIGNATURES_MAX:
        raise Refused("the note has too many signatures or none")
    signatures = []
    for line in lines:
        parts = line.removeprefix(DASH).split(" ")
        if not line.startswith(DASH) or len(parts) != 2 or not _is_name(parts[0]):
            raise Refused("a signature line is malformed")
        raw = decode64(parts[1])
        if len(raw) < 5:
            raise Refused("a signature is too short")
        signatures.append((parts[0], raw[:4], raw[4:]))
    return text, signatures


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self):
        """The text of the note."""
        return f"{self.origin}\n{self.size}\n{encode64(self.root)}\n"

    @classmethod
    def parse(cls, text):
        """The checkpoint of a note's text; extension lines are refused."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise Refused("not a checkpoint of three lines")
        root = decode64(lines[2])
        if len(root) != 32:
            raise Refused("the root is not 32 bytes")
        return cls(lines[0], decimal(lines[1]), root)


@dataclass
class Policy:
    """A C2SP tlog-policy."""

    logs: list = field(default_factory=list)
    witnesses: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)
    quorum: str = ""

    @classmethod
    def parse(cls, text):
        """The policy of its text."""
        policy = cls()
        lines = text.removesuffix("\n").split("\n")
        if len(lines) > POLICY_LINES_MAX or any(letter < " " and letter not in "\t\n" or letter == "\x7f" for letter in text):
            raise Refused("the policy is too long or holds a control character")
        for line in lines:
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if not words or words[0].startswith("#"):
                continue
            policy._line(words)
        if not policy.quorum:
            raise Refused("the policy has no quorum")
        return policy

    def _line(self, words):
        if words[0] == "log" and len(words) in (2, 3):
            key = NoteKey.parse(words[1])
            if key.type != LOG_TYPE or self._has_key(key):
                raise Refused("a log of the policy stands twice or has another type")
            self.logs.append(key)
        elif words[0] == "witness" and len(words) in (3, 4):
            key = NoteKey.parse(words[2])
            self._new_name(words[1])
            if key.type != COSIGNATURE_TYPE or self._has_key(key):
                raise Refused("a witness of the policy stands twice or has another type")
            self.witnesses[words[1]] = key
        elif words[0] == "group" and len(words) >= 4:
            members = words[3:]
            self._new_name(words[1])
            listed = [name for _, names in self.groups.values() for name in names] + members
            if any(not self._knows(name) for name in members) or len(set(listed)) != len(listed):
                raise Refused("a member of a group is unknown or stands twice")
            bound = {"any": 1, "all": len(members)}.get(words[2])
            bound = decimal(words[2]) if bound is None else bound
            if not 1 <= bound <= len(members):
                raise Refused("the threshold of a group is out of range")
            self.groups[words[1]] = (bound, members)
        elif words[0] == "quorum" and len(words) == 2 and not self.quorum:
            if words[1] != "none" and not self._knows(words[1]):
                raise Refused("the quorum is unknown")
            self.quorum = words[1]
        else:
            raise Refused("a line of the policy is malformed")

    def _knows(self, name):
        return name in self.witnesses or name in self.groups

    def _has_key(self, key):
        return any(key.key == other.key for other in [*self.logs, *self.witnesses.values()])

    def _new_name(self, name):
        if name == "none" or self._knows(name):
            raise Refused("a name of the policy stands twice")

    def accept(self, note, log_keys=()):
        """The checkpoint of a note that the quorum has cosigned, the key of the log that signed it, and from when the
        quorum is (seconds since 1970; None where the policy asks for none). The log keys (NoteKey) are those that have
        followed one of the policy."""
        checkpoint, key, held = self.accept_signed(note, log_keys)
        if self.quorum == "none":
            return checkpoint, key, None
        time = self._time(self.quorum, held)
        if time is None:
            raise Refused("the quorum of witnesses is missing")
        return checkpoint, key, time

    def accept_signed(self, note, log_keys=()):
        """The checkpoint of a note, the key of the log that signed it, and all keys that did: what a receipt needs."""
        text, signatures = split_note(note)
        logs = [*self.logs, *log_keys]
        known = {(key.name, key.id): key for key in [*logs, *self.witnesses.values()]}
        held = {}
        for name, identity, signature in signatures:
            key = known.get((name, identity))
            if key is None:
                continue
            if not key.holds(text, signature):
                raise Refused(f"the signature of {name} does not hold")
            held[key] = int.from_bytes(signature[:8], "big")
        checkpoint = Checkpoint.parse(text)
        signers = [key for key in logs if key in held and key.name == checkpoint.origin]
        if not signers:
            raise Refused("no log of the policy signed the checkpoint")
        return checkpoint, signers[0].key, held

    def _time(self, name, held):
        """The latest time such that the cosignatures of that time or later are enough; None where too few have cosigned."""
        if name in self.witnesses:
            return held.get(self.witnesses[name])
        bound, members = self.groups[name]
        times = sorted((time for time in (self._time(member, held) for member in members) if time is not None), reverse=True)
        return times[bound - 1] if len(times) >= bound else None


def spell_proof(index, hashes, note):
    """An inclusion proof as text (tlog-proof)."""
    return "\n".join([PROOF_HEAD, f"index {index}", *map(encode64, hashes), "", note])


def parse_proof(text):
    """Index, hashes and note of an inclusion proof, without extra data."""
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != PROOF_HEAD:
        raise Refused("not a tlog-proof")
    del lines[0]
    if not lines or not lines[0].startswith("index "):
        raise Refused("a tlog-proof without index")
    hashes = [decode64(line) for line in lines[1:]]
    if any(len(item) != 32 for item in hashes) or len(hashes) > PROOF_HASHES_MAX:
        raise Refused("a hash of a tlog-proof is not 32 bytes")
    return decimal(lines[0][6:]), hashes, note
