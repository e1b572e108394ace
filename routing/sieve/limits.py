"""The bounds of scripts and of their runs (RFC 5228 §2.10.7 gives the least of some)."""

SCRIPT_SIZE_MAXIMUM = 1 << 20  # octets
TOKENS_MAXIMUM = 40_000
COMPILED_OCTETS_MAXIMUM = 64 << 20  # what the preparing of keys costs, in characters looked at
ERRORS_MAXIMUM = 50  # told of one script
NESTING_MAXIMUM = 32  # of blocks, and of tests in tests; at least 15
IDENTIFIER_MAXIMUM = 128  # characters
NUMBER_MAXIMUM = (1 << 63) - 1

ACTIONS_MAXIMUM = 32
REDIRECTS_MAXIMUM = 4
INSTRUCTIONS_MAXIMUM = 100_000  # commands and tests of one run, with those of included scripts
TOO_MANY_STEPS = "the script does too many steps"
MATCHED_OCTETS_MAXIMUM = 256 << 20  # characters looked at by the match types of one run
QUESTIONS_MAXIMUM = 200  # of one run to its host, each of which may be a look-up in a database
TEXT_MAXIMUM = 1 << 20  # characters of one expanded string
