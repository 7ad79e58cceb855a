"""Reads the schema: messages, enums and the `rule` options of the .proto files."""

import pathlib
import re
from dataclasses import dataclass, field

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*|\d+|[^\s\w]')
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/', re.S)
SCALARS = {"uint32": 2 ** 32 - 1, "uint64": 2 ** 64 - 1, "bool": 1}
PACKAGE = "creditbank/v1"


@dataclass(frozen=True)
class Rule:
    """The `rule` option of a field; 0 and False mean that it says nothing."""

    set: bool = False
    code: bool = False
    len: int = 0
    max_len: int = 0
    max_items: int = 0
    max: int = 0
    course: bool = False
    course_prefix: bool = False
    prose: bool = False


@dataclass(frozen=True)
class Field:
    """A field of a message."""

    name: str
    number: int
    type: str
    repeated: bool
    rule: Rule


@dataclass
class Schema:
    """All messages (name -> number -> Field) and enums (name -> value name -> number)."""

    messages: dict = field(default_factory=dict)
    enums: dict = field(default_factory=dict)

    @classmethod
    def load(cls, proto):
        """The schema under the directory that holds `creditbank/v1`."""
        schema = cls()
        for path in sorted((pathlib.Path(proto) / PACKAGE).glob("*.proto")):
            _Parser(schema, path.read_text(encoding="utf-8")).file()
        return schema

    def named(self, message):
        """The fields of a message by their names."""
        return {item.name: item for item in self.messages[message].values()}


class _Parser:
    """Recursive descent over the tokens of one file. Only what the schema uses is understood."""

    def __init__(self, schema, text):
        self.schema = schema
        self.tokens = TOKEN.findall(COMMENT.sub(" ", text))
        self.at = 0

    def next(self, expected=None):
        token = self.tokens[self.at]
        self.at += 1
        if expected is not None and token != expected:
            raise ValueError(f"{token!r} where {expected!r} was expected")
        return token

    def peek(self):
        return self.tokens[self.at]

    def skip_statement(self):
        while self.next() != ";":
            pass

    def skip_block(self):
        while self.next() != "{":
            pass
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.next(), 0)

    def file(self):
        while self.at < len(self.tokens):
            word = self.next()
            if word == "message":
                self.message()
            elif word == "enum":
                self.enum()
            elif word in ("service", "extend"):
                self.skip_block()
            else:
                self.skip_statement()

    def enum(self):
        name, values = self.next(), {}
        self.next("{")
        while self.peek() != "}":
            word = self.next()
            if word in ("reserved", "option"):
                self.skip_statement()
                continue
            self.next("=")
            values[word] = int(self.next())
            self.next(";")
        self.next("}")
        self.schema.enums[name] = values

    def message(self):
        name, fields = self.next(), {}
        self.next("{")
        while self.peek() != "}":
            word = self.peek()
            if word in ("reserved", "option"):
                self.skip_statement()
            elif word == "oneof":
                self.skip_block()
            else:
                item = self.field()
                fields[item.number] = item
        self.next("}")
        self.schema.messages[name] = dict(sorted(fields.items()))

    def field(self):
        word = self.next()
        repeated = word == "repeated"
        kind = self.next() if repeated else word
        name = self.next()
        self.next("=")
        number = int(self.next())
        rule = Rule()
        if self.peek() == "[":
            rule = self.rule()
        self.next(";")
        return Field(name, number, kind, repeated, rule)

    def rule(self):
        for token in "[(":
            self.next(token)
        self.next("rule")
        for token in ")={":
            self.next(token)
        values = {}
        while self.peek() != "}":
            name = self.next()
            self.next(":")
            value = self.next()
            values[name] = value == "true" if value in ("true", "false") else int(value)
            if self.peek() == ",":
                self.next()
        for token in "}]":
            self.next(token)
        return Rule(**values)
