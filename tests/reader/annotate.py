"""Writes a transcript down byte by byte: python3 annotate.py /path/to/proto [FILE.cbt]

Each line has an offset, bytes in hex, and what they are. Without a file: `vectors/transcripts/whole.cbt`. That text is
`vectors/transcript.annotated.txt`, which the vectors' test compares with what this writes.
"""

import pathlib
import sys

from creditbank_reader.canonical import Canonical
from creditbank_reader.records import Records
from creditbank_reader.schema import SCALARS, Schema
from creditbank_reader.wire import VARINT, read_fields, read_packed

MAGIC_LEN, CHECKSUM_LEN, LINE_LEN = 4, 32, 16
INSIDE = {
    ("Transcript", "statement"): "SubjectStatement",
    ("BlockHead", "header"): "BlockHeader",
    ("SignedSeal", "seal"): "Seal",
}
"""Fields of bytes that hold a message."""
ENTRIES = {1: "BlockHead", 2: "SignedSeal"}
"""The type byte of a log entry, and what follows it."""
OWN_KIND = ("RegistryEntry", "DisclosedRecord")
"""Messages whose `body` is of the kind that they name."""


class Annotator:
    """Collects the lines."""

    def __init__(self, schema):
        self.schema = schema
        self.kinds = Records(Canonical(schema))
        self.lines = []

    def put(self, at, data, depth, text):
        """One line, and more where the bytes need them."""
        for start in range(0, max(len(data), 1), LINE_LEN):
            part = data[start:start + LINE_LEN]
            label = "  " * depth + text if start == 0 else ""
            self.lines.append(f"{at + start:06x}  {part.hex(' '):<{LINE_LEN * 3 - 1}}  {label}".rstrip())

    def file(self, data):
        """A whole file."""
        self.put(0, data[:MAGIC_LEN], 0, '"CBT" and the format, 1')
        self.message("Transcript", data[MAGIC_LEN:-CHECKSUM_LEN], MAGIC_LEN, 0)
        self.put(len(data) - CHECKSUM_LEN, data[-CHECKSUM_LEN:], 0, "checksum of everything before")
        return "\n".join(self.lines) + "\n"

    def message(self, name, data, at, depth):
        """The fields of a message."""
        kind = 0
        for number, wire, value, raw in read_fields(data):
            item = self.schema.messages[name][number]
            if item.name == "kind":
                kind = value
            inner = self.inner(name, item, kind)
            if wire == VARINT:
                self.put(at, raw, depth, f"{item.name} = {self.shown(item, value)}")
            elif item.repeated and (item.type in SCALARS or item.type in self.schema.enums):
                shown = ", ".join(self.shown(item, one) for one in read_packed(value))
                self.put(at, raw, depth, f"{item.name} = {shown}")
            elif inner is None:
                shown = f' = "{value.decode()}"' if item.type == "string" else ""
                self.put(at, raw, depth, item.name + shown)
            else:
                start = len(raw) - len(value)
                begin = 1 if inner == "entry" else 0
                inner = ENTRIES[value[0]] if begin else inner
                self.put(at, raw[:start], depth, f"{item.name}: {inner}")
                if begin:
                    self.put(at + start, value[:1], depth + 1, "type of the entry")
                self.message(inner, value[begin:], at + start + begin, depth + 1)
            at += len(raw)

    def inner(self, name, item, kind):
        """The message that a field holds, or None."""
        if item.type in self.schema.messages:
            return item.type
        if (name, item.name) == ("ProvedEntry", "entry"):
            return "entry"
        if name in OWN_KIND and item.name == "body":
            return self.kinds.message_name(kind)
        return INSIDE.get((name, item.name))

    def shown(self, item, value):
        """An integer, or the name of an enum's value."""
        names = {number: name for name, number in self.schema.enums.get(item.type, {}).items()}
        return names.get(value, str(value))


def annotate(proto, file=None):
    """The text of a transcript."""
    if file is None:
        file = pathlib.Path(proto) / "vectors/transcripts/whole.cbt"
    return Annotator(Schema.load(proto)).file(pathlib.Path(file).read_bytes())


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.stdout.write(annotate(*sys.argv[1:]))
