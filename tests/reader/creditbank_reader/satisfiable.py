"""Definitions that can never be met (RULES.md, section 18, Satisfiable)."""

from fractions import Fraction

from .courses import exact, key
from .ledger import KIND_COURSE_ALIAS
from .qualification import (ALL, AMONG, ANY, AT_LEAST, AT_MOST, AVERAGE, COURSES, CREDITS, EXEMPTION, MODE_RPL,
                            NON_FORMAL, OUTCOME, OWN, RPL, TAKING, TRANSFER, Points, Tree)

LISTS = ("levels", "fields", "institutions", "modes", "courses", "course_prefixes", "origins", "assessments", "bases", "esco_uris")
CODES = ("courses", "course_prefixes")
PREFIXES = ("fields", "course_prefixes")


def lists(match):
    """The lists of a Match."""
    found = {name: list(getattr(match, name)) for name in LISTS}
    found["levels"] = [(one.framework, one.level) for one in match.levels]
    found["after"] = bool(match.after_enrolment)
    for name in CODES:
        found[name] = [key(one) for one in getattr(match, name)]
        found["exact_" + name] = [exact(one) for one in getattr(match, name)]
    return found


def _begins(code, prefixes):
    return any(code.startswith(prefix) for prefix in prefixes)


def within(a, b):
    """Whether all that matches `a` is certain to match `b`, with case and without."""
    exactly = [{**one, **{name: one["exact_" + name] for name in CODES}} for one in (a, b)]
    return _within(a, b) and _within(*exactly)


def _within(a, b):
    for name in LISTS:
        if not b[name]:
            continue
        if name == "course_prefixes" and a["courses"] and all(_begins(code, b[name]) for code in a["courses"]):
            continue
        if not a[name]:
            return False
        if name in PREFIXES:
            if not all(_begins(code, b[name]) for code in a[name]):
                return False
        elif not set(a[name]) <= set(b[name]):
            return False
    return a["after"] or not b["after"]


def apart(a, b, aliases):
    """Whether nothing is certain to match both; with aliases in the registry codes set nothing apart."""
    for name in LISTS[:-1]:
        if not a[name] or not b[name] or aliases and name in CODES:
            continue
        if name in PREFIXES:
            if not any(one.startswith(other) or other.startswith(one) for one in a[name] for other in b[name]):
                return True
        elif not set(a[name]) & set(b[name]):
            return True
    for one, other in ((a, b), (b, a)):
        if not aliases and one["courses"] and other["course_prefixes"] \
                and not any(_begins(code, other["course_prefixes"]) for code in one["courses"]):
            return True
    return False


class Search:
    """Looks for what is against each node."""

    def __init__(self, register, definition):
        self.register = register
        self.definition = definition
        self.tree = Tree(definition)
        self.asked = {number: lists(node.match) for number, node in self.tree.nodes.items()}
        self.aliases = any(not one.withdrawn for one in register.all(KIND_COURSE_ALIAS))
        self.can = dict.fromkeys(self.tree.nodes, True)
        for number, node in self.tree.nodes.items():
            if node.type in (*TAKING, AMONG):
                self.can[number] = not self._odd(number, node)
        for turn in range(4):
            among = [number for number, node in self.tree.nodes.items() if node.type == AMONG and self.can[number]]
            closed = [number for number in among if self._nothing_among(number)]
            self.can.update(dict.fromkeys(closed, False))
            if turn and not closed:
                break
            self._inner()

    def _inner(self):
        for number, node in self.tree.nodes.items():
            if node.type not in (*TAKING, AMONG):
                self.can[number] = True
        for number in sorted(self.tree.nodes, reverse=True):
            if self.tree.nodes[number].type == AVERAGE:
                self.can[number] = not self._beyond(self.tree.nodes[number])
            if self.tree.nodes[number].type in (ALL, ANY):
                for child in [child for child in self.tree.children[number] if self._looks_at_nothing(number, child)]:
                    self.can[child] = False
                self.can[number] = not self._against(number)

    def _share(self, number):
        node = self.tree.nodes[number]
        return Fraction(node.share.numerator, node.share.denominator) if node.has("share") else None

    def _amount(self, number):
        return self.tree.nodes[number].amount_e4

    def _possible(self, number):
        return [child for child in self.tree.children[number] if self.can[child]]

    def _needed(self, number):
        node = self.tree.nodes[number]
        return node.choose if node.type == ANY else len(self.tree.children[number])

    def _whole(self, number):
        kind = self.tree.nodes[number].type
        return kind == ALL or kind == ANY and len(self._possible(number)) <= self._needed(number)

    def _with(self, number):
        found, todo = [], [number]
        while todo:
            found.append(todo.pop())
            if self._whole(found[-1]):
                todo += self._possible(found[-1])
        return sorted(found)

    def _live(self, number):
        """What takes below a node and can be met with all between."""
        found, todo = [], self._possible(number)
        while todo:
            found.append(todo.pop())
            todo += self._possible(found[-1])
        return sorted(at for at in found if self.tree.nodes[at].type in TAKING)

    def _least(self, number):
        """The least that is taken at a node."""
        node = self.tree.nodes[number]
        if node.type == CREDITS:
            return node.amount_e4
        if node.type not in (ALL, ANY):
            return 0
        children = self._possible(number)
        taken = [self._least(child) for child in children]
        said = [max(one, self._says(number, child)) for one, child in zip(taken, children)]
        count = min(self._needed(number), len(children))
        return max(sum(sorted(taken)[:count]), sorted(said)[count - 1] if count else 0)

    def _says(self, number, child):
        node = self.tree.nodes[child]
        floor = node.type == AT_LEAST and not node.has("share") or node.type == AMONG and self.tree.scope(child) == number
        return node.amount_e4 if floor else 0

    def _looks_at_nothing(self, number, child):
        node = self.tree.nodes[child]
        crediting = [at for at in self._live(number) if self.tree.nodes[at].type != OUTCOME]
        if node.type == AVERAGE:
            return not crediting
        if node.type != AT_LEAST or not all(apart(self.asked[at], self.asked[child], self.aliases) for at in crediting):
            return False
        return not node.has("share") or self._least(number) > 0

    def _nothing_among(self, number):
        node, asked = self.tree.nodes[number], self.asked[number]
        near = [at for at in self._live(self.tree.scope(number))
                if self.tree.nodes[at].type in (TAKING[:2] if node.amount_e4 else TAKING) and not apart(self.asked[at], asked, self.aliases)]
        if not near:
            return True
        if node.amount_e4 or not asked["courses"] or self.aliases:
            return False

        def taken(code, one):
            named = not one["courses"] or code in one["courses"]
            return named and (not one["course_prefixes"] or _begins(code, one["course_prefixes"]))

        own = [code for code in asked["courses"] if not asked["course_prefixes"] or _begins(code, asked["course_prefixes"])]
        there = sum(any(taken(code, self.asked[at]) for at in near) for code in own)
        return there < (node.choose or len(asked["courses"]))

    def _against(self, number):
        if len(self._possible(number)) < self._needed(number):
            return True
        return self._whole(number) and self._contradicts(number)

    def _odd(self, number, node):
        asked = self.asked[number]
        if not self.aliases and asked["courses"] and asked["course_prefixes"]:
            fitting = sum(_begins(code, asked["course_prefixes"]) for code in asked["courses"])
            needed = len(asked["courses"]) if node.type == COURSES else 1
            if node.type == AMONG and not node.amount_e4:
                needed = node.choose or len(asked["courses"])
            if fitting < needed:
                return True
        if node.type in (OUTCOME, AMONG):
            return False

        def only(*origins):
            return bool(asked["origins"]) and set(asked["origins"]) <= set(origins)

        awarding = {self.definition.institution, *self.definition.awarding}
        if only(OWN) and asked["institutions"] and not awarding & set(asked["institutions"]):
            return True
        return bool(asked["modes"]) and set(asked["modes"]) == {MODE_RPL} and only(OWN, TRANSFER, NON_FORMAL)

    def _beyond(self, node):
        points = Points(self.register, self.definition)
        least = points.of(node.minimum)
        if least is None:
            return True
        numbers = list(points.points.values())
        if points.scale.has("numeric"):
            numbers.append(points.scale.numeric.min_e4 if points.lower else points.scale.numeric.max_e4)
        return not any(one <= least if points.lower else one >= least for one in numbers)

    def _contradicts(self, number):
        tree, children = self.tree, self._possible(number)
        kind = {child: tree.nodes[child].type for child in children}
        floors = [child for child in children if kind[child] == AT_LEAST or kind[child] == AMONG
                  and self._amount(child) and tree.scope(child) == number]
        caps = [child for child in children if kind[child] == AT_MOST]
        bound = self._with(number)
        due = [at for at in bound if tree.nodes[at].type == CREDITS]
        takers, least = self._live(number), self._least(number)
        return self._over_caps(floors, caps, least) or self._over_the_whole(floors, least) \
            or self._under_takers(caps, due, takers, least) or self._under_the_whole(caps, least)

    def _over_caps(self, floors, caps, least):
        for floor in floors:
            for cap in caps:
                if not within(self.asked[floor], self.asked[cap]):
                    continue
                low, high = self._share(floor), self._share(cap)
                if low is not None and high is not None:
                    over = least > 0 and low > high
                elif high is not None:
                    over = False
                else:
                    over = (self._amount(floor) if low is None else low * least) > self._amount(cap)
                if over:
                    return True
        return False

    def _over_the_whole(self, floors, least):
        shares = [at for at in floors if self._share(at) is not None]
        for start in range(len(shares)):
            chosen = []
            for at in shares[start:]:
                if all(apart(self.asked[one], self.asked[at], self.aliases) for one in chosen):
                    chosen.append(at)
            if least and sum(map(self._share, chosen)) > 1:
                return True
        return False

    def _under_takers(self, caps, due, takers, least):
        for cap in caps:
            share = self._share(cap)
            if share is None:
                inside = [at for at in due if within(self.asked[at], self.asked[cap])]
                if sum(map(self._amount, inside)) > self._amount(cap):
                    return True
            elif share < 1 and least and all(within(self.asked[at], self.asked[cap]) for at in takers):
                return True
        return False

    def _under_the_whole(self, caps, least):
        alone = [cap for cap in caps if self._share(cap) is not None and self.asked[cap]["origins"]
                 and not any(self.asked[cap][name] for name in (*LISTS, "after") if name != "origins")]
        covered = {origin for cap in alone for origin in self.asked[cap]["origins"]}
        everything = {OWN, TRANSFER, RPL, NON_FORMAL, EXEMPTION}
        return least > 0 and covered == everything and sum(map(self._share, alone)) < 1


def is_satisfiable(register, definition):
    """Whether nothing is against the root."""
    return Search(register, definition).can[1]
