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


def main(proto, file, trust_file):
    """The command."""
    canonical = Canonical(Schema.load(proto))
    trust = tomllib.loads(pathlib.Path(trust_file).read_text(encoding="utf-8"))
    try:
        policy = notes.Policy.parse(trust["policy"])
        institutions = frozenset(trust["institutions"]) if "institutions" in trust else None
        held = transcript.Trust(policy, *(bytes.fromhex(trust[name]) for name in transcript.BEGINNING), institutions,
                                former=transcript.read_former(trust.get("former", [])))
        proved = transcript.verify_transcript(canonical, pathlib.Path(file).read_bytes(), held)
    except Refused as error:
        print(f"{file}: not valid: {error}")
        return 1
    kinds = Records(canonical)
    print(f"{file}: authentic; log {proved.origin}, {proved.size} entries, root {proved.root.hex()}")
    for record in proved.records:
        name = kinds.message_name(record.kind)
        print(f"  {record.entry}/{record.index} {name} of institution {record.institution}: {record.standing}")
    print(f"{len(proved.records)} records, {'all are shown' if proved.whole else 'some may be withheld'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 4 else __doc__)
