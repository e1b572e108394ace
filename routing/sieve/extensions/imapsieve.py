"""imapsieve (RFC 6785): the word that a script requires which runs as a message is appended, copied or flagged.

The events come as items of the environment; what such a script may not do is told by the one who carries it out (§3).
"""

from routing.sieve.language import Extension

EXTENSION = Extension("imapsieve")
