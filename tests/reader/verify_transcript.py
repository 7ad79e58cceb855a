"""Verifies a transcript with a trust file: python3 verify_transcript.py /path/to/proto FILE.cbt trust.toml

Prints what it proves, one line for each record, and ends with 0; or names the broken link and ends with 1.
"""

import pathlib
import sys
import tomllib

from creditbank_reader import notes, transcript
from creditbank_reader.canonical import Canonical
from creditbank_reader.records import Records
from creditbank_reader.schema import Schema
from creditbank_reader.wire import Refused

ENDED = {None: "stands", transcript.SUPERSEDE: "superseded", transcript.REVOKE: "revoked"}


def verdict(record):
    """What may be said of a record: valid only where nothing speaks against it."""
    if record.hidden:
        return "incomplete"
    if record.ended is not None:
        return ENDED[record.ended]
    return "contested" if record.contested else "valid"


def main(proto, file, trust_file):
    """The command."""
    canonical = Canonical(Schema.load(proto))
    trust = tomllib.loads(pathlib.Path(trust_file).read_text(encoding="utf-8"))
    try:
        policy = notes.Policy.parse(trust["policy"])
        held = transcript.Trust(policy, bytes.fromhex(trust["registry_key"]))
        proved = transcript.verify_transcript(canonical, pathlib.Path(file).read_bytes(), held)
    except Refused as error:
        print(f"{file}: not valid: {error}")
        return 1
    kinds = Records(canonical)
    print(f"{file}: authentic; log {proved.origin}, {proved.size} entries, root {proved.root.hex()}")
    for record in proved.records:
        name = kinds.message_name(record.kind)
        print(f"  {record.entry}/{record.index} {name} of institution {record.institution}: {verdict(record)}")
    print(f"{len(proved.records)} records, {len(proved.withheld)} withheld")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 4 else __doc__)
