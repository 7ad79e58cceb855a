"""Writes the seed corpora from the vectors: python3 tests/fuzz/seeds.py DIRECTORY

Every string of hexadecimal in a vector is a seed, every text is one, and every transcript.
"""

import base64
import hashlib
import io
import json
import pathlib
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = ROOT / "proto" / "vectors"
KINDS = (1, 2, 3, 4, 64, 65, 66, 67, 68, 69, 70)
SEED_LEN_MAX = 20_000


def strings(value):
    """All strings of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def unhex(text):
    """The bytes of hexadecimal, or None."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def workbook(text):
    """A workbook of one sheet with the cells of comma-separated text."""
    rows = "".join("<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in line.split(",")) + "</row>"
                   for line in text.splitlines()[:6])
    main_ns = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    files = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" Type="{office}/officeDocument" '
                       'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main_ns}" xmlns:r="{office}"><sheets><sheet name="A" sheetId="1" '
                           'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" Type="{office}/worksheet" '
                                      'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main_ns}"><sheetData>{rows}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    # Stored, not deflated: the fuzzer then changes the sheet itself.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def main(directory):
    """Writes one directory for each target."""
    seeds = {name: set() for name in ("record", "block", "entry", "note", "cbt", "csv")}
    for path in sorted(VECTORS.rglob("*.json")):
        for text in strings(json.loads(path.read_text(encoding="utf-8"))):
            data = unhex(text)
            if path.stem == "transcripts_refused" and len(text) > 1_000:
                file = base64.b64decode(text)
                seeds["cbt"].update((file, file[4:-32]))
                continue
            if data is None:
                seeds["note"].add(text.encode())
                continue
            if 0 < len(data) <= SEED_LEN_MAX:
                for name in ("block", "entry"):
                    seeds[name].add(data)
                if path.stem in ("records", "canonical", "registry", "refusals"):
                    seeds["record"].update(bytes([pick, 0x55]) + data for pick in range(len(KINDS)))
    data = (VECTORS / "transcript.cbt").read_bytes()
    origin = json.loads((VECTORS / "transcript.json").read_text(encoding="utf-8"))["policy"].split()[1].split("+")[0]
    note = data[data.find(f"{origin}\n".encode()):]
    seeds["note"].add(note[:note.find(b"\n", note.find(b"\n\n") + 2) + 1])
    for path in VECTORS.rglob("*.cbt"):
        seeds["cbt"].update((path.read_bytes(), path.read_bytes()[4:-32]))
    seeds["cbt"].update(bytes([0, at, 1]) for at in range(0, 250, 25))
    lines = (ROOT / "node/creditbank-node/data/oulad/studentInfo.csv").read_bytes()[:1_500]
    template = (ROOT / "client/mappings/template.toml").read_bytes()
    oulad = (ROOT / "client/mappings/oulad.toml").read_bytes()
    crlf = lines.replace(b"\n", b"\r\n")
    seeds["csv"].update((b"\x00" + lines.decode().encode("gb18030"), b"\x00" + lines.decode().encode("utf-16"),
                         b"\x00" + workbook(lines.decode()), b"\x00" + lines, b"\x00" + crlf, b"\x01" + lines, b"\xf0" + oulad + b"\x00" + lines,
                         b"\xf0" + template + b"\x00" + lines, b'\x00"a","b\n"";c'))
    for name, items in seeds.items():
        target = pathlib.Path(directory) / name
        target.mkdir(parents=True, exist_ok=True)
        for item in items:
            (target / hashlib.sha256(item).hexdigest()[:16]).write_bytes(item)
    print(", ".join(f"{name}: {len(items)} seeds" for name, items in seeds.items()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
