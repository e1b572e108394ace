"""imapsieve (RFC 6785): the word that a script requires which runs as a message is appended, copied or flagged.

The events come as items of the environment; what has no place after an IMAP
command fails there (`occasion`, §3.11).
"""

from routing.sieve.language import Extension

EXTENSION = Extension("imapsieve")
