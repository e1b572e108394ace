"""Keeps services alive: starts them, restarts what dies with a back-off, stops all in order.

One thread, and children that die with it (PR_SET_PDEATHSIG), so that even `kill -9` of this process leaves nothing
behind. What a service is, is somebody else's business (`mailsite.services`).
"""

import contextlib
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import setproctitle

from transport.processes import die_with_parent

FIRST_BACK_OFF_SECONDS = 0.2
LONGEST_BACK_OFF_SECONDS = 30.0
SOUND_LIFE_SECONDS = 30.0  # who lived so long is restarted with the first back-off
TICK_SECONDS = 0.5

log = logging.getLogger(__name__)


class Running(Protocol):
    """A started service."""

    def has_ended(self) -> bool:
        """Whether it is gone, its exit status collected."""

    def terminate(self) -> None:
        """Ask it to end in order."""

    def kill(self) -> None:
        """End it at once, and collect its exit status."""

    def hang_up(self) -> None:
        """Ask it to read its certificate again, if it has one."""


@dataclass(slots=True)
class Service:
    """What is kept alive. `stage` orders the stop: lower stages end first, those of one stage together."""

    name: str
    start: Callable[[], Running]
    stage: int
    stop_seconds: float
    running: Running | None = None
    started_at: float = 0.0
    back_off: float = FIRST_BACK_OFF_SECONDS
    retry_at: float = 0.0


@dataclass(slots=True)
class Forked:
    """A service that is a fork of this process, which has imported what it needs already."""

    pid: int
    has_been_reaped: bool = False
    takes_hang_up: bool = False

    def has_ended(self) -> bool:
        if not self.has_been_reaped:
            self.has_been_reaped = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return self.has_been_reaped

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)
        if not self.has_been_reaped:
            os.waitpid(self.pid, 0)
            self.has_been_reaped = True

    def hang_up(self) -> None:
        if self.takes_hang_up:
            self._send(signal.SIGHUP)

    def _send(self, number: signal.Signals) -> None:
        if not self.has_been_reaped:
            os.kill(self.pid, number)


def fork(title: str, main: Callable[[], object], *, takes_hang_up: bool = False) -> Forked:
    """Run `main` in a child of its own session, so that a terminal's Ctrl-C reaches the supervisor alone."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child:
        return Forked(child, takes_hang_up=takes_hang_up)
    code: object = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        die_with_parent(parent)
        setproctitle.setproctitle(f"mailsite {title}")
        main()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        log.exception("%s failed", title)
    finally:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


@dataclass(slots=True)
class Supervisor:
    """Runs `services` until SIGINT or SIGTERM. `on_tick` is called about twice a second, and after each event."""

    services: Sequence[Service]
    on_tick: Callable[[], None] = lambda: None
    _is_stopping: bool = False
    _is_hurried: bool = False
    _hang_up: bool = False
    _wakeup: tuple[int, int] = field(default=(-1, -1))

    def run(self) -> None:
        """Start every service and keep it alive; returns when all have ended."""
        with self._signals():
            try:
                while not self._is_stopping:
                    self._look_after_all()
                    self.on_tick()
                    self._sleep(TICK_SECONDS)
            finally:
                self._stop_all()

    def _look_after_all(self) -> None:
        if self._hang_up:
            self._hang_up = False
            for service in self.services:
                if service.running is not None:
                    service.running.hang_up()
        for service in self.services:
            if self._is_stopping:
                return
            if service.running is not None and service.running.has_ended():
                self._note_end(service)
            if service.running is None and time.monotonic() >= service.retry_at:
                self._start(service)

    def _start(self, service: Service) -> None:
        try:
            service.running = service.start()
            service.started_at = time.monotonic()
        except Exception as error:
            log.error("%s does not start: %s", service.name, error)
            self._wait_longer(service)

    def _note_end(self, service: Service) -> None:
        service.running = None
        if time.monotonic() - service.started_at >= SOUND_LIFE_SECONDS:
            service.back_off = FIRST_BACK_OFF_SECONDS
        log.warning("%s ended; started again in %.1f s", service.name, service.back_off)
        self._wait_longer(service)

    def _wait_longer(self, service: Service) -> None:
        service.retry_at = time.monotonic() + service.back_off
        service.back_off = min(service.back_off * 2, LONGEST_BACK_OFF_SECONDS)

    def _stop_all(self) -> None:
        for stage in sorted({service.stage for service in self.services}):
            ending = [s for s in self.services if s.stage == stage and s.running is not None]
            for service in ending:
                if service.running is not None and not service.running.has_ended():
                    service.running.terminate()
            deadlines = {s.name: time.monotonic() + s.stop_seconds for s in ending}
            while ending := [s for s in ending if s.running and not s.running.has_ended()]:
                for service in ending:
                    if self._is_hurried or time.monotonic() > deadlines[service.name]:
                        log.warning("%s does not end; it is killed", service.name)
                        if service.running is not None:
                            service.running.kill()
                self._sleep(0.05)

    def _sleep(self, seconds: float) -> None:
        """Until a signal comes (a child's end is one), the next retry is due, or the time is over."""
        due = min((s.retry_at for s in self.services if s.running is None), default=float("inf"))
        wait = max(0.0, min(seconds, due - time.monotonic()))
        if select.select([self._wakeup[0]], [], [], wait)[0]:
            os.read(self._wakeup[0], 512)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = (reader, writer)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        handlers = {
            signal.SIGINT: self._note_stop,
            signal.SIGTERM: self._note_stop,
            signal.SIGHUP: self._note_hang_up,
            signal.SIGCHLD: _note_nothing,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(-1)
            os.close(reader)
            os.close(writer)

    def _note_stop(self, number: int, frame: object) -> None:
        if self._is_stopping and number == signal.SIGINT:  # Ctrl-C once more
            self._is_hurried = True
        self._is_stopping = True

    def _note_hang_up(self, number: int, frame: object) -> None:
        """A closed terminal ends us; without a terminal it is an operator who has renewed the certificate."""
        if sys.stdin.isatty():
            self._is_stopping = True
        self._hang_up = True


def _note_nothing(number: int, frame: object) -> None:
    """SIGCHLD only has to wake `_sleep`."""
