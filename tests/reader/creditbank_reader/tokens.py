"""Access tokens (PROTOCOL.md, section 14)."""

import base64
import binascii
import json
import re

from .suite import key_id, verify
from .wire import Refused

TOKEN_LEN_MAX = 2_048
LIFE_MAX_S, AHEAD_MAX_S = 300, 60
PART = re.compile(r"[A-Za-z0-9_-]*")
HEAD = {"alg": "EdDSA", "typ": "JWT"}


def _bytes(part):
    if not PART.fullmatch(part) or len(part) % 4 == 1:
        raise Refused("not base64url")
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise Refused("not base64url") from error
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != part:
        raise Refused("base64url is not in its one spelling")
    return data


def _object(data):
    def once(pairs):
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Refused("a name stands twice")
        return found
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=once)
    except ValueError as error:
        raise Refused("not JSON") from error
    if not isinstance(value, dict):
        raise Refused("not a JSON object")
    return value


def _seconds(value):
    if type(value) is not int or not 0 <= value < 2 ** 64:
        raise Refused("not a time in seconds")
    return value


def check(token, origin, key, now_s):
    """The claims of a token of a key, or Refused."""
    parts = token.split(".")
    if len(token) > TOKEN_LEN_MAX or len(parts) != 3:
        raise Refused("not a token")
    head, claims, signature = _object(_bytes(parts[0])), _object(_bytes(parts[1])), _bytes(parts[2])
    if head != {**HEAD, "kid": key_id(key).hex()}:
        raise Refused("the header is another")
    if not verify(key, ".".join(parts[:2]).encode(), signature):
        raise Refused("the signature does not hold")
    if claims.keys() != {"aud", "iat", "exp", "jti"} or not isinstance(claims["jti"], str) or claims["aud"] != origin:
        raise Refused("the claims are others")
    begin, end = _seconds(claims["iat"]), _seconds(claims["exp"])
    if not begin < end <= begin + LIFE_MAX_S or begin > now_s + AHEAD_MAX_S or not now_s < end <= now_s + LIFE_MAX_S:
        raise Refused("the times are wrong")
    return claims
