"""What every listener needs: its sockets, its worker processes, its event loop, and a clean end.

`serve` binds the sockets and hands them on through the environment; a listener that runs alone binds them itself.
The parent forks one worker a core, all of which accept on the same sockets, and restarts what dies with a back-off.
SIGTERM ends all in order, SIGHUP makes them read the certificate again (`transport.tls`).
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop
from django.conf import settings

from transport import worker_loads
from transport.processes import die_with_parent
from transport.tls import reload_certificate

LISTEN_FDS_VARIABLE = "MAILSITE_LISTEN_FDS"
BACKLOG = 1024
FILES_WANTED = 65_536
STOP_SECONDS = 20  # a worker that has not ended by then is killed
FIRST_BACK_OFF_SECONDS = 0.25
LONGEST_BACK_OFF_SECONDS = 10.0
SOUND_LIFE_SECONDS = 30.0  # a worker that lived so long is restarted without a wait

log = logging.getLogger(__name__)


def sockets_for(name: str, port: int) -> list[socket.socket]:
    """The listening sockets of a service (`smtp`, `submission`, `submissions`, `imaps`, `sieve`, `http`).

    Inherited ones when MAILSITE_LISTEN_FDS names the service (JSON: {"smtp": [5, 6]}), else bound here to `port` on
    each of BIND_ADDRESS. Raises OSError when an address cannot be bound.
    """
    inherited = json.loads(os.environ.get(LISTEN_FDS_VARIABLE) or "{}")
    if name in inherited:
        return [_adopt(descriptor) for descriptor in inherited[name]]
    return [bind(address, port) for address in settings.BIND_ADDRESSES]


def bind(address: str, port: int) -> socket.socket:
    """A listening TCP socket; an IPv6 one takes no IPv4, so that `0.0.0.0` and `::` go together."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _adopt(descriptor: int) -> socket.socket:
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    return listener


def run_workers(target: Callable[[], None], processes: int) -> None:
    """Fork `processes` workers that run `target`, and keep that many alive until SIGTERM or SIGINT.

    Call it from the main thread before any thread, event loop or database connection exists: none survives a fork.
    Returns when the last worker has ended.
    """
    raise_file_limit()
    supervisor = _Workers(target, processes)
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    signal.signal(signal.SIGALRM, supervisor.give_up)
    signal.signal(signal.SIGHUP, supervisor.pass_on)
    supervisor.run()


def raise_file_limit() -> None:
    """Let this process and its children open FILES_WANTED files, or as many as it may: each connection is one.

    A shell's usual limit is 1024, and a process that has reached it can open no database connection either.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILES_WANTED:
        most = FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


class _Workers:
    """The parent's side: who lives, since when, and how long to wait before the next start."""

    def __init__(self, target: Callable[[], None], processes: int) -> None:
        self._target = target
        self._wanted = processes
        self._started: dict[int, float] = {}
        self._loads = worker_loads.share(processes)
        self._places: dict[int, int] = {}  # of the living, by process
        self._back_off = FIRST_BACK_OFF_SECONDS
        self._stopping = False

    def run(self) -> None:
        for _ in range(self._wanted):
            self._start()
        while self._started:
            ended = self._wait()
            if ended is None:
                continue
            log.warning("worker ended unasked: process %s; another is started", ended)
            self._pause(ended)
            if not self._stopping:
                self._start()

    def _start(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()  # or the child's collector would write to every page that it shares with us
        parent = os.getpid()
        place = min(set(range(self._wanted)).difference(self._places.values()))
        child = os.fork()
        if child:
            self._places[child] = place
            self._started[child] = time.monotonic()
            if self._stopping:  # the signal came between the look and the fork
                self._signal(signal.SIGTERM)
            return
        code = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            die_with_parent(parent)
            self._loads.begin(place)
            self._target()
            code = 0
        except BaseException:
            log.exception("a worker failed")
        finally:
            logging.shutdown()
            os._exit(code)

    def _wait(self) -> int | None:
        """Wait for the next child's end; None when it was not one of ours, or was asked to end."""
        child, _ = os.wait()
        if child not in self._started:
            return None
        if self._stopping:
            del self._started[child]
            return None
        return child

    def _pause(self, ended: int) -> None:
        life = time.monotonic() - self._started.pop(ended)
        del self._places[ended]
        if life >= SOUND_LIFE_SECONDS:
            self._back_off = FIRST_BACK_OFF_SECONDS
            return
        until = time.monotonic() + self._back_off
        self._back_off = min(self._back_off * 2, LONGEST_BACK_OFF_SECONDS)
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.05)

    def stop(self, number: int, frame: object) -> None:
        self._stopping = True
        self._signal(signal.SIGTERM)
        signal.alarm(STOP_SECONDS)

    def give_up(self, number: int, frame: object) -> None:
        self._signal(signal.SIGKILL)

    def pass_on(self, number: int, frame: object) -> None:
        self._signal(signal.Signals(number))

    def _signal(self, number: signal.Signals) -> None:
        for child in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)


def run_event_loop(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run `main(stop)` on uvloop until it returns. SIGTERM and SIGINT set `stop`, SIGHUP reads the certificate again.

    `main` listens, awaits `stop.wait()`, ends its connections and returns.
    """

    async def run() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGINT, stop.set)
        loop.add_signal_handler(signal.SIGHUP, reload_certificate)
        await main(stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
