"""Whose record it is, who keeps the records of a closed institution, and what is contested (PROTOCOL.md, section 8)."""

from . import dates

BASIS_CUSTODIAN = 2
SUPERSEDE = 1
STATE_CLOSED, RELATION_CUSTODIAN = 3, 3
MS_PER_MINUTE = 60_000


def owner(header, groups, opened):
    """Whose record it is: the signer's, or the closed institution's whose record a custodian amends."""
    if opened.has("amends") and opened.amends.has("place"):
        for group in groups:
            for effect in group.effects:
                if group.authority.basis == BASIS_CUSTODIAN and effect.action == SUPERSEDE \
                        and effect.place.raw == opened.amends.place.raw:
                    return group.authority.institution
    return header.institution


def is_custodian(keeper, other, day):
    """Whether an institution is the custodian of another one on a day, by their registry entries."""
    return (other.state == STATE_CLOSED and keeper.number != other.number
            and any(relation.type == RELATION_CUSTODIAN and relation.institution == other.number
                    and dates.within(day, relation) for relation in keeper.relations))


def is_suspect(key, sealed_at_ms):
    """Whether a key, by its registry entry, counts as compromised at the minute of a seal."""
    since = key.revoked.compromised_since_minute
    return since != 0 and sealed_at_ms // MS_PER_MINUTE >= since
