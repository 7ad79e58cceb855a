"""What learners and other institutions sign inside a record (PROTOCOL.md, section 4, Mandates and Joint awards)."""

from .suite import preimage, tagged_hash, uint, var, verify

SIGNATURES = ("mandate", "cosignatures")
SALT_LEN = 16
KIND_AWARD = 14


def core(records, kind, body):
    """The canonical body of a record without the fields that hold signatures."""
    message = records.read(kind, 1, body)
    fields = records.canonical.schema.messages[message.name]
    return b"".join(message.raw.get(number, b"") for number in fields if fields[number].name not in SIGNATURES)


def mandate_message(origin, institution, kind, data):
    """What a learner signs, over a core."""
    return preimage("mandate", var(origin.encode()), uint(64, institution), uint(16, kind), var(data))


def joint_message(origin, institution, data):
    """What another institution signs under an award, over its core."""
    return preimage("joint-award", var(origin.encode()), uint(64, institution), var(data))


def mandate_digest(data):
    """What the log has of canonical Mandate bytes."""
    return tagged_hash("mandate-digest", var(data))


def terms_digest(data):
    """The digest of canonical AgreementTerms bytes."""
    return tagged_hash("agreement-terms", var(data))


def holds(records, origin, institution, kind, body):
    """Whether the mandate of a record holds: a paper, or a signature by the learner's key over the core."""
    mandate = records.read(kind, 1, body).mandate
    signed = mandate.has("learner_key") or mandate.has("signature")
    if len(mandate.salt) != SALT_LEN or signed == mandate.has("paper_reference"):
        return False
    message = mandate_message(origin, institution, kind, core(records, kind, body))
    return not signed or verify(mandate.learner_key, message, mandate.signature)
