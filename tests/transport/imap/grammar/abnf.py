"""ABNF (RFC 5234) as one regular expression. Recursive rules become groups that call themselves; all others are put in place.

Two things are not RFC 5234's: `<...>` is a regular expression and not prose, and a rule that has several `=/` lines may have
them anywhere.
"""

import re

import regex

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<name>[A-Za-z][A-Za-z0-9-]*)
      | "(?P<text>[^"]*)"
      | <(?P<raw>.+?)>(?=\s|$|[/)\]])
      | %x(?P<hex>[0-9A-Fa-f]+(?:[-.][0-9A-Fa-f]+)*)
      | (?P<repeat>[0-9]*\*[0-9]*|[0-9]+)
      | (?P<mark>[()\[\]/])
    )""",
    re.VERBOSE,
)
_RULE = re.compile(r"^([A-Za-z][A-Za-z0-9-]*)\s*(=/?)\s*(.*)$")


class Grammar:
    """The rules of a text, by name."""

    def __init__(self, text: str) -> None:
        self._rules: dict[str, str] = {}
        name = ""
        for line in text.splitlines():
            line = _without_comment(line)
            if rule := _RULE.match(line):
                name = rule[1]
                known = self._rules.get(name)
                assert (known is None) == (rule[2] == "="), f"{name} is defined twice, or never"
                self._rules[name] = rule[3] if known is None else f"{known} / {rule[3]}"
            elif line.strip():
                self._rules[name] += " " + line.strip()

    def compile(self, start: str) -> "regex.Pattern[bytes]":
        """The expression of one rule."""
        recursive: set[str] = set()
        _Expansion(self._rules, recursive, []).rule(start)  # finds them
        groups = "".join(
            f"(?P<{_group(name)}>{_Expansion(self._rules, recursive, []).body(name)})"
            for name in sorted(recursive)
        )
        body = _Expansion(self._rules, recursive, []).rule(start)
        source = f"(?(DEFINE){groups}){body}" if groups else body
        return regex.compile(source.encode("latin-1"), regex.IGNORECASE | regex.VERSION1)


class _Expansion:
    """Expands rules to the text of a regular expression."""

    def __init__(self, rules: dict[str, str], recursive: set[str], above: list[str]) -> None:
        self._rules, self._recursive, self._above = rules, recursive, above

    def rule(self, name: str) -> str:
        if name in self._recursive or name in self._above:
            self._recursive.add(name)
            return f"(?&{_group(name)})"
        return f"(?:{self.body(name)})"

    def body(self, name: str) -> str:
        inner = _Expansion(self._rules, self._recursive, [*self._above, name])
        tokens, text, position = [], self._rules[name].strip(), 0
        while position < len(text):
            token = _TOKEN.match(text, position)
            assert token is not None, f"{name}: {text[position:]}"
            tokens.append((token.lastgroup or "", token[token.lastgroup or 0]))
            position = token.end()
        made = inner._alternatives(tokens)
        assert not tokens, f"{name}: {tokens}"
        return made

    def _alternatives(self, tokens: list[tuple[str, str]]) -> str:
        found = [self._sequence(tokens)]
        while tokens and tokens[0] == ("mark", "/"):
            tokens.pop(0)
            found.append(self._sequence(tokens))
        return "|".join(found)

    def _sequence(self, tokens: list[tuple[str, str]]) -> str:
        made = ""
        while tokens and tokens[0] not in {("mark", "/"), ("mark", ")"), ("mark", "]")}:
            made += self._element(tokens)
        return made

    def _element(self, tokens: list[tuple[str, str]]) -> str:
        kind, value = tokens.pop(0)
        match kind:
            case "repeat":
                least, star, most = value.partition("*")
                bounds = f"{{{least or 0},{most}}}" if star else f"{{{least}}}"
                return f"(?:{self._element(tokens)}){bounds}"
            case "name":
                return self.rule(value)
            case "text":
                return re.escape(value)
            case "raw":
                return value
            case "hex" if "-" in value:
                first, last = value.split("-")
                return f"[\\x{first}-\\x{last}]"
            case "hex":
                return "".join(f"\\x{octet}" for octet in value.split("."))
        made = self._alternatives(tokens)
        assert tokens.pop(0)[1] == {"(": ")", "[": "]"}[value]
        return f"(?:{made})?" if value == "[" else f"(?:{made})"


def _group(name: str) -> str:
    return name.replace("-", "_")


def _without_comment(line: str) -> str:
    parts = re.findall(r'"[^"]*"|<.+?>(?=\s|$|[/)\]])|[^;"<]+|;.*', line)
    return "".join(part for part in parts if not part.startswith(";"))
