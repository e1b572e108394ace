"""imap4flags: what changes of many flags cost has a bound."""

from time import process_time

import pytest

from tests.routing.sieve.scripts import result_of

PARTS = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 800 + b"--b--\r\n"
)


@pytest.mark.parametrize("variable", ["", '"v" '])
def test_changes_of_many_flags_have_a_bound(variable: str) -> None:
    words = " ".join(f"f{number}" for number in range(1900))
    changes = f'addflag {variable}"q";\n' * 100
    requires = 'require ["imap4flags", "variables", "foreverypart"];'
    start = process_time()
    result = result_of(
        f'{requires} addflag {variable}"{words}"; foreverypart {{ {changes} }}', PARTS
    )
    assert process_time() - start < 8
    assert result.error is not None
    assert result.error.message == "the script compares too much text"
