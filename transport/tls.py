"""The TLS context of this process's listeners: one, shared by all of them, read again on SIGHUP."""

import functools
import logging
import ssl

from django.conf import settings

log = logging.getLogger(__name__)


@functools.cache
def server_context() -> ssl.SSLContext:
    """The context of all listeners, with the certificate of TLS_CERT_FILE and TLS_KEY_FILE.

    TLS 1.2 at least (RFC 8996, RFC 9325 §3.1.1). Raises OSError when the files cannot be read or do not match.
    """
    return _read()


def reload_certificate() -> None:
    """Use the certificate that the files hold now for new connections; one that cannot be used is logged and not taken."""
    try:
        _read()
    except OSError as error:
        log.error("the certificate was not read again: %s", error)
        return
    server_context().load_cert_chain(settings.TLS_CERT_FILE, settings.TLS_KEY_FILE)
    log.info("the certificate was read again")


def _read() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(settings.TLS_CERT_FILE, settings.TLS_KEY_FILE)
    return context
