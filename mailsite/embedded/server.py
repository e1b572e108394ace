"""A running embedded server: how it is asked to end, and made to."""

import signal
import subprocess
from dataclasses import dataclass
from typing import IO, ClassVar


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A process of ours and the lock of its folder, which is free once the process has ended."""

    process: subprocess.Popen[bytes]
    lock: IO[str]

    end_signal: ClassVar[signal.Signals] = signal.SIGTERM
    kill_signal: ClassVar[signal.Signals] = signal.SIGKILL
    stop_seconds: ClassVar[float] = 5

    def has_ended(self) -> bool:
        """Whether it is gone; if so, its lock is free for the next start."""
        if self.process.poll() is None:
            return False
        self.lock.close()
        return True

    def terminate(self) -> None:
        """Ask it to end."""
        self.process.send_signal(self.end_signal)

    def kill(self) -> None:
        """End it at once."""
        self.process.send_signal(self.kill_signal)
        self.process.wait()
        self.lock.close()

    def hang_up(self) -> None:
        """It has no certificate."""

    def stop(self) -> None:
        """End it, in order if that does not take too long; returns when it has ended."""
        self.terminate()
        try:
            self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self.lock.close()
