"""Checks this second implementation against the vectors: python3 test_vectors.py [/path/to/proto]"""

import base64
import datetime
import json
import os
import pathlib
import random
import sys
from dataclasses import replace
from types import SimpleNamespace

from annotate import annotate
from creditbank_reader import (awards, conversion, courses, currency, dates, deadlines, ledger, mandates, maps, notes, once, qualification, records,
                               refusals, rules, status, suite,
                               tokens, transcript, tree)
from creditbank_reader.canonical import Canonical
from creditbank_reader.grades import Broken
from creditbank_reader.register import Register
from creditbank_reader.satisfiable import is_satisfiable
from creditbank_reader.schema import Schema
from creditbank_reader.wire import Refused, read_fields, write_element, write_field

FILES = ("canonical", "keys", "signatures", "records", "recognition", "registry", "blocks", "seals", "tree", "maps", "marks", "notes",
         "receipts", "course_codes", "refusals", "deadlines", "conversions", "qualifications", "transcript", "effects", "transcripts", "transcripts_refused", "freshness", "successions", "tokens")
FLIPS = 200
PADDING_SEED = 10
FLIP_SEED = 20_261_123
SMALL_ORDER_KEYS = (
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000080",
)
unhex = bytes.fromhex


def trust_of(vectors):
    """The trust that a file of vectors gives."""
    keys = (unhex(vectors[name]) for name in transcript.BEGINNING)
    return transcript.Trust(notes.Policy.parse(vectors["policy"]), *keys)


class Checks:
    """Counts what holds and prints what does not."""

    def __init__(self):
        self.count = 0
        self.failures = 0

    def that(self, label, condition):
        """One check."""
        self.count += 1
        if not condition:
            self.failures += 1
            print(f"  FAILED: {label}")

    def equal(self, label, found, expected):
        """A check that two values are the same; bytes may be compared with hexadecimal."""
        if isinstance(found, bytes):
            found = found.hex()
        self.that(f"{label}: {found!r}, expected {expected!r}", found == expected)

    def refused(self, label, action, *args):
        """A check that an action is refused."""
        try:
            action(*args)
        except Refused:
            self.that(label, True)
        else:
            self.that(f"{label}: accepted", False)


class Vectors:
    """One method for each vector file."""

    def __init__(self, proto):
        self.directory = pathlib.Path(proto) / "vectors"
        self.reader = Canonical(Schema.load(proto))
        self.ledger = ledger.Ledger(self.reader)
        self.kinds = self.ledger.records
        self.checks = Checks()

    def load(self, name):
        """A vector file."""
        return json.loads((self.directory / f"{name}.json").read_text(encoding="utf-8"))

    def run(self):
        """All files; whether nothing failed."""
        for name in FILES:
            count, failures = self.checks.count, self.checks.failures
            getattr(self, name)(self.load(name))
            print(f"{name}: {self.checks.count - count} checks, {self.checks.failures - failures} failures")
        self.annotated()
        print(f"{self.checks.count} checks, {self.checks.failures} failures")
        return not self.checks.failures

    def annotated(self):
        """The transcript that is written down byte by byte; CREDITBANK_WRITE_VECTORS writes it anew."""
        path, text = self.directory / "transcript.annotated.txt", annotate(self.directory.parent)
        if "CREDITBANK_WRITE_VECTORS" in os.environ:
            path.write_text(text, encoding="utf-8")
        same = path.exists() and path.read_text(encoding="utf-8") == text
        self.checks.that("transcript.annotated.txt is not what annotate.py writes", same)

    def canonical(self, vectors):
        """Section 2."""
        for case in vectors["accepted"]:
            try:
                self.reader.read(case["message"], unhex(case["bytes"]))
                self.checks.that("accepted", True)
            except Refused as error:
                self.checks.that(f"{case['message']} {case['bytes']} is refused: {error}", False)
        for case in vectors["refused"]:
            label = f"{case['message']}, {case['rule']}"
            self.checks.refused(label, self.reader.read, case["message"], unhex(case["bytes"]))

    def keys(self, vectors):
        """Section 3."""
        check = self.checks
        for case in vectors["keys"]:
            key = suite.public_key(unhex(case["seed"]))
            check.equal("public key", key, case["public_key"])
            check.equal("preimage", suite.key_id_preimage(key), case["preimage"])
            check.equal("key id", suite.key_id(key), case["key_id"])
        case = vectors["possession"]
        key = suite.public_key(unhex(case["seed"]))
        message = suite.possession_message(case["origin"], case["institution"], case["unit"], case["suite"],
                                           case["purpose"], key)
        check.equal("possession", message, case["message"])
        check.equal("possession", suite.sign(unhex(case["seed"]), message), case["signature"])
        check.that("possession holds", suite.verify(key, message, unhex(case["signature"])))
        case = vectors["genesis"]
        found = suite.genesis_preimage(case["origin"], *(unhex(case[name]) for name in transcript.BEGINNING))
        check.equal("genesis", found, case["preimage"])
        check.equal("genesis", suite.sha256(found), case["value"])
        case = vectors["succession"]
        said = self.kinds.read(ledger.KIND_REGISTRY_SUCCESSION, 1, unhex(case["body"]))
        message = suite.succession_message(vectors["genesis"]["origin"], unhex(case["before"]), said)
        check.equal("commitment", suite.commitment(said.public_key), case["commitment"])
        check.equal("succession", message, case["message"])
        check.that("succession", suite.verify(said.public_key, message, said.signature))
        case = vectors["log_succession"]
        said = self.kinds.read(ledger.KIND_LOG_SUCCESSION, 1, unhex(case["body"]))
        message = suite.log_succession_message(said)
        check.equal("log succession", message, case["message"])
        check.that("log succession", suite.verify(unhex(case["log_key"]), message, said.signature))
        former = suite.public_key(unhex(case["former_seed"]))
        check.that("log succession, the old key", suite.verify(former, message, said.former_signature))
        case = vectors["log_handover"]
        message = suite.log_handover_message(case["origin"], unhex(case["log_key"]), case["from_index"])
        check.equal("log handover", message, case["message"])
        check.that("log handover", suite.verify(suite.public_key(unhex(case["seed"])), message, unhex(case["signature"])))
        for key in (*vectors["refused_public_keys"], *SMALL_ORDER_KEYS):
            check.that(f"refused key {key}", not suite.is_strict_point(unhex(key)))

    def _disclosed_bytes(self, kind, claims):
        data = write_field(2, kind) + write_field(3, records.VERSION)
        for claim in claims:
            parts = (unhex(claim[name]) for name in ("hash", "salt", "value"))
            fields = b"".join(write_field(number, part) for number, part in enumerate(parts, 1))
            data += write_element(6, fields)
        return data

    def _disclosed(self, kind, claims):
        record = self.reader.read("DisclosedRecord", self._disclosed_bytes(kind, claims))
        return self.kinds.disclosed(record)

    def records(self, vectors):
        """Section 4."""
        check = self.checks
        for case in vectors["records"]:
            kind, seed, body = case["kind"], unhex(case["seed"]), unhex(case["body"])
            check.equal("name", self.kinds.message_name(kind), case["name"])
            if kind >= records.REGISTRY_KIND_MIN:
                check.equal("seed", records.PUBLIC_SEED, case["seed"])
            found = self.kinds.claims(kind, case["version"], seed, body)
            check.equal("number of claims", len(found), len(case["claims"]))
            for (number, salt, value, digest), claim in zip(found, case["claims"]):
                check.equal("claim number", number, claim["number"])
                check.equal("salt", salt, claim["salt"])
                check.equal("value", value, claim["value"])
                check.equal("claim", digest, claim["hash"])
            found = self.kinds.hash(kind, case["version"], seed, body)
            check.equal("record hash", found, case["record_hash"])
            whole = write_field(2, kind) + write_field(3, 1) + write_field(4, seed) + write_field(5, body)
            opened = self.kinds.disclosed(self.reader.read("DisclosedRecord", whole))
            check.equal("whole record", opened[0], case["record_hash"])
        refused = vectors["refused"]
        check.refused("zero seed", lambda: self.kinds.hash(
            refused["kind"], 1, unhex(refused["seed"]), unhex(refused["body"])))
        first, part = vectors["records"][0], vectors["disclosed"]
        made = []
        for claim in first["claims"]:
            if claim["number"] in part["opened"]:
                made.append({"hash": "", "salt": claim["salt"], "value": claim["value"]})
            else:
                made.append({"hash": claim["hash"], "salt": "", "value": ""})
        check.equal("disclosed", made, part["claims"])
        found, opened, hidden = self._disclosed(first["kind"], part["claims"])
        check.equal("disclosed hash", found, part["record_hash"])
        check.equal("hidden required fields", hidden, [])
        check.equal("opened unit", opened.amount.unit, "ECTS")
        check.equal("opened required fields", tuple(part["opened"]), records.REQUIRED[first["kind"]])
        blank = {"hash": "", "salt": "", "value": ""}
        hide = {**blank, "hash": first["claims"][2]["hash"]}
        both = {**made[2], "hash": hide["hash"]}
        check.equal("incomplete", self._disclosed(3, [*made[:2], hide, *made[3:]])[2], [3])
        check.refused("a claim without anything", self._disclosed, 3, [blank, *made[1:]])
        check.refused("hidden and opened", self._disclosed, 3, [*made[:2], both, *made[3:]])
        check.refused("too few claims", self._disclosed, 3, made[:-1])
        swapped = {**made[2], "value": first["claims"][3]["value"]}
        check.refused("another field", self._disclosed, 3, [*made[:2], swapped, *made[3:]])

    def recognition(self, vectors):
        """Sections 4 and 9: kinds, mandates, joint awards, terms, what institutions publish."""
        check, origin = self.checks, vectors["origin"]
        for case in vectors["kinds"]:
            kind = case["kind"]
            check.equal("kind", self.kinds.message_name(kind), case["name"])
            check.equal("fields", len(self.kinds.numbers(kind)), case["fields"])
            check.equal("public", records.is_public(kind), case["public"])
            check.equal("of the operator", kind >= records.REGISTRY_KIND_MIN, case["operator"])
            check.equal("required", list(records.REQUIRED.get(kind, ())), case["required"])
        check.equal("kinds", sorted(self.kinds.names), [case["kind"] for case in vectors["kinds"]])
        for case in vectors["mandates"]:
            kind, institution, body = case["kind"], case["institution"], unhex(case["body"])
            core = mandates.core(self.kinds, kind, body)
            check.equal("core", core, case["core"])
            number = self.reader.by_name[self.kinds.message_name(kind)]["mandate"].number
            _, _, bare, _ = next(read_fields(self.kinds.read(kind, 1, body).raw[number]))
            check.equal("mandate", bare, case["mandate"])
            mandate = self.reader.read("Mandate", bare)
            check.equal("message", mandates.mandate_message(origin, institution, kind, core, mandate), case["message"])
            digest = mandates.mandate_digest(origin, institution, kind, core, mandate)
            check.equal("digest", digest, case["digest"])
            found = mandates.consents(self.kinds, origin, institution, kind, body)
            check.that("consents", [one.hex() for one in found] == case["consents"])
            check.that("the mandate holds", mandates.holds(self.kinds, origin, institution, kind, body))
            check.that("elsewhere", not mandates.holds(self.kinds, origin, institution + 1, kind, body))
        case = vectors["paper"]
        paper = self.reader.read("Mandate", unhex(case["mandate"]))
        for act in case["digests"]:
            digest = mandates.mandate_digest(origin, case["institution"], act["kind"], b"", paper)
            check.equal("paper", digest, act["digest"])
            check.that("its act", act["kind"] in paper.acts)
        case = vectors["legal_basis"]
        mandate = self.reader.read("Mandate", unhex(case["mandate"]))
        digest = mandates.mandate_digest(origin, case["institution"], case["kind"], unhex(case["core"]), mandate)
        check.equal("legal basis", digest, case["digest"])
        case = vectors["joint"]
        core = mandates.core(self.kinds, mandates.KIND_AWARD, unhex(case["body"]))
        check.equal("core of the award", core, case["core"])
        found = mandates.consents(self.kinds, origin, case["institution"], mandates.KIND_AWARD, unhex(case["body"]))
        check.that("consents of the award", [one.hex() for one in found] == case["consents"])
        cosignature = SimpleNamespace(institution=case["cosigns"], until_minute=case["until_minute"], salt=unhex(case["salt"]))
        message = mandates.joint_message(origin, case["institution"], core, cosignature)
        check.equal("joint award", message, case["message"])
        check.that("it is signed", suite.verify(unhex(case["public_key"]), message, unhex(case["signature"])))
        terms = unhex(vectors["terms"]["bytes"])
        self.reader.read("AgreementTerms", terms)
        check.equal("terms", mandates.terms_digest(terms), vectors["terms"]["digest"])
        self.registry(vectors)

    def registry(self, vectors):
        """Section 9."""
        for case in vectors["entries"]:
            kind, body = case["kind"], unhex(case["body"])
            place = write_field(1, 4) + write_field(2, 1)
            data = write_field(1, kind) + write_field(2, 1) + write_field(3, body) + write_field(4, place)
            self.checks.equal("entry", data, case["entry"])
            key, _ = self.ledger.read_registry(self.reader.read("RegistryEntry", data))
            self.checks.equal("registry key", key, case["registry_key"])
            self.checks.equal("registry value", ledger.registry_value(data), case["value"])

    def blocks(self, vectors):
        """Sections 5 and 8."""
        check, key = self.checks, unhex(vectors["public_key"])
        data = unhex(vectors["entry"])
        block = self.reader.read("Block", unhex(vectors["block"]))
        head = b"".join(block.raw[number] for number in sorted(block.raw) if number != 3)
        check.equal("entry", b"\x01" + head, vectors["entry"])
        public = unhex(vectors["public_entry"])
        check.equal("public entry", b"\x03" + block.public_part, vectors["public_entry"])
        entry = self.ledger.read_head(data)
        public_part = self.ledger.read_public(public, entry.header)
        header = entry.header
        found = ledger.records_root([unhex(item) for item in vectors["record_hashes"]])
        check.equal("records root", found, vectors["records_root"])
        check.equal("records root of the header", header.records_root, vectors["records_root"])
        check.equal("count", header.count, len(vectors["record_hashes"]))
        check.equal("key id", suite.key_id(key), header.key_id.hex())
        check.equal("public root", header.public_root, vectors["public_root"])
        check.equal("pieces", header.public_count, vectors["public_count"])
        sliced = vectors["pieces"]
        pieces = ledger.pieces(self.reader.read("PublicPart", unhex(sliced["public_part"])))
        check.equal("pieces of effects", [piece.hex() for piece in pieces], sliced["pieces"])
        check.equal("number of pieces of effects", len(pieces), sliced["public_count"])
        check.equal("root of pieces of effects", tree.root([tree.leaf_hash(piece) for piece in pieces]),
                    sliced["public_root"])
        check.equal("header id", ledger.header_id(entry.header_bytes), vectors["header_id"])
        message = ledger.block_message(entry.header_bytes)
        check.equal("signed message", message, vectors["signed_message"])
        check.that("the block's signature", suite.verify(key, message, entry.signature))
        check.that("of another message", not suite.verify(key, message + b"\x00", entry.signature))
        check.equal("leaf hash", entry.leaf, vectors["leaf_hash"])
        alone, part = (unhex(entry) for entry in vectors["effects_alone"]["entries"])
        alone = self.ledger.read_head(alone)
        part = self.ledger.read_public(part, alone.header)
        check.equal("a block of effects alone", (alone.header.count, len(part.groups)), (0, 1))
        case = vectors["status_id"]
        found = status.status_id(unhex(case["entry_leaf"]), case["index"], unhex(case["record_hash"]))
        check.equal("status id", found, case["value"])
        effect = public_part.groups[0].effects[0]
        check.equal("status id of the effect", effect.status_id, case["value"])
        case = vectors["approval"]
        approval = SimpleNamespace(until_minute=case["until_minute"], salt=unhex(case["salt"]))
        message = ledger.approval_message(header, approval)
        check.equal("digest of the approval", suite.sha256(message), case["digest"])
        check.equal("approval", message, case["message"])
        check.that("approval", suite.verify(unhex(case["public_key"]), message, unhex(case["signature"])))

    def seals(self, vectors):
        """Section 10."""
        check, log_key = self.checks, unhex(vectors["log_key"])
        previous = None
        for case in vectors["seals"]:
            entry = self.ledger.read_seal(unhex(case["entry"]))
            if previous is None:
                previous = suite.sha256(suite.genesis_preimage(
                    entry.seal.origin, *(unhex(vectors[name]) for name in transcript.BEGINNING)))
            check.equal("previous", entry.seal.previous, previous.hex())
            check.equal("leaf hash", entry.leaf, case["leaf_hash"])
            previous = ledger.seal_id(entry.seal_bytes)
            check.equal("seal id", previous, case["seal_id"])
            message = ledger.seal_message(entry.seal_bytes)
            check.that("the seal's signature", suite.verify(log_key, message, entry.signature))
        for case in vectors["refused"]:
            check.refused(f"seal: {case['about']}", self._seal, unhex(case["entry"]), log_key)

    def _seal(self, data, log_key):
        entry = self.ledger.read_seal(data)
        if not suite.verify(log_key, ledger.seal_message(entry.seal_bytes), entry.signature):
            raise Refused("the log key did not sign the seal")

    def signatures(self, vectors):
        """Section 1."""
        for verdict in (True, False):
            for case in vectors["held" if verdict else "refused"]:
                parts = (unhex(case[name]) for name in ("public_key", "message", "signature"))
                self.checks.equal(f"signature: {case['about']}", suite.verify(*parts), verdict)

    def receipts(self, vectors):
        """Section 12."""
        policy = notes.Policy.parse(vectors["policy"])
        for name in ("receipt", "of_seal"):
            self._receipt(vectors[name], policy)
            self.checks.that(name, True)
        self.checks.that("bytes", self.reader.read("Receipt", unhex(vectors["bytes"])).index == 1)
        for case in vectors["refused"]:
            self.checks.refused(f"receipt: {case['about']}", self._receipt, case["receipt"], policy)

    def _receipt(self, case, policy):
        inclusion = [unhex(item) for item in case["inclusion"]]
        receipt = (unhex(case["entry"]), case["index"], inclusion, case["checkpoint"].encode())
        return self.ledger.read_receipt(receipt, policy)

    def refusals(self, vectors):
        """Section 15: of form and place whole; of the rules that the block is of the right form and the name in the table, and
        of cases, conversions, awards and effects on records that are shown the rules themselves."""
        check = self.checks
        table = refusals.names((self.directory.parent / "RULES.md").read_text(encoding="utf-8"))
        form = self._judge(vectors, {})
        institutions = {self.reader.read("Institution", unhex(entry["body"])).number
                        for entry in vectors["registry"] if entry["kind"] == ledger.KIND_INSTITUTION}
        for case in vectors["form"]:
            data = unhex(case["block"]) + bytes(case.get("zeros", 0))
            if "chain" in case:
                found = form.place(data, case["chain"], vectors["sealed_at_ms"] // 60_000, institutions)
            else:
                found = form.form(data, beside(case), len(case.get("places", [])))
            check.equal(f"form: {case['about']}", found, case["name"])
            check.that(f"{case['name']} is in the table", case["name"] in table)
        for case in [*vectors["rules"], *vectors["admitted"]]:
            judge = self._judge(vectors, case)
            found = judge.form(unhex(case["block"]), beside(case), len(case["places"]))
            early = {"UNKNOWN_KEY", "NOT_AN_APPROVER"} & {case["name"]} or {None}
            check.that(f"rules: {case['about']}: {found}", found in {None, *early})
            check.that(f"{case['name']} is in the table", case["name"] is None or case["name"] in table)
            self._once(vectors, case)
        self._rules(vectors)
        self._fields(vectors)

    def _once(self, vectors, case):
        block = self.reader.read("Block", unhex(case["block"]))
        if not block.approvals:
            return
        header = self.reader.read("BlockHeader", block.header)
        used = [unhex(digest) for digest in case["used"]]
        found = once.judge_approval(header, block.approvals[0], used, vectors["sealed_at_ms"])
        expected = case["name"] if case["name"] in ("APPROVAL_EXPIRED", "APPROVAL_USED") else None
        self.checks.equal(f"once: {case['about']}", found, expected)

    def _rules(self, vectors):
        judged = 0
        for case in [*vectors["rules"], *vectors["admitted"]]:
            block = self.reader.read("Block", unhex(case["block"]))
            public = self.reader.read("PublicPart", block.public_part)
            if public.records or not (case["records"] or public.groups) \
                    or any(record["kind"] not in rules.JUDGED_KINDS for record in case["records"]) \
                    or any("record" not in held for held in case["held"]):
                continue
            scene = rules.Scene(self.kinds, self._register(vectors, case), vectors, case)
            header = self.reader.read("BlockHeader", block.header)
            beside_it = [(record["kind"], unhex(record["body"])) for record in case["records"]]
            try:
                places = [(place["entry"], place["index"]) for place in case["places"]]
                scene.judge(header, block.approvals, public.groups, beside_it, places)
                found = None
            except Broken as rule:
                found = str(rule)
            self.checks.equal(f"rules: {case['about']}", found, case["name"])
            judged += 1
        self.checks.that(f"{judged} blocks were judged", judged >= 250)

    def _fields(self, vectors):
        """Of all records the texts, the dates of those that have happened, and courses that count once."""
        judged = 0
        for case in [*vectors["rules"], *vectors["admitted"]]:
            block = self.reader.read("Block", unhex(case["block"]))
            header, public = self.reader.read("BlockHeader", block.header), self.reader.read("PublicPart", block.public_part)
            beside_it = [(record["kind"], unhex(record["body"])) for record in case["records"]]
            shown = [*((record.kind, record.body) for record in public.records), *beside_it]
            if case["name"] not in ("RECORD_MALFORMED", "WRONG_PART"):
                found, name = rules.texts(self.kinds, shown), case["name"]
                of_language = name == "INVALID_CODE" and "in a language" in f"in {case['about']}"
                expected = name if name in ("INVALID_TEXT", "INVALID_COURSE_CODE") or of_language else None
                self.checks.equal(f"texts: {case['about']}", found, expected)
            if not {kind for kind, _ in beside_it} <= {1, 2, 3, 4} or public.records or not beside_it:
                continue
            plausible = rules.dates(self.kinds, header.created_at_minute, beside_it)
            self.checks.equal(f"dates: {case['about']}", plausible, case["name"] != "IMPLAUSIBLE_DATE")
            hidden = rules.is_hidden_again(self.kinds, header.created_at_minute, case["held"], beside_it)
            self.checks.equal(f"embargoes: {case['about']}", hidden,
                              case["name"] == "CONTRADICTION" and case["field"] == "visible_from")
            credits = all(kind == 3 for kind, _ in beside_it)
            if case["about"] in self.REPEATS or credits and case["name"] == "TOO_MANY_REPEATS":
                register = self._register(vectors, case)
                found = rules.is_repeated(register, self.kinds, case["held"], beside_it)
                self.checks.equal(f"repeats: {case['about']}", found, case["name"] == "TOO_MANY_REPEATS")
                judged += 1
        self.checks.that(f"{judged} courses were looked for", judged >= 15)

    REPEATS = ("an amendment of one of two credits that an alias has made one course",
               "an amendment under the code of the other one", "another code without an alias", "a code that was an alias", "a code that is an alias of another course now",
               "an alias of another institution", "small letters, where case matters", "letters of full width")

    def course_codes(self, vectors):
        """Section 15: keys, near keys, what is no code and no text."""
        for case in vectors["codes"]:
            code = case["code"]
            found = {"code": code, "key": courses.key(code), "exact": courses.exact(code), "near": courses.near(code)}
            self.checks.equal(f"course code {code!r}", found, case)
            self.checks.that(f"{code!r} is a code", courses.is_code(code))
        self.checks.that("long codes are codes", all(courses.is_code(code) for code in vectors["longest"]))
        for case in vectors["refused"]:
            self.checks.that(f"{case['code']!r} is no code", not courses.is_code(case["code"]))
        for case in vectors["prefixes"]:
            self.checks.equal(f"prefix {case['prefix']!r}", courses.is_code(case["prefix"], True), case["holds"])
        for case in vectors["texts"]:
            found = {"text": case["text"], "line": courses.is_text(case["text"], False), "prose": courses.is_text(case["text"], True)}
            self.checks.equal(f"text {case['text']!r}", found, case)

    def _register(self, vectors, case):
        entries = [*vectors["registry"], *case.get("registry", [])]
        return Register(self.kinds, [(entry["kind"], unhex(entry["body"]), entry.get("sealed_at_ms", 0))
                                     for entry in entries])

    def deadlines(self, vectors):
        """Section 15: terms of laws, notices, and when a decision is due."""
        def day(text):
            return None if text is None else datetime.date.fromisoformat(text)

        for case in vectors["ends"]:
            law = self.kinds.read(72, 1, unhex(case["law"]))
            found = deadlines.end_of(SimpleNamespace(amount=case["amount"], unit=case["unit"]), day(case["start"]), law)
            self.checks.equal(f"deadline: {case['about']}", found, day(case["end"]))
        for case in vectors["notices"]:
            law = self.kinds.read(72, 1, unhex(case["law"]))
            found = deadlines.counts_as_notified(law, case["channel"], day(case["notified"]), day(case["arrived"]))
            self.checks.equal(f"notice: {case['about']}", found, day(case["counts"]))
        for case in vectors["dues"]:
            law = self.kinds.read(72, 1, unhex(case["law"]))
            term = law.decision if law.has("decision") else None
            clock = deadlines.Clock(law, term, day(case["received"]), law.decision_from == deadlines.COMPLETE_DOCUMENTS)
            for step in case["steps"]:
                if step["type"] == rules.MISSING:
                    clock.stop(day(step["decided"]))
                elif step["type"] == rules.RECEIVED:
                    clock.go_on(day(step["decided"]))
                else:
                    clock.put_off(day(step["put_off_until"]))
            self.checks.equal(f"due: {case['about']}", clock.due(), day(case["due"]))

    def conversions(self, vectors):
        """Section 17: every conversion is computed again from its sources."""
        for case in vectors["cases"]:
            found, expected = self._conversion(vectors, case)
            self.checks.equal(f"conversion: {case['about']}", found, expected)

    def _conversion(self, vectors, case):
        said = self.kinds.read(12, 1, unhex(case["conversion"]))
        account = conversion.Account()
        for body in case["earlier"]:
            account.add(self.kinds.read(12, 1, unhex(body)))
        try:
            sources = [conversion.read_source(self.kinds, source) for source in case["sources"]]
            found = conversion.convert(self._register(vectors, case), case["receiver"], sources, account, said)
        except Broken as rule:
            return str(rule), case["refused"]
        shown = conversion.plain(said)
        return found, {name: shown[name] for name in ("sources", "results", "amount_steps") if name in shown}

    def qualifications(self, vectors):
        """Section 18: every award is judged again, and every definition."""
        for case in vectors["cases"]:
            found, expected = self._award(vectors, case)
            self.checks.equal(f"award: {case['about']}", found, expected)
        register = self._register(vectors, {})
        for at, case in enumerate(vectors["definitions"]):
            definition = self.kinds.read(ledger.KIND_DEFINITION, 1, unhex(case["body"]))
            own = self._register(vectors, case) if "registry" in case else register
            found = None if is_satisfiable(own, definition) else "UNSATISFIABLE"
            self.checks.equal(f"definition {at}", found, case["refused"])

    def _award(self, vectors, case):
        award = self.kinds.read(mandates.KIND_AWARD, 1, unhex(case["award"]))
        register, name = self._register(vectors, case), award.definition
        definition = register.get(ledger.KIND_DEFINITION, name.institution, name.code, name.version)
        found = [one for record in case["records"] if record["kind"] != awards.KIND_ENROLMENT
                 for one in qualification.candidates(register, self.kinds, definition, record)]
        held = [(one["institution"], one["code"], one["version"], datetime.date(*one["conferred"])) for one in case["held"]]
        said = (award.average_e4.numerator, award.average_e4.denominator) if award.has("average_e4") else None
        bodies = {(one["entry"], one["index"]): self.kinds.read(one["kind"], 1, unhex(one["body"])) for one in case["records"]}
        enrolments = [bodies[one.place.entry, one.place.index] for one in award.enrolments]
        credits = {(one["entry"], one["index"]): one["institution"] for one in case["records"] if one["kind"] == 3}

        def of_credit(place):
            if place not in credits:
                return None
            return register.course(credits[place], bodies[place].course.code), bodies[place].repeats_max

        qualification.mark_repeats(found, of_credit)
        try:
            audit = qualification.Audit(register, definition, found, held, award, enrolments)
            qualification.in_force(register, definition, 1, audit.day, enrolments)
            holds, mean = audit.check()
        except Broken as rule:
            return str(rule), case["refused"]
        mean = None if mean is None else (mean.numerator, mean.denominator)
        return (holds, mean), (case["holds"], said)

    def _judge(self, vectors, case):
        keys = {}
        for entry in [*vectors["registry"], *case.get("registry", [])]:
            body = self.kinds.read(entry["kind"], 1, unhex(entry["body"]))
            if entry["kind"] == ledger.KIND_KEY:
                keys[suite.key_id(body.public_key)] = body
        return refusals.Judge(self.reader, vectors["origin"], keys)

    def transcripts(self, vectors):
        """Section 13: what is found in each."""
        trust = trust_of(vectors)
        for case in vectors["transcripts"]:
            try:
                data = (self.directory / case["file"]).read_bytes()
                proved = transcript.verify_transcript(self.reader, data, trust, vectors["now_ms"])
            except Refused as error:
                self.checks.that(f"{case['file']} is refused: {error}", False)
                continue
            self.checks.equal(case["file"], self._found(proved), {
                name: case[name] for name in ("size", "root", "as_of_ms", "records", "whole", "complete_for", "visible_on", "holder_key", "identity", "reliance")})
        for case in vectors["narrow"]:
            narrow = replace(trust, institutions=frozenset(case["institutions"]))
            proved = transcript.verify_transcript(self.reader, (self.directory / case["file"]).read_bytes(), narrow,
                                                  vectors["now_ms"])
            self.checks.equal(f"{case['file']}, trusting {case['institutions']}",
                              [record.standing for record in proved.records], case["standings"])

    def _found(self, proved):
        statement = proved.statement
        found = []
        for record in proved.records:
            fields = self.reader.schema.messages[self.kinds.message_name(record.kind)]
            hidden = fields[record.hidden[0]].name if record.hidden else None
            found.append({
                "entry": record.entry, "index": record.index, "institution": record.institution,
                "record_hash": record.record_hash.hex(), "status_id": record.status_id.hex(),
                "contested": record.contested, "confirmed": record.confirmed,
                "on_behalf_of": record.owner if record.owner != record.institution else None, "kept_by": record.kept_by,
                "approved_by": [key.hex() for key in record.approved_by],
                "accreditation": record.accreditation, "ended": record.ended, "expired": record.expired, "embargoed": record.embargoed, "incomplete": hidden, "standing": record.standing})
        identity = statement.identity
        return {"size": proved.size, "root": proved.root.hex(), "as_of_ms": proved.statement_as_of_ms, "records": found, "whole": proved.whole,
                "complete_for": statement.institution or None, "visible_on": str(dates.first(statement.visible_on)), "holder_key": statement.holder_key.hex() or None,
                "identity": [identity.entry, identity.index] if statement.has("identity") else None, "reliance": proved.reliance}

    def transcripts_refused(self, vectors):
        """Section 13: which link is broken first."""
        trust = trust_of(vectors)
        for case in vectors["refused"]:
            label = f"transcript: {case['about']}"
            self._refused(label, base64.b64decode(case["file"]), trust, case["link"])

    def successions(self, vectors):
        """Section 10, Succession of the log."""
        def held(case):
            former = transcript.read_former(case["trust"]["former"])
            return replace(trust_of({**vectors, "policy": case["trust"]["policy"]}), former=former)
        for case in vectors["hold"]:
            try:
                proved = transcript.verify_transcript(self.reader, unhex(case["file"]), held(case), vectors["now_ms"])
            except Refused as error:
                self.checks.that(f"succession: {case['about']} is refused: {error}", False)
                continue
            self.checks.equal(f"succession: {case['about']}", [proved.origin, proved.size, [one.entry for one in proved.records], proved.currency.state],
                              [case["origin"], case["size"], case["entries"], case["current"]])
        for case in vectors["former_refused"]:
            try:
                transcript.read_former(case["former"])
                found = True
            except Refused:
                found = False
            self.checks.equal(f"former origins: {case['about']}", found, False)
        for case in vectors["refused"]:
            self._refused(f"succession: {case['about']}", unhex(case["file"]), held(case), case["link"])

    def freshness(self, vectors):
        """Section 13, Age and Reliance."""
        for case in vectors["cases"]:
            bounds = currency.Freshness(case["current_within_ms"], case["stale_after_ms"])
            trusted = frozenset(case["institutions"]) if "institutions" in case else None
            trust = replace(trust_of({**vectors, **case}), institutions=trusted, freshness=bounds)
            proved = transcript.verify_transcript(self.reader, unhex(case["transcript"]), trust, case["now_ms"])
            found = {"as_of_ms": proved.currency.as_of_ms, "age_ms": proved.currency.age_ms,
                     "by_witnesses": proved.currency.by_witnesses, "current": proved.currency.state, "reliance": proved.reliance}
            self.checks.equal(case["name"], found, {name: case[name] for name in found})

    def tokens(self, vectors):
        """Section 14."""
        key = suite.public_key(unhex(vectors["seed"]))
        for case in vectors["cases"]:
            try:
                tokens.check(case["token"], vectors["origin"], key, case["now_s"])
                found = True
            except Refused:
                found = False
            self.checks.equal(f"token: {case['about']}", found, case["accepted"])

    def tree(self, vectors):
        """Section 6."""
        check = self.checks
        leaves = [tree.leaf_hash(bytes([number] * 3)) for number in range(len(vectors["leaf_hashes"]))]
        check.equal("leaf hashes", [leaf.hex() for leaf in leaves], vectors["leaf_hashes"])
        roots = [tree.root(leaves[:size]) for size in range(len(leaves) + 1)]
        check.equal("roots", [item.hex() for item in roots], vectors["roots_by_size"])
        for case in vectors["inclusion"]:
            index, size = case["index"], case["size"]
            hashes = tree.inclusion(leaves[:size], index)
            check.equal("inclusion", [item.hex() for item in hashes], case["hashes"])
            check.that("inclusion", tree.verify_inclusion(leaves[index], index, size, hashes, roots[size]))
            longer = [*hashes, bytes(32)]
            check.that("longer", not tree.verify_inclusion(leaves[index], index, size, longer, roots[size]))
            check.that("beyond", not tree.verify_inclusion(leaves[index], size, size, hashes, roots[size]))
        for case in vectors["consistency"]:
            old, new = case["old"], case["new"]
            hashes = tree.consistency(leaves[:new], old)
            check.equal("consistency", [item.hex() for item in hashes], case["hashes"])
            check.that("consistency", tree.verify_consistency(old, new, hashes, roots[old], roots[new]))
            check.that("inconsistent", not tree.verify_consistency(old, new, hashes, bytes(32), roots[new]))

    def maps(self, vectors):
        """Section 7."""
        for which in (maps.STATUS, maps.REGISTRY):
            self._map(which, vectors[which])

    def _map(self, which, vectors):
        check = self.checks
        leaves = [(unhex(leaf["key"]), unhex(leaf["value"])) for leaf in vectors["leaves"]]
        for count, expected in enumerate(vectors["roots"]):
            check.equal("root", maps.root(which, leaves[:count]), expected)
        root = unhex(vectors["roots"][-1])
        for case in vectors["proofs"]:
            key = unhex(case["key"])
            siblings, end = maps.prove(which, leaves, key)
            check.equal("siblings", [item.hex() for item in siblings], case["siblings"])
            terminal = case["terminal"]
            check.equal("end", end and [part.hex() for part in end], terminal)
            held = dict(leaves).get(key)
            check.equal("proves", held.hex() if held else "absent", case["proves"])
            check.equal("root of the proof", maps.root_of_proof(which, key, siblings, end), root.hex())
            if held:
                maps.verify_presence(which, root, key, held, siblings)
                check.refused("absence", maps.verify_absence, which, root, key, siblings, end)
                check.refused("another value", maps.verify_presence, which, root, key, bytes(32), siblings)
            else:
                maps.verify_absence(which, root, key, siblings, end)
                check.refused("presence", maps.verify_presence, which, root, key, bytes(32), siblings)
            longer = [*siblings, bytes(32)]
            check.refused("an empty last sibling", maps.root_of_proof, which, key, longer, end)
        for beside in (b"\x80" * 31 + b"\x81", b"\x00" * 31 + b"\x01"):
            siblings, end = maps.prove(which, leaves, beside)
            check.that("ends in another leaf", end is not None and end[0] != beside)
            maps.verify_absence(which, root, beside, siblings, end)
        self._refused_proofs(which, root, vectors)
        alone = maps.root(which, leaves[:1])
        check.equal("a map of one leaf", alone, vectors["single"]["root"])
        maps.verify_absence(which, alone, bytes([0xFF] * 32), [], leaves[0])
        off = (bytes([0x80 ^ leaves[0][0][0]]) + leaves[0][0][1:], bytes(32))
        check.refused("off the path", maps.root_of_proof, which, leaves[0][0], [bytes([1] * 32)], off)

    def _refused_proofs(self, which, root, vectors):
        whole = {case["key"]: case["siblings"] for case in vectors["proofs"]}
        for case in vectors["refused"]:
            siblings = case["siblings"]
            if siblings[:1] == ["..."]:
                siblings = whole[case["key"]] + siblings[1:]
            terminal = case["terminal"] and tuple(map(unhex, case["terminal"]))
            label = f"map proof: {case['about']}"
            self.checks.refused(label, maps.verify, which, root, unhex(case["key"]), list(map(unhex, siblings)), terminal)

    def marks(self, vectors):
        """Section 8."""
        check = self.checks
        check.equal("marks", status.NAMES, {mark["number"]: mark["name"] for mark in vectors["marks"]})
        case = vectors["spelling"]
        marks = {status.DISPUTED: case["disputed_at"], status.REDEEMED: case["redeemed_at"]}
        check.equal("spelling", status.spell(marks), case["bytes"])
        check.equal("value", status.value_hash(marks), case["value"])
        for case in vectors["transitions"]:
            before = status.unspell(unhex(case["before"]))
            after = status.apply(before, case["action"], case["index"], case["redemption"], case["contested"])
            found = None if after is None else status.spell(after).hex()
            check.equal(f"action {case['action']} on {case['before']}", found, case["after"])
        for case in vectors["malformed"]:
            check.refused(f"marks: {case['about']}", status.unspell, unhex(case["bytes"]))

    def notes(self, vectors):
        """Section 11."""
        check = self.checks
        name, log_seed = vectors["log"]["vkey"].split("+")[0], unhex(vectors["log"]["seed"])
        log = notes.NoteKey(name, notes.LOG_TYPE, suite.public_key(log_seed))
        check.equal("vkey of the log", log.vkey, vectors["log"]["vkey"])
        case = vectors["witness"]
        witness_name, witness_seed = case["vkey"].split("+")[0], unhex(case["seed"])
        witness = notes.NoteKey(witness_name, notes.COSIGNATURE_TYPE, suite.public_key(witness_seed))
        check.equal("vkey of the witness", witness.vkey, case["vkey"])
        for key in (log, witness):
            check.equal("parsed vkey", notes.NoteKey.parse(key.vkey), key)
        case = vectors["checkpoint"]
        checkpoint = notes.Checkpoint(name, case["size"], unhex(case["root"]))
        check.equal("checkpoint", checkpoint.text, case["text"])
        signed = notes.sign_note(name, log_seed, checkpoint.text)
        check.equal("signed note", signed, vectors["signed"])
        cosigned = notes.cosign_note(witness_name, witness_seed, signed, vectors["witness"]["time"])
        check.equal("cosigned note", cosigned, vectors["cosigned"])
        policy = notes.Policy.parse(vectors["policy"])
        check.equal("policy", policy.accept(cosigned.encode())[:2], (checkpoint, log.key))
        check.refused("without the witness", policy.accept, signed.encode())
        alone = notes.Policy.parse(f"log {log.vkey}\nquorum none\n")
        check.equal("policy without witnesses", alone.accept(signed.encode())[0], checkpoint)
        check.refused("another text", alone.accept, signed.replace("\n84\n", "\n85\n").encode())
        extended = notes.sign_note(name, log_seed, checkpoint.text + "extension\n")
        check.refused("an extension line", alone.accept, extended.encode())
        alone = notes.Policy.parse(vectors["policy_alone"])
        for case in vectors["notes"]:
            check.equal(f"note: {case['about']}", self._accepts(alone, case["note"]), case["accepted"])
        for case in vectors["quorums"]["cases"]:
            policy = notes.Policy.parse(vectors["quorums"]["policy"] + case["quorum"])
            check.equal(f"quorum: {case['about']}", self._accepts(policy, case["note"]), case["accepted"])
        for case in vectors["policies_refused"]:
            check.refused(f"policy: {case['about']}", notes.Policy.parse, case["policy"])
        for case in vectors["proofs_refused"]:
            check.refused(f"proof: {case['about']}", notes.parse_proof, case["proof"])
        for case in vectors["keys_refused"]:
            check.refused(f"key: {case['about']}", notes.NoteKey.parse, case["vkey"])
        index, hashes, note = notes.parse_proof(vectors["proof"])
        check.equal("note of the proof", note, signed)
        check.equal("index of the proof", index, 3)
        check.equal("proof", notes.spell_proof(index, hashes, note), vectors["proof"])

    @staticmethod
    def _accepts(policy, note):
        try:
            policy.accept(note.encode())
        except Refused:
            return False
        return True

    def transcript(self, vectors):
        """Section 13."""
        check = self.checks
        data = (self.directory / "transcript.cbt").read_bytes()
        trust = trust_of(vectors)
        try:
            proved = transcript.verify_transcript(self.reader, data, trust)
        except Refused as error:
            check.that(f"transcript.cbt is refused: {error}", False)
            return
        check.equal("size", proved.size, vectors["size"])
        check.equal("root", proved.root, vectors["root"])
        found = [{"entry": record.entry, "index": record.index, "record_hash": record.record_hash.hex(),
                  "status_id": record.status_id.hex()} for record in proved.records]
        check.equal("records", found, vectors["records"])
        check.that("nothing is incomplete or contested",
                   not any(record.hidden or record.contested for record in proved.records))
        self._other_trust(data, trust)
        self._other_parts(data, trust)
        chance = random.Random(FLIP_SEED)
        for position in sorted(chance.sample(range(len(data)), FLIPS)):
            flipped = bytearray(data)
            flipped[position] ^= chance.randrange(1, 256)
            flipped = bytes(flipped)
            self._refused(f"byte {position} flipped", flipped, trust)
            if position < len(data) - 32:
                self._refused(f"byte {position} flipped, new checksum", with_checksum(flipped), trust)
        for length in (0, 4, 35, 36, len(data) - 1):
            self._refused(f"the first {length} bytes", data[:length], trust)
        self._refused("a byte more", with_checksum(data[:-32] + b"\x00" + data[-32:]), trust)

    def effects(self, vectors):
        """Section 13, what blocks say of records."""
        names = ("contested", "confirmed", "ended", "redeemed", "under_review", "standing")
        trust = trust_of(vectors)
        for case in vectors["cases"]:
            try:
                first = transcript.verify_transcript(self.reader, unhex(case["transcript"]), trust).records[0]
                found = {name: getattr(first, name) for name in names}
            except transcript.Broken:
                found = None
            self.checks.equal(case["name"], found, case["first"])

    def _other_trust(self, data, trust):
        for name in transcript.BEGINNING:
            self._refused(f"another {name}", data, replace(trust, **{name: bytes(32)}), "seal")
        key = notes.NoteKey(trust.policy.logs[0].name, notes.LOG_TYPE, suite.public_key(bytes(32)))
        policy = notes.Policy.parse(f"log {key.vkey}\nquorum none\n")
        self._refused("another log", data, replace(trust, policy=policy), "checkpoint")

    def _other_parts(self, data, trust):
        """Elements left out, doubled and exchanged; the first record in part instead of whole."""
        fields = [(number, raw) for number, _, _, raw in read_fields(data[4:-32])]
        for at, (number, raw) in enumerate(fields):
            label = f"field {number}, occurrence {at}"
            # Without the seed of its padding a transcript holds, and no longer shows that it is whole.
            if number != PADDING_SEED:
                self._refused(f"{label} left out", joined(fields[:at] + fields[at + 1:]), trust)
            self._refused(f"{label} twice", joined(fields[:at + 1] + fields[at:]), trust)
            if at and fields[at - 1][0] == number:
                exchanged = [*fields[:at - 1], (number, raw), fields[at - 1], *fields[at + 1:]]
                self._refused(f"{label} before the one before it", joined(exchanged), trust)
        at = [number for number, _ in fields].index(7)
        record = self.reader.read("Transcript", data[4:-32]).records[0]
        for hidden in ([], [records.REQUIRED[record.kind][0]]):
            part = write_element(7, self._in_part(record, hidden))
            file = joined([*fields[:at], (7, part), *fields[at + 1:]])
            try:
                found = transcript.verify_transcript(self.reader, file, trust).records[0].hidden
            except Refused as error:
                found = str(error)
            self.checks.equal("a record in part", found, hidden)

    def _in_part(self, record, hidden):
        """The bytes of a record that opens its required fields only, without the hidden ones."""
        data = b"".join(record.raw[number] for number in (1, 2, 3))
        claims = self.kinds.claims(record.kind, record.version, record.seed, record.body)
        for number, salt, value, digest in claims:
            if number in records.REQUIRED[record.kind] and number not in hidden:
                claim = write_field(2, salt) + write_field(3, value)
            else:
                claim = write_field(1, digest)
            data += write_element(6, claim)
        return data + record.raw[7]

    def _refused(self, label, data, trust, link=None):
        try:
            transcript.verify_transcript(self.reader, data, trust)
        except transcript.Broken as error:
            self.checks.that(f"{label}: broken at {error.link}", link in (None, error.link))
        else:
            self.checks.that(f"{label}: accepted", False)


def beside(case):
    """The records beside a block."""
    return [(record["kind"], record["version"], unhex(record["seed"]), unhex(record["body"])) for record in case["records"]]


def joined(fields):
    """A transcript file of fields."""
    return with_checksum(transcript.MAGIC + b"".join(raw for _, raw in fields) + bytes(32))


def with_checksum(data):
    """A file with its checksum computed again."""
    return data[:-32] + transcript.checksum(data[:-32])


def main():
    """The command."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    return 0 if Vectors(sys.argv[1]).run() else 1


if __name__ == "__main__":
    sys.exit(main())
