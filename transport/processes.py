"""What ties a process to its parent: when the parent ends, however it ends, the child is ended too.

Pure operating system: Linux's prctl(2) PR_SET_PDEATHSIG through ctypes, and nothing of the mail server.
"""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Let the kernel send `number` to this process when its parent ends.

    Call it in the child: after os.fork(), or as `preexec_fn=partial(die_with_parent, os.getpid())` of subprocess
    (it runs after `user=…` has changed the credentials, which would clear it). The signal fires when the *thread*
    that started the child ends, so start such children from the main thread. A parent that has already ended is
    noticed here: the process exits at once.
    """
    if _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    if os.getppid() != parent:
        os._exit(1)
