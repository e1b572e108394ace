"""The Authentication-Results field: what it says, that nobody breaks out of it, and that forged ones go."""

import email.policy
import re
import time
from email import message_from_bytes

import authres
import pytest

from routing.evidence import (
    ArcEvidence,
    ArcSet,
    Authentication,
    DkimEvidence,
    DmarcEvidence,
    SpfEvidence,
)
from transport.authentication.results_field import results_field, without_forged

OURS = "mx.example.org"
NASTY = 'x"; dmarc=pass\r\nAuthentication-Results: mx.example.org; dkim=pass (\\) \x00\ud800\u202e'


def write(authentication: Authentication, sender: str = "a@example.com") -> str:
    return results_field(OURS, authentication, sender=sender, client_address="2001:db8::1").decode()


class TestOurField:
    def test_says_all(self) -> None:
        field = write(
            Authentication(
                SpfEvidence("softfail", "example.com"),
                (
                    DkimEvidence("pass", "example.com", "s1", "rsa-sha256", "abc/+=1", True),
                    DkimEvidence("fail", "list.example", reason="body hash mismatch"),
                ),
                ArcEvidence("pass", (ArcSet(2, "b.example", ""), ArcSet(1, "a.example", ""))),
                DmarcEvidence("pass", "example.com", "reject", "example.com", ("dkim",)),
            )
        )
        assert re.sub(r"\r\n[ \t]+", " ", field) == (
            "Authentication-Results: mx.example.org;"
            " spf=softfail smtp.mailfrom=a@example.com;"
            " dkim=pass (test mode) header.d=example.com header.s=s1 header.a=rsa-sha256"
            ' header.b="abc/+=1";'
            ' dkim=fail reason="body hash mismatch" header.d=list.example;'
            " dmarc=pass header.from=example.com policy.dmarc=reject;"
            ' arc=pass (i=2) smtp.remote-ip="2001:db8::1"\r\n'
        )

    def test_of_an_unsigned_bounce(self) -> None:
        field = write(Authentication(SpfEvidence("none", "mail.example.com", "helo")), "")
        assert field.split(";\r\n\t") == [
            "Authentication-Results: mx.example.org",
            "spf=none\r\n\t smtp.helo=mail.example.com",
            "dkim=none",
            "dmarc=none",
            "arc=none\r\n",
        ]

    def test_keeps_unicode_of_a_sender(self) -> None:
        assert '"jürgen@example.com"' in write(Authentication(SpfEvidence("pass")), "jürgen@example.com")  # fmt: skip

    def test_quotes_a_local_part_that_needs_it(self) -> None:
        field = write(Authentication(SpfEvidence("pass")), '"a; b"@example.com')
        assert 'smtp.mailfrom="\\"a; b\\"@example.com"' in field

    @pytest.mark.parametrize("where", ["sender", "spf", "dkim", "arc", "dmarc"])
    def test_holds_hostile_values(self, where: str) -> None:
        nasty = {
            "sender": Authentication(SpfEvidence("pass", "x")),
            "spf": Authentication(SpfEvidence("pass", NASTY, "helo")),
            "dkim": Authentication(
                SpfEvidence("none"),
                (DkimEvidence("fail", NASTY, NASTY, NASTY, NASTY, reason=NASTY),) * 10,
            ),
            "arc": Authentication(SpfEvidence("none"), arc=ArcEvidence("fail", reason=NASTY * 99)),
            "dmarc": Authentication(
                SpfEvidence("none"), dmarc=DmarcEvidence("fail", NASTY, reason=NASTY * 99)
            ),
        }[where]
        field = write(nasty, NASTY if where == "sender" else "")
        lines = field.removesuffix("\r\n").split("\r\n")
        assert all(line.startswith("\t") for line in lines[1:])
        assert max(map(len, lines)) < 998
        assert all(character.isprintable() for character in re.sub(r"\r\n\t", "", field.strip()))
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', field)
        assert "dmarc=pass" not in outside
        assert outside.count(";") == (13 if where == "dkim" else 4)
        assert field.count("Authentication-Results: ") >= 1

    @pytest.mark.parametrize("value", ["example.com", NASTY])
    def test_is_read_by_others(self, value: str) -> None:
        field = write(
            Authentication(
                SpfEvidence("pass", value, "helo"),
                (DkimEvidence("fail", value, value, reason=value),) * 2,
                ArcEvidence("fail", reason=value),
                DmarcEvidence("fail", value, "none", value),
            ),
            "",
        )
        message = message_from_bytes(
            field.encode() + b"Subject: x\r\n\r\nbody", policy=email.policy.default
        )
        assert message.keys() == ["Authentication-Results", "Subject"]
        header = authres.AuthenticationResultsHeader.parse(field.replace("\r\n", ""))
        assert header.authserv_id == OURS
        assert [(one.method, one.result) for one in header.results] == [
            ("spf", "pass"), ("dkim", "fail"), ("dkim", "fail"), ("dmarc", "fail"), ("arc", "fail"),
        ]  # fmt: skip


class TestForgedFields:
    @pytest.mark.parametrize(
        "value",
        [
            b" mx.example.org; dmarc=pass",
            b"mx.example.org;dmarc=pass",
            b" MX.Example.ORG 1; dmarc=pass",
            b" mx.example.org.; dmarc=pass",
            b'\r\n\t"mx.example.org"; dmarc=pass\r\n header.from=x',
            b' "mx.\\example.org"; dmarc=pass',
            b" (a (nested; \\) comment)) mx.example.org; dmarc=pass",
            b" (mx.example.org; dmarc=pass",
            b' "mx.example.org; dmarc=pass',
            b" ; mx.example.org; dmarc=pass",
            b" mx.example.org",
        ],
    )
    @pytest.mark.parametrize("name", [b"Authentication-Results", b"AUTHENTICATION-results \t"])
    def test_go(self, name: bytes, value: bytes) -> None:
        rest = b"Subject: x\r\n\r\nAuthentication-Results: mx.example.org; body\r\n"
        forged = name + b":" + value + b"\r\n"
        assert without_forged(forged + rest, OURS) == rest
        assert without_forged(b"To: y\r\n" + forged + forged + rest, OURS) == b"To: y\r\n" + rest

    @pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n\r\n", b"\n\nbody", b"\r\n\r\nbody"])
    def test_go_at_the_end_of_the_header(self, end: bytes) -> None:
        content = b"Subject: x\r\nAuthentication-Results: mx.example.org; a=b" + end
        kept = end.replace(b"\r\n", b"", 1) if b"\r" in end else end.replace(b"\n", b"", 1)
        assert without_forged(content, OURS) == b"Subject: x\r\n" + kept

    def test_go_in_unicode(self) -> None:
        content = (
            "Authentication-Results: bücher.example; dmarc=pass\r\nSubject: x\r\n\r\n".encode()
        )
        assert without_forged(content, "xn--bcher-kva.example") == b"Subject: x\r\n\r\n"

    def test_go_behind_a_thousand_fields(self) -> None:
        fields = b"X: y\r\n" * 5000
        content = fields + b"Authentication-Results: mx.example.org; a=b\r\n\r\nbody"
        assert without_forged(content, OURS) == fields + b"\r\nbody"

    @pytest.mark.parametrize(
        "value", [b"other.example; dmarc=pass", b"mx.example.org.example; x", b"amx.example.org; x"]
    )
    def test_those_of_others_stay(self, value: bytes) -> None:
        content = b"Authentication-Results: " + value + b"\r\n\r\nbody"
        assert without_forged(content, OURS) is content or without_forged(content, OURS) == content

    def test_other_fields_and_bodies_stay(self) -> None:
        content = b"X-Authentication-Results: mx.example.org\r\n\r\nAuthentication-Results: mx.example.org"
        assert without_forged(content, OURS) is content

    @pytest.mark.parametrize(
        "value", [b"(" * 2_000_000, b'"' + b"\\" * 2_000_001, b" " * 2_000_000, b"()" * 1_000_000]
    )
    def test_are_looked_at_in_linear_time(self, value: bytes) -> None:
        began = time.process_time()
        without_forged(b"Authentication-Results:" + value + b"\r\n\r\n", OURS)
        assert time.process_time() - began < 5

    def test_many_of_them_go_in_linear_time(self) -> None:
        began = time.process_time()
        content = b"Authentication-Results: mx.example.org; a=b\r\n" * 20_000 + b"\r\nx"
        assert without_forged(content, OURS) == b"\r\nx"
        assert time.process_time() - began < 5
