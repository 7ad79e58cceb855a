"""The protobuf wire format, as far as canonical messages use it (PROTOCOL.md, section 2)."""

VARINT = 0
DELIMITED = 2
U64_MAX = 2 ** 64 - 1


class Refused(Exception):
    """Bytes, a proof or a file that the protocol refuses."""


def read_varint(data, at):
    """The shortest-form varint at `at`, and the position after it."""
    value = 0
    for count in range(10):
        if at >= len(data):
            raise Refused("the bytes end inside a value")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if byte == 0 and count > 0:
                raise Refused("a varint is longer than need be")
            if value > U64_MAX:
                raise Refused("a varint is above 2^64 - 1")
            return value, at
    raise Refused("a varint is above 2^64 - 1")


def write_varint(value):
    """The shortest varint of a number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_bytes(data, at):
    """The length-delimited value at `at`, and the position after it."""
    length, at = read_varint(data, at)
    if length > len(data) - at:
        raise Refused("the bytes end inside a value")
    return data[at:at + length], at + length


def read_packed(data):
    """The integers of one packed run."""
    values, at = [], 0
    while at < len(data):
        value, at = read_varint(data, at)
        values.append(value)
    return values


def read_fields(data):
    """Yields (field number, wire type, value, bytes of the whole occurrence) for each field as it stands."""
    at = 0
    while at < len(data):
        start = at
        tag, at = read_varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, at = read_varint(data, at)
        elif wire_type == DELIMITED:
            value, at = read_bytes(data, at)
        else:
            raise Refused(f"wire type {wire_type} is never used")
        yield number, wire_type, value, data[start:at]


def write_field(number, value):
    """A field with an integer or bytes; nothing for a default."""
    if not value:
        return b""
    if isinstance(value, int):
        return write_varint(number << 3 | VARINT) + write_varint(value)
    return write_element(number, value)


def write_element(number, value):
    """A length-delimited field, written even when it is empty, as elements of lists are."""
    return write_varint(number << 3 | DELIMITED) + write_varint(len(value)) + value
