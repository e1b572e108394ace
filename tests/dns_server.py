"""A real authoritative DNS server on loopback, over UDP and TCP on one port, for tests.

Records are a mapping of name to record type to values in zone-file form:

    {"example.test": {"MX": ["10 mx.example.test."], "TXT": ['"v=spf1 mx -all"']},
     "mx.example.test": {"A": ["127.0.0.1"]}}

A name that is not there, and has nothing below it, is NXDOMAIN. Relative names in values are absolute here: the
final dot may be left out. As a script it serves a JSON file of that form, read again whenever it changes:

    python tests/dns_server.py zones.json [--host 127.0.0.1] [--port 0]

and prints one line, `listening HOST:PORT`, when it is ready.
"""

import argparse
import json
import os
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset
import dns.zone

Records = Mapping[str, Mapping[str, Sequence[str]]]
TTL_SECONDS = 300
UDP_MAXIMUM = 512  # without EDNS, RFC 1035 §4.2.1
CNAME_DEPTH = 8


class DnsServer:
    """Serves from `start` to `stop`, or as a context manager; its records may be changed at any time."""

    def __init__(self, records: Records | None = None, host: str = "127.0.0.1", port: int = 0):
        self._lock = threading.Lock()
        self._records: dict[str, dict[str, list[str]]] = {}
        self._faults: dict[str, str] = {}
        self.queries: list[tuple[str, str]] = []  # (name, type), as asked, in order
        self.ttl = TTL_SECONDS
        self.is_validating = False  # answer with AD set to a query that asks for it
        self.load(records or {})
        self._udp, self._tcp = _bind(self, host, port)
        self.host, self.port = self._udp.server_address[0], self._udp.server_address[1]
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            for server in (self._udp, self._tcp)
        ]

    @property
    def address(self) -> tuple[str, int]:
        """(host, port), as an entry of settings.DNS_NAMESERVERS."""
        return str(self.host), int(self.port)

    def start(self) -> "DnsServer":
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def __enter__(self) -> "DnsServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # what it serves

    def load(self, records: Records) -> None:
        """Replace every record."""
        loaded = {
            _key(name): {kind.upper(): list(values) for kind, values in kinds.items()}
            for name, kinds in records.items()
        }
        with self._lock:
            self._records = loaded

    def load_zone(self, text: str, origin: str) -> None:
        """Add the records of a zone file."""
        zone = dns.zone.from_text(text, origin, check_origin=False, relativize=False)
        for name, rdataset in zone.iterate_rdatasets():
            kind = dns.rdatatype.to_text(rdataset.rdtype)
            self.add(name.to_text(), kind, *(rdata.to_text() for rdata in rdataset))

    def add(self, name: str, kind: str, *values: str) -> None:
        """Add values to those of the name and type; no value makes a name without records."""
        with self._lock:
            self._records.setdefault(_key(name), {}).setdefault(kind.upper(), []).extend(values)

    def add_text(self, name: str, text: str) -> None:
        """Add a TXT record, split into strings of 255 octets."""
        pieces = [text[i : i + 255] for i in range(0, len(text), 255)] or [""]
        self.add(
            name,
            "TXT",
            " ".join('"' + p.replace("\\", "\\\\").replace('"', '\\"') + '"' for p in pieces),
        )

    def add_pointer(self, address: str, host: str) -> None:
        """Add the PTR record of an address."""
        self.add(dns.reversename.from_address(address).to_text(), "PTR", _absolute(host))

    def remove(self, name: str, kind: str = "") -> None:
        """Remove the records of one type, or the name itself."""
        with self._lock:
            if kind:
                self._records.get(_key(name), {}).pop(kind.upper(), None)
            else:
                self._records.pop(_key(name), None)

    def fail(self, name: str, how: str = "SERVFAIL") -> None:
        """From now on answer queries for the name with this rcode; "DROP" answers nothing, "" ends it."""
        with self._lock:
            if how:
                self._faults[_key(name)] = how
            else:
                self._faults.pop(_key(name), None)

    # how it answers

    def answer(self, wire: bytes, limit: int) -> bytes | None:
        """The reply to one query, truncated to `limit` octets (0: no limit), or None for silence."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        if self.is_validating and query.flags & dns.flags.AD:
            response.flags |= dns.flags.AD
        with self._lock:
            self.queries.append((question.name.to_text(omit_final_dot=True).lower(), kind))
            fault = self._faults.get(_key(question.name.to_text()))
            if fault == "DROP":
                return None
            if fault:
                response.set_rcode(dns.rcode.from_text(fault))
            else:
                self._fill(response, question.name, kind)
        if limit and query.edns >= 0:
            limit = max(limit, query.payload)
        try:
            return response.to_wire(max_size=limit or 65535)
        except dns.exception.TooBig:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.AA | dns.flags.RA | dns.flags.TC
            return short.to_wire()

    def _fill(self, response: dns.message.Message, name: dns.name.Name, kind: str) -> None:
        for _ in range(CNAME_DEPTH):
            kinds = self._records.get(_key(name.to_text()))
            if kinds is None:
                if not self._has_children(name):
                    response.set_rcode(dns.rcode.NXDOMAIN)
                break
            values = kinds.get(kind)
            if values:
                response.answer.append(self._rrset(name, kind, values))
                return
            alias = kinds.get("CNAME")
            if not alias or kind == "CNAME":
                break
            response.answer.append(self._rrset(name, "CNAME", alias))
            name = dns.name.from_text(alias[0])
        soa = "ns.invalid. hostmaster.invalid. 1 3600 600 86400 300"
        response.authority.append(self._rrset(dns.name.root, "SOA", [soa]))

    def _rrset(self, name: dns.name.Name, kind: str, values: Sequence[str]) -> dns.rrset.RRset:
        rdatas = [
            dns.rdata.from_text(
                dns.rdataclass.IN,
                dns.rdatatype.from_text(kind),
                v,
                origin=dns.name.root,
                relativize=False,
            )
            for v in values
        ]
        return dns.rrset.from_rdata_list(name, self.ttl, rdatas)

    def _has_children(self, name: dns.name.Name) -> bool:
        suffix = "." + _key(name.to_text())
        return any(key.endswith(suffix) for key in self._records)


class _UdpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, socket = self.request
        reply = self.server.dns.answer(wire, UDP_MAXIMUM)  # type: ignore[attr-defined]
        if reply is not None:
            socket.sendto(reply, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        while len(prefix := self.rfile.read(2)) == 2:
            wire = self.rfile.read(struct.unpack("!H", prefix)[0])
            reply = self.server.dns.answer(wire, 0)  # type: ignore[attr-defined]
            if reply is None:
                return
            self.wfile.write(struct.pack("!H", len(reply)) + reply)


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = 65535


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def _bind(owner: DnsServer, host: str, port: int) -> tuple[_UdpServer, _TcpServer]:
    """Both sockets on one port; with port 0, one that is free for both."""
    for _ in range(50):
        udp = _UdpServer((host, port), _UdpHandler)
        try:
            tcp = _TcpServer((host, udp.server_address[1]), _TcpHandler)
        except OSError:
            udp.server_close()
            if port:
                raise
            continue
        udp.dns = tcp.dns = owner  # type: ignore[attr-defined]
        return udp, tcp
    raise OSError("no port is free for both UDP and TCP")


def _key(name: str) -> str:
    return name.rstrip(".").lower()


def _absolute(name: str) -> str:
    return name.rstrip(".") + "."


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a JSON file of DNS records on loopback.")
    parser.add_argument("zones", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    parent = os.getppid()
    server = DnsServer(
        json.loads(arguments.zones.read_text()), arguments.host, arguments.port
    ).start()
    print(f"listening {server.host}:{server.port}", flush=True)
    seen = arguments.zones.stat().st_mtime_ns
    try:
        while os.getppid() == parent:  # it ends with the test that started it
            time.sleep(0.1)
            changed = arguments.zones.stat().st_mtime_ns
            if changed != seen:
                try:
                    server.load(json.loads(arguments.zones.read_text()))
                    seen = changed
                except ValueError as error:  # read while it was being written
                    print(error, file=sys.stderr, flush=True)
    except (KeyboardInterrupt, FileNotFoundError):
        pass
    server.stop()


if __name__ == "__main__":
    main()
