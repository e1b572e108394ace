"""The driver's `imap-idle`, but each connection first appends a message of 500 KB: what does it keep of it?

Same options, same answer. The message is the same for all, so that the store, whose memory counts too, keeps one.
"""

import random
import sys
from argparse import Namespace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.benchmarks import load

SIZE = 500_000
MESSAGE = load.message(0, SIZE, "p@sender.test", "u1@perf.test", random.Random(5), "heavy")


class HeavyImap(load.Imap):
    """A client that appends once after its login."""

    async def login(self, a: Namespace, user: str) -> None:
        await super().login(a, user)
        await self.cmd(b"CREATE heavy", check=False)
        await self.append("heavy", MESSAGE)


if __name__ == "__main__":
    load.Imap = HeavyImap
    load.main()
