"""Suite 1: SHA-256, preimages with domain tags, and strict Ed25519 (PROTOCOL.md, sections 1 and 3)."""

import functools
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SUITE = 1
ORIGIN_LEN_MAX = 128
ORIGIN_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/:")

FIELD = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, -1, FIELD) % FIELD
SQRT_M1 = pow(2, (FIELD - 1) // 4, FIELD)


def sha256(*parts):
    """H of the joined parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def uint(width, value):
    """An unsigned big-endian integer of `width` bits."""
    return value.to_bytes(width // 8, "big")


def var(data):
    """A part of variable length."""
    return uint(32, len(data)) + data


def preimage(tag, *parts):
    """The preimage of a tag, which is given without `creditbank/v1/`."""
    full = b"creditbank/v1/" + tag.encode("ascii")
    return uint(8, len(full)) + full + b"".join(parts)


def tagged_hash(tag, *parts):
    """H of a preimage."""
    return sha256(preimage(tag, *parts))


def is_origin(text):
    """Whether a text has the form of an origin."""
    data = text.encode("utf-8")
    return 1 <= len(data) <= ORIGIN_LEN_MAX and ORIGIN_BYTES.issuperset(data)


def _decode_point(data):
    """The affine point of a canonical encoding, or None."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2 ** 255 - 1)
    if y >= FIELD:
        return None
    u = (y * y - 1) % FIELD
    v = (CURVE_D * y * y + 1) % FIELD
    x = u * pow(v, 3, FIELD) * pow(u * pow(v, 7, FIELD), (FIELD - 5) // 8, FIELD) % FIELD
    if v * x * x % FIELD != u:
        x = x * SQRT_M1 % FIELD
    if v * x * x % FIELD != u or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else FIELD - x), y


def _double(point):
    x, y = point
    product = CURVE_D * x * x * y * y % FIELD
    doubled_x = 2 * x * y * pow(1 + product, -1, FIELD)
    doubled_y = (y * y + x * x) * pow(1 - product, -1, FIELD)
    return doubled_x % FIELD, doubled_y % FIELD


@functools.lru_cache(maxsize=4096)
def is_strict_point(data):
    """Whether bytes are the canonical encoding of a point that is not of small order."""
    point = _decode_point(data) if len(data) == 32 else None
    if point is None:
        return False
    for _ in range(3):
        point = _double(point)
    return point != (0, 1)


def verify(key, message, signature):
    """Whether a signature holds strictly."""
    if len(key) != 32 or len(signature) != 64 or int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    if not is_strict_point(key) or not is_strict_point(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_key(seed):
    """The public key of a 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed, message):
    """The RFC 8032 signature of a message, which is the same every time."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def key_id(key, suite=SUITE):
    """The 16-byte name of a key."""
    return sha256(key_id_preimage(key, suite))[:16]


def key_id_preimage(key, suite=SUITE):
    """What a key id is the hash of."""
    return preimage("key-id", uint(16, suite), key)


def commitment(registry_key):
    """The commitment to a registry key that nobody has seen yet."""
    return tagged_hash("next-registry-key", registry_key)


def succession_message(origin, before, said):
    """What a registry key signs that takes over from another one."""
    return preimage("registry-succession", var(origin.encode()), before, said.public_key, said.next_registry_key,
                    var(said.case_reference.encode()))


def log_handover_message(origin, key, from_index):
    """What the log key in force signs when another one is to follow it."""
    return preimage("log-handover", var(origin.encode()), uint(16, SUITE), key, uint(64, from_index))


def log_succession_message(said):
    """What a log key signs that takes over with another origin, and the one before it."""
    return preimage("log-succession", var(said.origin.encode()), uint(64, said.size), said.root,
                    var(said.new_origin.encode()), said.log_key, var(said.case_reference.encode()))


def genesis_preimage(origin, log_key, registry_key, next_registry_key):
    """What the genesis value is the hash of."""
    return preimage("genesis", var(origin.encode()), log_key, registry_key, next_registry_key)


def possession_message(origin, institution, unit, suite, purpose, key):
    """What a key signs to prove that it is held."""
    return preimage("possession", var(origin.encode()), uint(64, institution), uint(32, unit),
                    uint(16, suite), uint(16, purpose), key)
