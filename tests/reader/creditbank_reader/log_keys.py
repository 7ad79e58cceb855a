"""Which log key and which origin are in force at a log index (PROTOCOL.md, section 10)."""

from . import ledger as forms
from .notes import LOG_TYPE, NoteKey
from .suite import SUITE, is_strict_point, log_handover_message, log_succession_message, verify
from .wire import Refused

PURPOSE_LOG = 1
VERSION = 1


def _require(condition, reason):
    if not condition:
        raise Refused(reason)


class LogKeys:
    """The log keys and origins of a part, as it says, from the log's beginning on."""

    def __init__(self, origin, log_key):
        self.keys = [(-1, 0, log_key)]
        """Log index of the block that names the key, first log index that it may seal, key."""
        self.origins = [(0, origin)]
        """First log index, name."""

    def follow(self, canonical, item):
        """Takes in what a block says."""
        _require(item.has("record") and item.record.version == VERSION, "a log key without its record")
        if item.record.kind == forms.KIND_LOG_SUCCESSION:
            self._succeed(canonical.read("LogSuccession", item.record.body), item.block)
            return
        _require(item.record.kind == forms.KIND_KEY, "a log key without its record")
        key = canonical.read("Key", item.record.body)
        _require(key.suite == SUITE and key.purpose == PURPOSE_LOG and (key.institution, key.unit) == (0, 0)
                 and len(key.public_key) == 32, "not a log key")
        _require(key.from_index > item.block, "a log key that begins before its block")
        _require(all(key.public_key != known for _, _, known in self.keys), "a log key twice")
        _require(is_strict_point(key.public_key), "a log key that is no strict point")
        message = log_handover_message(self.origins[-1][1], key.public_key, key.from_index)
        _require(verify(self.key(item.block), message, key.handover), "the log key in force did not hand over")
        # What was named before and has not begun yet never will.
        self.keys = [one for one in self.keys if one[1] <= item.block]
        self.keys.append((item.block, key.from_index, key.public_key))

    def _succeed(self, said, block):
        _require(said.new_origin and said.case_reference and said.has("root") and said.size and said.has("log_key"),
                 "a succession of the log without something that it needs")
        _require(said.origin == self.origins[-1][1], "a succession of another origin")
        _require(all(said.new_origin != name for _, name in self.origins), "an origin that the log had")
        _require("+" not in said.new_origin and not any(letter.isspace() for letter in said.new_origin), "not an origin")
        _require(all(said.log_key != known for _, _, known in self.keys), "a log key twice")
        _require(said.size == block, "a succession that is not at its size")
        _require(is_strict_point(said.log_key), "not a key")
        _require(verify(said.log_key, log_succession_message(said), said.signature),
                 "the new log key did not sign the succession")
        _require(verify(self.key(block - 1), log_succession_message(said), said.former_signature),
                 "the old log key did not sign the succession")
        self.keys = [one for one in self.keys if one[1] < block]
        self.keys.append((block, block, said.log_key))
        self.origins.append((block, said.new_origin))

    def key(self, index):
        """The key that signs the seal at a log index."""
        return [key for _, begins, key in self.keys if begins <= index][-1]

    def origin(self, index):
        """The origin in force at a log index."""
        return [name for begins, name in self.origins if begins <= index][-1]

    def followers(self, policy, former):
        """The keys beside those of the policy that sign checkpoints of this log. Of an origin that the policy names, those
        that follow a key that it names."""
        named = {log.name for log in policy.logs}
        if not any(name in named or name in former for _, name in self.origins):
            return []
        ends = [begins for begins, _ in self.origins[1:]] + [2 ** 64]
        found = []
        for (begins, name), end in zip(self.origins, ends):
            keys = [key for _, since, key in self.keys if begins <= since < end]
            if name in named:
                own = {log.key for log in policy.logs if log.name == name}
                keys = keys[min(keys.index(key) for key in own & set(keys)) + 1:] if own & set(keys) else []
            found += [NoteKey(name, LOG_TYPE, key) for key in keys]
        return found

    def check_former(self, checkpoint, trust):
        """Refuses a former origin beyond its end, and a log that does not have the origins that the trust file names."""
        former = list(trust.former.items())
        _require(checkpoint.size <= trust.former.get(checkpoint.origin, checkpoint.size), "beyond the end of a former origin")
        if not former:
            return
        ends = [begins for begins, _ in self.origins[1:]]
        for at, (_, name) in enumerate(self.origins[:len(former) + 1]):
            if at == len(former):
                _require(any(log.name == name for log in trust.policy.logs), "another origin than the policy names")
                return
            _require(name == former[at][0], "another origin than the former one")
            _require(at >= len(ends) or ends[at] == former[at][1], "a former origin ends elsewhere")
