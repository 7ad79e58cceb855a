"""The sparse Merkle maps: status tree and registry map (PROTOCOL.md, section 7)."""

from .suite import tagged_hash
from .wire import Refused

DEPTH = 256
EMPTY = bytes(32)
STATUS = "status"
REGISTRY = "registry"


def bit(key, depth):
    """The bit of a key at a depth, the most significant first."""
    return key[depth // 8] >> (7 - depth % 8) & 1


def leaf_hash(which, key, value):
    """The hash of a leaf, which is that of any subtree in which it is alone."""
    return tagged_hash(f"{which}-leaf", key, value)


def node_hash(which, left, right):
    """The hash of a subtree with two leaves or more."""
    return tagged_hash(f"{which}-node", left, right)


def root(which, leaves, depth=0):
    """The root over a list of (key, value hash)."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaf_hash(which, *leaves[0])
    left, right = _halves(leaves, depth)
    return node_hash(which, root(which, left, depth + 1), root(which, right, depth + 1))


def prove(which, leaves, key):
    """The siblings from the root down to the end of the key's path, and the leaf there or None."""
    siblings = []
    while len(leaves) > 1:
        depth = len(siblings)
        halves = _halves(leaves, depth)
        side = bit(key, depth)
        siblings.append(root(which, halves[1 - side], depth + 1))
        leaves = halves[side]
    return siblings, (leaves[0] if leaves else None)


def root_of_proof(which, key, siblings, end):
    """The root that a proof leads to. `end` is (key, value hash) of the leaf where the path ends, or None."""
    if len(siblings) > DEPTH:
        raise Refused("more than 256 siblings")
    if siblings and siblings[-1] == EMPTY:
        raise Refused("the last sibling is empty: the path would end higher")
    result = EMPTY
    if end is not None:
        if any(bit(end[0], depth) != bit(key, depth) for depth in range(len(siblings))):
            raise Refused("the other leaf is off the path")
        result = leaf_hash(which, *end)
    for depth in range(len(siblings) - 1, -1, -1):
        pair = (siblings[depth], result) if bit(key, depth) else (result, siblings[depth])
        result = node_hash(which, *pair)
    return result


def verify_presence(which, expected_root, key, value, siblings):
    """Refuses unless the map of a root holds the value hash under the key."""
    if root_of_proof(which, key, siblings, (key, value)) != expected_root:
        raise Refused("the map proof leads to another root")


def verify_absence(which, expected_root, key, siblings, other):
    """Refuses unless the map of a root holds nothing under the key."""
    if other is not None and other[0] == key:
        raise Refused("the other leaf is the key's own")
    if root_of_proof(which, key, siblings, other) != expected_root:
        raise Refused("the map proof leads to another root")


def verify(which, expected_root, key, siblings, end):
    """The value hash that a proof shows under the key, or None where it proves its absence."""
    if root_of_proof(which, key, siblings, end) != expected_root:
        raise Refused("the map proof leads to another root")
    return end[1] if end is not None and end[0] == key else None


def _halves(leaves, depth):
    left = [leaf for leaf in leaves if not bit(leaf[0], depth)]
    right = [leaf for leaf in leaves if bit(leaf[0], depth)]
    return left, right
