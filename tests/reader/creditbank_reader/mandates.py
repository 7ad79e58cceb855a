"""What learners and other institutions sign inside a record (PROTOCOL.md, section 4, Mandates and Joint awards)."""

from .once import is_in_time
from .suite import preimage, sha256, tagged_hash, uint, var, verify

SIGNATURES = ("mandate", "cosignatures")
SALT_LEN = 16
KIND_AWARD = 14
KINDS = {5, 6, 12, 14, 15, 20}
"""Kinds of records with a mandate."""
BY_LEGAL_BASIS = {12, 14, 15, 20}
"""Conversion, Award, QualificationRecognition, ForeignAward: what an institution may do without the learner."""


def core(records, kind, body):
    """The canonical body of a record without the fields that hold signatures."""
    message = records.read(kind, 1, body)
    fields = records.canonical.schema.messages[message.name]
    return b"".join(message.raw.get(number, b"") for number in fields if fields[number].name not in SIGNATURES)


def mandate_message(origin, institution, kind, data, mandate):
    """What a learner signs, over a core."""
    return preimage("mandate", var(origin.encode()), uint(64, institution), uint(16, kind), var(data),
                    uint(64, mandate.until_minute), mandate.salt)


def joint_message(origin, institution, data, cosignature):
    """What another institution signs under an award of `institution`, over its core."""
    return preimage("joint-award", var(origin.encode()), uint(64, institution), var(data),
                    uint(64, cosignature.institution), uint(64, cosignature.until_minute), cosignature.salt)


def mandate_digest(origin, institution, kind, data, mandate):
    """What the log has of a mandate."""
    if mandate.has("legal_basis"):
        return tagged_hash("legal-basis", var(origin.encode()), uint(64, institution), uint(16, kind), var(data),
                           var(mandate.legal_basis.encode()), uint(64, mandate.until_minute), mandate.salt)
    if not mandate.has("paper_reference"):
        return sha256(mandate_message(origin, institution, kind, data, mandate))
    return tagged_hash("paper-mandate", uint(64, institution), uint(16, kind), var(mandate.paper_reference.encode()),
                       mandate.salt)


def consents(records, origin, institution, kind, body):
    """What the log has of what others have signed in a record of an institution."""
    message = records.read(kind, 1, body)
    data = core(records, kind, body)
    found = []
    if "mandate" in message._reader.by_name[message.name] and message.has("mandate"):
        found.append(mandate_digest(origin, institution, kind, data, message.mandate))
    if kind == KIND_AWARD:
        found += [sha256(joint_message(origin, institution, data, one)) for one in message.cosignatures]
    return found


def terms_digest(data):
    """The digest of canonical AgreementTerms bytes."""
    return tagged_hash("agreement-terms", var(data))


def holds(records, origin, institution, kind, body):
    """Whether the mandate of a record holds: a paper, a legal basis, or a signature by the learner's key over the core."""
    mandate = records.read(kind, 1, body).mandate
    signed = mandate.has("learner_key") or mandate.has("signature")
    ways = [signed, mandate.has("paper_reference"), mandate.has("legal_basis")]
    if len(mandate.salt) != SALT_LEN or ways.count(True) != 1:
        return False
    if mandate.has("legal_basis"):
        return kind in BY_LEGAL_BASIS and not mandate.acts
    if not signed:
        return kind in mandate.acts
    message = mandate_message(origin, institution, kind, core(records, kind, body), mandate)
    return not mandate.acts and verify(mandate.learner_key, message, mandate.signature)
