"""The server's exchange of SCRAM-SHA-256, by RFC 7677's example, and whatever a client may send."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.sasl.scram import ScramExchange
from transport.sasl.steps import Challenge, Claimed, Confirmed, Proof, SaslError

NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO" + NONCE.encode() + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
UNPROVEN = b"c=biws,r=rOprNGfwEbeRWgbNEkqO" + NONCE.encode()
PROOF = b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="


def begun() -> ScramExchange:
    exchange = ScramExchange(lambda: NONCE)
    assert exchange.step(FIRST) == Claimed("user")
    assert exchange.challenge(SALT, 4096) == Challenge(SERVER_FIRST)
    return exchange


def test_the_rfc_s_example() -> None:
    exchange = begun()
    proof = exchange.step(UNPROVEN + b",p=" + PROOF)
    message = b"n=user,r=rOprNGfwEbeRWgbNEkqO," + SERVER_FIRST + b"," + UNPROVEN
    assert proof == Proof(base64.b64decode(PROOF), message)
    signature = base64.b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    final = exchange.confirm(signature)
    assert final == Challenge(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert exchange.step(b"") == Confirmed()


def test_without_an_initial_response_it_asks() -> None:
    exchange = ScramExchange()
    assert exchange.step(None) == Challenge(b"")
    assert exchange.step(FIRST) == Claimed("user")


def test_two_nonces_are_never_the_same() -> None:
    challenges = set()
    for _ in range(10):
        exchange = ScramExchange()
        exchange.step(FIRST)
        challenges.add(exchange.challenge(SALT, 4096).text)
    assert len(challenges) == 10


@pytest.mark.parametrize(
    ("first", "login"),
    [
        (b"y,,n=ann,r=x", "ann"),
        (b"n,a=ann,n=ann,r=x", "ann"),
        (b"n,,n=a=2Cb=3Dc,r=x", "a,b=c"),
        (b"n,,n=ann,r=x,z=ignored", "ann"),
        ("n,,n=jürgen@example.com,r=x".encode(), "jürgen@example.com"),
    ],
)
def test_names(first: bytes, login: str) -> None:
    assert ScramExchange().step(first) == Claimed(login)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n=ann,r=x",
        b"p=tls-exporter,,n=ann,r=x",
        b"p=tls-server-end-point,,n=ann,r=x",
        b"x,,n=ann,r=x",
        b"n,a=bob,n=ann,r=x",
        b"n,,n=,r=x",
        b"n,,n=a=2cb,r=x",
        b"n,,n=a=,r=x",
        b"n,,n=ann,r=",
        b"n,,n=ann,r=a b",
        b"n,,m=x,n=ann,r=x",
        b"n,,n=ann\0,r=x",
        b"n,,n=\xff,r=x",
        b"n,,r=x,n=ann",
    ],
)
def test_a_bad_first_message_is_refused(first: bytes) -> None:
    with pytest.raises(SaslError):
        ScramExchange().step(first)


@pytest.mark.parametrize(
    "final",
    [
        b"",
        UNPROVEN,
        UNPROVEN + b",p=",
        UNPROVEN + b",p=***",
        UNPROVEN + b",p=" + PROOF + b",x=y",
        UNPROVEN.replace(b"biws", b"eSws") + b",p=" + PROOF,  # y,, now: somebody took -PLUS away
        UNPROVEN.replace(b"biws", b"biw") + b",p=" + PROOF,
        UNPROVEN + b"x,p=" + PROOF,
        UNPROVEN[:-1] + b",p=" + PROOF,
        b"r=x,c=biws,p=" + PROOF,
    ],
)
def test_a_bad_final_message_is_refused(final: bytes) -> None:
    with pytest.raises(SaslError):
        begun().step(final)


def test_nothing_follows_the_server_s_signature() -> None:
    exchange = begun()
    exchange.step(UNPROVEN + b",p=" + PROOF)
    exchange.confirm(b"x")
    with pytest.raises(SaslError):
        exchange.step(b"n,,n=root,r=x")


words = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from([b"n", b"y", b"p=x", b",", b"n=", b"r=", b"c=", b"=", b"biws", b"\0"])
    ).map(b"".join),
)


@given(words, words)
def test_nothing_raises_but_saslerror(first: bytes, final: bytes) -> None:
    exchange = ScramExchange()
    try:
        assert isinstance(exchange.step(first), Claimed)
    except SaslError:
        pass
    else:
        assert isinstance(exchange.challenge(SALT, 4096), Challenge)
    with contextlib.suppress(SaslError):
        assert isinstance(begun().step(final), Proof)
