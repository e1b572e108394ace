"""What the text of a message tells of it: words, links, and how it is laid out. HTML's hidden text counts apart."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from accounts.mailstore.markup import text_of_html
from routing.spam.words import organization, size, words, words_and_pairs

LINKS_LIMIT = 200

_URL = re.compile(
    r"(?:https?|ftp)://([^\s<>\"'/?#]{1,200})([^\s<>\"'?#]{0,100})(\??)", re.IGNORECASE
)
_TELLING_TAG = re.compile(r"<(form|input|iframe|script|object|embed)\b", re.IGNORECASE)
_HIDING = re.compile(
    r"<([a-z][a-z0-9]{0,9})\b(?=[^<>]{0,500}?(?:display\s?:\s?none|visibility\s?:\s?hidden"
    r"|font-size\s?:\s?[01](?:px|pt|em)?\s?[;\"']))"
)
_SIGNS_OF_HIDING = ("none", "hidden", "font-size")
_LINK = re.compile(
    r"<a\s[^<>]{0,500}?href\s?=\s?[\"']?https?://([^\s<>\"'/?#]{1,200})[^<>]{0,500}>\s*"
    r"(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,9}[a-z]{2,12})(?=[\s/<])",
    re.IGNORECASE,
)
# A signature (RFC 3676 §4.3) or what a list adds below.
_FOOT = re.compile(r"^(?:-- ?|_{20,}+|-{20,}+)\r?$", re.MULTILINE)
_FOOT_LIMIT = 1500


def plain_tokens(text: str) -> Iterator[Iterable[str]]:
    """Of text/plain, in batches; what stands below a signature's line is the same in many messages, and counts apart."""
    body, foot = _without_foot(text)
    yield _links(body)
    yield from _shown(body, foot)


def html_tokens(html: str) -> Iterator[Iterable[str]]:
    """Of text/html, in batches."""
    yield _links(html)
    yield (f"tag:{tag.lower()}" for tag in _TELLING_TAG.findall(html))
    for target, shown in _LINK.findall(html):
        if organization(target) != organization(shown):
            yield ("url:/disguised",)
    visible, hidden = _without_hidden(html)
    text = text_of_html(visible)
    yield (f"html:shown {10 * len(text.strip()) // (len(html) or 1)}",)
    if hidden:
        yield ("html:hides",)
        yield words("hidden:", text_of_html(hidden))
    yield from _shown(*_without_foot(text))


def _links(text: str) -> Iterator[str]:
    hosts = set()
    for number, (host, path, query) in enumerate(_URL.findall(text)):
        if number == LINKS_LIMIT:
            break
        if "@" in host:
            yield "url:/user"
        host, _, port = host.lower().rpartition("@")[2].partition(":")
        if port:
            yield "url:/port"
        if query:
            yield "url:/query"
        hosts.add(host)
        last = host.rpartition(".")[2]
        if last.isdigit():
            yield "url:/address"
        else:
            yield f"url:{host[:60]}"
            yield f"url:{organization(host)[:60]}"
            yield f"url:.{last[:12]}"
        yield from words("path:", unquote(path) if "%" in path else path)
    yield f"layout:links {size(len(hosts))}"


def _shown(body: str, foot: str) -> Iterator[Iterable[str]]:
    found, capitals = words_and_pairs("", body)
    quoted = body.count("\n>")
    yield (
        f"layout:capitals {size(capitals)}",
        f"layout:! {size(body.count('!'))}",
        f"layout:$ {size(body.count('$'))}",
        f"layout:quoted {size(quoted)}",
        f"layout:length {size(len(body) // 64)}",
    )
    if max(map(len, body.split()), default=0) > 60:
        yield ("layout:long word",)
    yield found
    yield words("foot:", foot)


def _without_foot(text: str) -> tuple[str, str]:
    found = _FOOT.search(text, max(0, len(text) - _FOOT_LIMIT))
    return (text[: found.start()], text[found.end() :]) if found else (text, "")


def _without_hidden(html: str) -> tuple[str, str]:
    """The markup without and of the elements that are styled away, each up to the next end of its name."""
    lower = html.lower()
    if len(lower) != len(html) or not any(sign in lower for sign in _SIGNS_OF_HIDING):
        return html, ""
    shown: list[str] = []
    hidden: list[str] = []
    position = 0
    for tag in _HIDING.finditer(lower):
        end = lower.find(f"</{tag[1]}", tag.end())
        if end < 0:
            break
        if tag.start() >= position:
            shown.append(html[position : tag.start()])
            hidden.append(html[tag.start() : end])
            position = end
    shown.append(html[position:])
    return " ".join(shown), " ".join(hidden)
