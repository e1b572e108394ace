"""What import contracts cannot say: who touches the mail tables, and which way migrations depend."""

import ast
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from mailsite.configuration import ROOT

PACKAGES = ("accounts", "routing", "transport", "mailsite")
OWNERS = ("accounts/mailstore/", "accounts/journal/")
MAIL_TABLE = re.compile(
    r"\b(FROM|INTO|UPDATE|JOIN|TABLE)\s+(ONLY\s+)?"
    r"mail_(blob|message|rendered|search_text|folder|subscription|entry|change)\b",
    re.IGNORECASE,
)
LEVELS = {"accounts": 0, "routing": 1, "transport": 2, "mailsite": 3}


def sources() -> Iterator[str]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name and not name.startswith(OWNERS):
                yield name


@pytest.mark.parametrize("source", sorted(sources()))
def test_mail_tables_are_touched_by_the_mail_store_alone(source: str) -> None:
    texts = [
        node.value
        for node in ast.walk(ast.parse((ROOT / source).read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert not [text for text in texts if MAIL_TABLE.search(text)]


def test_migrations_depend_downward() -> None:
    graph = MigrationLoader(None).graph
    upward = [
        (node, parent.key)
        for node in graph.nodes
        for parent in graph.node_map[node].parents
        if LEVELS.get(parent.key[0], -1) > LEVELS.get(node[0], 99)
    ]
    assert not upward


def test_models_have_their_migrations() -> None:
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.state import ProjectState

    loader = MigrationLoader(None)
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(
        graph=loader.graph
    )
    assert not changes
