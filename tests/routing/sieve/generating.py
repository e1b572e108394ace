"""Scripts made at random from all that a Language knows, and messages changed at random. For any random.Random."""

from pathlib import Path
from random import Random

from routing.sieve.errors import InvalidScript
from routing.sieve.host import ScriptEnvelope
from routing.sieve.language import Language, Shape, Signature, TagKind, Tests
from tests.routing.sieve.memory_host import MemoryHost

MESSAGES = [
    path.read_bytes() for path in sorted((Path(__file__).parents[2] / "messages").glob("*.eml"))
]
# Names of fields, addresses, folders, patterns, flags, dates, URIs, templates: what a string means somewhere.
TEXTS = [
    *(Path(__file__).parent / "strings.txt").read_text(encoding="utf-8").splitlines(),
    *("", " ", "\n", "line\nline\n", "a" * 300, "${a}" * 40, "*a" * 50, "x, y", "(" * 60),
    "Content-Type: text/plain\n\nvacation",
]
ENDING = {
    "discard",
    "ereject",
    "error",
    "reject",
    "return",
    "stop",
}  # what comes after them hardly runs
NUMBERS = [0, 1, 2, 7, 30, 100, 1024, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 63) - 1]


class Writer:
    """Writes scripts that use everything, mostly as it should be used."""

    def __init__(self, language: Language, random: Random) -> None:
        self._language = language
        self._random = random
        names = [name for name in language.capabilities if "comparator" not in name]
        self.require = f"require [{', '.join(map(quoted, names))}];\n"

    def script(self, commands: int = 8) -> str:
        """One that compiles: of some commands those that do so by themselves."""
        kept = [one for one in (self.command() for _ in range(commands)) if self._compiles(one)]
        return self.require + "".join(kept)

    def command(self, depth: int = 0) -> str:
        choice = [
            named.thing
            for name, named in sorted(self._language.commands.items())
            if name != "require" and not named.thing.follows
        ]
        signature = self._random.choice(choice)
        if signature.name in ENDING and self._random.random() < 0.8:
            signature = self._random.choice(choice)
        text = self._written(signature, depth)
        if signature.name == "if":
            for name in self._random.choice(((), ("elsif",), ("else",), ("elsif", "else"))):
                text += self._written(self._language.commands[name].thing, depth)
        return text

    def test(self, depth: int) -> str:
        choice = [
            named.thing
            for _, named in sorted(self._language.tests.items())
            if depth < 3 or named.thing.tests is Tests.NONE
        ]
        return self._written(self._random.choice(choice), depth)

    def _written(self, signature: Signature[object], depth: int) -> str:
        random = self._random
        words = [signature.name, *self._tags(signature)]
        left_out = random.randint(0, signature.optional)
        words += [self._value(shape) for shape in signature.arguments[left_out:]]
        if random.random() < 0.02:
            words.insert(random.randrange(len(words) + 1), self._value(random.choice(list(Shape))))
        if signature.tests is Tests.ONE:
            words.append(self.test(depth + 1))
        elif signature.tests is Tests.MANY:
            tests = [self.test(depth + 1) for _ in range(random.randint(1, 3))]
            words.append(f"({', '.join(tests)})")
        if signature.has_block:
            count = random.randint(0, 2) if depth < 3 else 0
            words.append("{" + "".join(self.command(depth + 1) for _ in range(count)) + "}")
        elif signature.name in self._language.commands:
            words.append(";\n")
        return " ".join(words)

    def _tags(self, signature: Signature[object]) -> list[str]:
        random, language = self._random, self._language
        kinds = list(signature.tags) + [
            named.thing
            for (name, _), named in sorted(language.tags.items())
            if name == signature.name
        ]
        groups: dict[str, TagKind] = {}
        for kind in random.sample(kinds, min(len(kinds), random.choice((0, 1, 1, 2, 3)))):
            groups.setdefault(kind.group or kind.name, kind)
        tags = [
            f":{kind.name}" + (f" {self._value(kind.value)}" if kind.value is not None else "")
            for kind in groups.values()
        ]
        if signature.matches and random.random() < 0.8:
            match_type = language.match_types[random.choice(sorted(language.match_types))].thing
            value = f" {quoted(random.choice(('gt', 'ge', 'lt', 'le', 'eq', 'ne')))}"
            tags.append(f":{match_type.name}" + (value if match_type.takes_value else ""))
        if signature.matches and random.random() < 0.3:
            tags.append(f":comparator {quoted(random.choice(sorted(language.comparators)))}")
        if signature.address_part and random.random() < 0.5:
            tags.append(f":{random.choice(sorted(language.address_parts))}")
        random.shuffle(tags)
        return tags

    def _value(self, shape: Shape) -> str:
        random = self._random
        match shape:
            case Shape.NUMBER:
                return str(random.choice(NUMBERS))
            case Shape.STRING:
                return quoted(self._text())
            case Shape.STRINGS:
                count = random.choice((1, 1, 2, 3, 5))
                return f"[{', '.join(quoted(self._text()) for _ in range(count))}]"

    def _text(self) -> str:
        texts = [self._random.choice(TEXTS) for _ in range(self._random.choice((1, 1, 1, 2, 3)))]
        return "".join(texts)

    def _compiles(self, command: str) -> bool:
        try:
            self._language.compile((self.require + command).encode("utf-8", "replace"))
        except InvalidScript:
            return False
        return True


def quoted(text: str) -> str:
    text = text.replace("\0", "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def mutated(content: bytes, random: Random) -> bytes:
    """The content with some pieces cut, doubled, exchanged or broken."""
    for _ in range(random.choice((0, 0, 1, 2, 5))):
        at = random.randint(0, len(content))
        end = min(len(content), at + random.choice((0, 1, 2, 10, 200)))
        piece = random.choice(
            (
                b"",
                content[at:end] * 3,
                bytes(random.randrange(256) for _ in range(3)),
                b"\r\n",
                b"\r\n\r\n",
                b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
                b"Subject: =?utf-8?q?=FF?=\r\n",
                b"--",
            )
        )
        content = content[:at] + piece + content[end:]
    return content


def message(random: Random) -> bytes:
    return mutated(random.choice(MESSAGES), random)


def envelope(random: Random) -> ScriptEnvelope:
    paths = (
        "",
        "tom@example.com",
        "<>",
        '"a b"@example.com',
        "üser@exämple.com",
        "x",
        "a@[127.0.0.1]",
    )
    return ScriptEnvelope(random.choice(paths), random.choice(paths))


def environment(random: Random) -> dict[str, str]:
    """Items of a delivery, or of an IMAP command."""
    items = {
        "domain": "example.org",
        "host": "mx.example.org",
        "location": "MDA",
        "phase": "during",
    }
    if random.random() < 0.3:
        items |= {"location": "MS", "phase": "post", "imap.user": "me", "imap.mailbox": "INBOX"}
        items |= {"imap.cause": random.choice(("APPEND", "COPY", "FLAG")), "imap.flags": "a \\Seen"}
    return items


def host(writer: Writer) -> MemoryHost:
    """One that knows some of what the strings name; its scripts include each other and themselves."""
    scripts = {name: writer.script(2).encode("utf-8", "replace") for name in ("a", "b", "name")}
    return MemoryHost(
        folders={"Junk", "Fences", "a/b/c"},
        ids={"a": "Fences"},
        uses={"\\junk": ["Junk"]},
        annotations={("INBOX", "/private/comment"): "x", (None, "/shared/x"): "7"},
        lists={"a": {"tom@example.com"}, ":addrbook:default": {"me@example.org"}},
        personal=scripts,
        library={**scripts, "broken": b"frob;"},
    )
