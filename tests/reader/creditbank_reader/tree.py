"""The tree of RFC 6962 and the proofs of RFC 9162 (PROTOCOL.md, section 6)."""

from .suite import sha256


def leaf_hash(entry):
    """The hash of an entry."""
    return sha256(b"\x00", entry)


def node_hash(left, right):
    """The hash of two subtrees."""
    return sha256(b"\x01", left, right)


def _split(size):
    """The largest power of two below a size of at least 2."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves):
    """The root over leaf hashes."""
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return node_hash(root(leaves[:middle]), root(leaves[middle:]))


def inclusion(leaves, index):
    """The proof that a leaf is in the tree, lowest sibling first."""
    if len(leaves) <= 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return inclusion(leaves[:middle], index) + [root(leaves[middle:])]
    return inclusion(leaves[middle:], index - middle) + [root(leaves[:middle])]


def consistency(leaves, old):
    """The proof that the tree begins with the tree of `old` leaves, `old` being at least 1."""
    def proof(count, part, whole):
        if count == len(part):
            return [] if whole else [root(part)]
        middle = _split(len(part))
        if count <= middle:
            return proof(count, part[:middle], whole) + [root(part[middle:])]
        return proof(count - middle, part[middle:], False) + [root(part[:middle])]
    return proof(old, leaves, True)


def root_of_inclusion(leaf, index, size, hashes):
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2), or None when it has the wrong form."""
    if index >= size:
        return None
    first, last, result = index, size - 1, leaf
    for sibling in hashes:
        if last == 0:
            return None
        if first & 1 or first == last:
            result = node_hash(sibling, result)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        first, last = first >> 1, last >> 1
    return result if last == 0 else None


def verify_inclusion(leaf, index, size, hashes, expected):
    """Whether a leaf is in the tree of a root."""
    return root_of_inclusion(leaf, index, size, hashes) == expected


def verify_consistency(old, new, hashes, old_root, new_root):
    """Whether one tree begins with another (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not hashes and old_root == new_root
    hashes = list(hashes)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old_result = new_result = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old_result = node_hash(sibling, old_result)
            new_result = node_hash(sibling, new_result)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new_result = node_hash(new_result, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and old_result == old_root and new_result == new_root
