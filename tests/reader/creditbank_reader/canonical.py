"""Canonical messages (PROTOCOL.md, section 2): checks the bytes and reads them."""

from calendar import monthrange

from .schema import SCALARS, Schema
from .wire import DELIMITED, VARINT, Refused, read_fields, read_packed

DEPTH_MAX = 16


class Message:
    """A checked message. An absent field reads as its default, an absent message as an empty one."""

    def __init__(self, reader, name):
        self._reader = reader
        self.name = name
        self.values = {}
        self.raw = {}
        """Field number -> all wire occurrences of the field, tags and lengths included."""

    def has(self, name):
        """Whether a field is written."""
        return name in self.values

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.values:
            return self.values[name]
        return self._reader.default(self.name, name)


def _is_real(date):
    """Whether the Gregorian calendar has a date; day 0 stands for the whole month."""
    if not (1 <= date.year <= 9999 and 1 <= date.month <= 12):
        return False
    return date.day <= monthrange(date.year, date.month)[1]


class Canonical:
    """Checks messages of one schema."""

    def __init__(self, schema: Schema):
        self.schema = schema
        self.by_name = {name: schema.named(name) for name in schema.messages}
        self.enum_values = {name: set(values.values()) for name, values in schema.enums.items()}

    def default(self, message, name):
        """What an absent field reads as."""
        item = self.by_name[message][name]
        if item.repeated:
            return []
        if item.type == "bool":
            return False
        if self._is_integer(item):
            return 0
        if item.type in ("string", "bytes"):
            return "" if item.type == "string" else b""
        return Message(self, item.type)

    def read(self, name, data, depth=1):
        """The message that canonical bytes hold; raises Refused for any other bytes."""
        if depth > DEPTH_MAX:
            raise Refused(f"{name}: nested deeper than {DEPTH_MAX}")
        fields = self.schema.messages[name]
        message = Message(self, name)
        last, elements = 0, {}
        for number, wire_type, value, raw in read_fields(data):
            item = fields.get(number)
            if item is None:
                raise Refused(f"{name}: field number {number} is not in the schema")
            label = f"{name}.{item.name}"
            if number < last:
                raise Refused(f"{label}: fields are not ascending")
            is_run = item.repeated and self._is_integer(item)
            if number == last and (is_run or not item.repeated):
                raise Refused(f"{label}: stands twice")
            last = number
            expected = VARINT if self._is_integer(item) and not is_run else DELIMITED
            if wire_type != expected:
                raise Refused(f"{label}: wire type {wire_type}, expected {expected}")
            if is_run:
                message.values[item.name] = self._run(label, item, value)
            elif item.repeated:
                if value == b"" and (item.type not in self.schema.messages or self.schema.messages[item.type]):
                    raise Refused(f"{label}: an empty element is written")
                elements.setdefault(number, []).append(value)
                decoded = self._value(label, item, value, depth)
                message.values.setdefault(item.name, []).append(decoded)
            else:
                has_fields = item.type not in self.schema.messages or self.schema.messages[item.type]
                if value in (0, b"") and has_fields:
                    raise Refused(f"{label}: a default is written")
                message.values[item.name] = self._value(label, item, value, depth)
            message.raw[number] = message.raw.get(number, b"") + raw
        for number, items in elements.items():
            self._list(f"{name}.{fields[number].name}", fields[number], items)
        if name == "Date" and not _is_real(message):
            raise Refused(f"{name}: not in the calendar")
        return message

    def _is_integer(self, item):
        return item.type in SCALARS or item.type in self.schema.enums

    def _run(self, label, item, data):
        values = read_packed(data)
        if not values:
            raise Refused(f"{label}: an empty packed run is written")
        self._list(label, item, values)
        return [self._integer(label, item, value) for value in values]

    @staticmethod
    def _list(label, item, items):
        if item.rule.max_items and len(items) > item.rule.max_items:
            raise Refused(f"{label}: more than {item.rule.max_items} elements")
        if item.rule.set and any(low >= high for low, high in zip(items, items[1:])):
            raise Refused(f"{label}: a set is not strictly ascending")

    def _integer(self, label, item, value):
        if item.type in self.enum_values:
            if value == 0 or value not in self.enum_values[item.type]:
                raise Refused(f"{label}: enum value {value} is not named")
            return value
        bound = SCALARS[item.type]
        if item.rule.max:
            bound = min(bound, item.rule.max)
        if value > bound:
            raise Refused(f"{label}: {value} is above {bound}")
        return bool(value) if item.type == "bool" else value

    def _value(self, label, item, value, depth):
        if self._is_integer(item):
            return self._integer(label, item, value)
        if item.type in self.schema.messages:
            return self.read(item.type, value, depth + 1)
        rule = item.rule
        if rule.len and len(value) != rule.len:
            raise Refused(f"{label}: {len(value)} bytes, expected {rule.len}")
        if rule.max_len and len(value) > rule.max_len:
            raise Refused(f"{label}: more than {rule.max_len} bytes")
        if item.type == "bytes":
            return value
        if rule.code and any(not 0x21 <= byte <= 0x7E for byte in value):
            raise Refused(f"{label}: a code holds a byte outside 0x21 to 0x7e")
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused(f"{label}: not UTF-8") from error
