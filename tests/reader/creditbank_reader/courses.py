"""Texts, course codes, and which codes name one course (RULES.md, section 15, "Text" and "The same course").

The tables of Unicode are Python's, which may be older than those of the rules: a character that is newer than them counts as
unassigned here."""

import unicodedata

from .ledger import KIND_COURSE_ALIAS, KIND_COURSE_CODES

CHARACTERS_MAX, NAMES_MAX = 64, 64
HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
UNSEEN = {0xFFFD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0,
          *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
OVERRIDES = range(0x202A, 0x202F)
SEPARATORS = {"_", "\u00ad", "\u2212"}


def key(code):
    """What codes are compared by."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", code).casefold())


def exact(code):
    """What they are compared by where case matters."""
    return unicodedata.normalize("NFC", code)


def wide(text):
    """What numbers of documents are compared by."""
    return unicodedata.normalize("NFKC", key(unicodedata.normalize("NFKC", key(text))))


def near(code):
    """What codes have in common that are near to each other."""
    kept = (one for one in wide(code) if one not in SEPARATORS and unicodedata.category(one) not in ("Pd", "Zs"))
    return unicodedata.normalize("NFKC", "".join(kept))


def is_code(code, prefix=False, most=CHARACTERS_MAX):
    """Whether a text can be a course code, or what codes begin with."""
    if len(code) > most or code.startswith(" ") or "  " in code or not prefix and code.endswith(" "):
        return False
    odd = (one for one in code if unicodedata.category(one) in HIDDEN or ord(one) in UNSEEN
           or one != " " and unicodedata.category(one) == "Zs")
    return next(odd, None) is None


def is_language(tag):
    """Whether a text is the tag of a language."""
    first, *parts = tag.split("-")
    named = 2 <= len(first) <= 3 and first.isascii() and first.isalpha()
    private = first in ("x", "X") and len(parts) > 0
    return (named or private) and all(1 <= len(part) <= 8 and part.isascii() and part.isalnum() for part in parts)


def is_text(text, prose):
    """Whether a text may stand as a line; as `prose`, as lines."""
    odd = (one for one in text if ord(one) in OVERRIDES or one == "\ufffd"
           or unicodedata.category(one) in ("Cc", "Cn") and not (prose and one == "\n"))
    return next(odd, None) is None


def broken(schema, message, within=False):
    """The rule that a text of a message breaks, wherever it stands, or None."""
    for name, value in message.values.items():
        item = schema.named(message.name)[name]
        prose = within or item.rule.prose
        for one in value if item.repeated else [value]:
            found = None
            if item.type in schema.messages:
                found = broken(schema, one, prose)
            elif item.type == "string" and (item.rule.course or item.rule.course_prefix):
                found = None if is_code(one, item.rule.course_prefix) else "INVALID_COURSE_CODE"
            elif item.type == "string" and name == "language":
                found = None if is_language(one) else "INVALID_CODE"
            elif item.type == "string" and not item.rule.code:
                found = None if is_text(one, prose) else "INVALID_TEXT"
            if found is not None:
                return found
    return None


class Course:
    """A course of an institution, by one of its codes."""

    def __init__(self, institution, code, compare, names):
        self.institution, self.code, self._compare, self.names = institution, code, compare, frozenset(names)

    @property
    def identity(self):
        """The same for every code of the course."""
        return self.institution, min(self.names)

    def is_named(self, code):
        """Whether a code of the institution names the course."""
        return self._compare(code) in self.names

    def begins(self, prefix):
        """Whether one of its names begins with a prefix."""
        return any(name.startswith(self._compare(prefix)) for name in self.names)


def course(register, institution, code):
    """The course that a code names."""
    said = register.get(KIND_COURSE_CODES, institution)
    compare = exact if said is not None and said.case_matters else key
    edges = [{compare(one.code), compare(one.same_as)} for one in register.all(KIND_COURSE_ALIAS)
             if one.institution == institution and not one.withdrawn]
    names, before = {compare(code)}, set()
    while names != before:
        before = set(names)
        names = before.union(*(edge for edge in edges if edge & before))
    return Course(institution, code, compare, names)
