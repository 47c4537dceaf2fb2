"""Fuzz of files: a PDF is ours byte for byte, or it is not; no upload breaks anything.

Real invoices are drawn, then changed: bytes, places, order, metadata; strangers' files are made up,
among them such as would keep a parser busy. Only what we issued is valid, to the byte, whatever
else is asked beside it (INV-8, REL-7).
"""

import re
import zlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from common.documents.reading import PdfUnreadable, read_invoice_identity
from tests.hotel import Hotel, House
from tests.proofs import state

FIXED = settings(
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
NOTHING_KNOWN = {
    "valid": False,
    "signature": "broken",
    "status": "",
    "number": "",
    "date": None,
    "issuer": "",
    "language": "",
}
SHA_256 = re.compile(rb"[0-9a-f]{64}")
NUMBER = re.compile(rb"INV-AF-KBL-\d{4}-\d{6}")


@dataclass
class Counter:
    """Where strangers upload what they hold for an invoice of this hotel."""

    hotel: Hotel
    issued: dict[bytes, str]
    """What was drawn, and the number that stands on it."""

    @property
    def files(self) -> list[bytes]:
        return list(self.issued)

    def upload(self, content: bytes, tenant: UUID | str = "", **headers: str) -> TestResponse:
        sent = {
            "X-Forwarded-For": f"{uuid4()}, 10.0.0.1",
            "Content-Type": "application/pdf",
            **headers,
        }
        return self.hotel.call(
            "POST",
            "/invoices/verify",
            content,
            token=None,
            key=None,
            headers=sent,
            tenant=str(tenant or self.hotel.tenant_id),
        )

    def judges(self, content: bytes) -> None:
        """A file is valid when it is one of ours, and then it is the one it says it is."""
        answer = self.upload(content)
        assert answer.status_code == 200, answer.text
        if content in self.issued:
            assert (answer.json["valid"], answer.json["number"]) == (True, self.issued[content])
        else:
            assert answer.json == NOTHING_KNOWN


@pytest.fixture(scope="module")
def counter(house: House) -> Counter:
    """Two invoices as they were issued, and a further copy of the first."""
    hotel = house.new_hotel()
    issued: dict[bytes, str] = {}
    for cents in (10_000, 700):
        _, invoice = hotel.closed_folio(cents)
        assert hotel.render(invoice).status_code == 204
        if cents == 700:
            assert hotel.post(f"/invoices/{invoice}/regenerate").status_code == 201
    rows = hotel.rows(
        "SELECT r.object_name, i.number FROM {s}.invoice_renditions r"
        " JOIN {s}.invoices i ON i.id = r.invoice_id ORDER BY i.series_number, r.copy"
    )
    for name, number in rows:
        issued[hotel.house.wiring.documents.get(hotel.tenant_id, name)] = number
    assert len(issued) == 3
    return Counter(hotel, issued)


def swapped(one: bytes, other: bytes, what: re.Pattern[bytes]) -> bytes:
    """A file that says of itself what another one does, in the same place."""
    said = what.search(other)
    return one if said is None else what.sub(said[0], one)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "flip", "put", "cut", "tail", "double", "blank"]),
        st.integers(0, 2**22),
        st.integers(1, 300),
        st.binary(min_size=1, max_size=8),
    ),
    max_size=3,
)


def edited(content: bytes, edits: list[tuple[str, int, int, bytes]]) -> bytes:
    for kind, place, length, more in edits:
        here = place % max(1, len(content))
        there = min(len(content), here + length)
        content = {
            "flip": content[:here] + bytes([content[here] ^ more[0]]) + content[here + 1 :]
            if content
            else b"",
            "put": content[:here] + more + content[here:],
            "cut": content[:here] + content[there:],
            "tail": content[:here],
            "double": content[:there] + content[here:],
            "blank": content[:here] + b" " * (there - here) + content[there:],
        }[kind]
    return content


@pytest.mark.req("REL-7", "INV-8")
def test_an_invoice_is_valid_to_the_byte_and_no_other_is(counter: Counter) -> None:
    before = state(counter.hotel)

    @settings(FIXED, max_examples=150)
    @given(which=st.integers(0, 2), edits=EDITS)
    def show(which: int, edits: list[tuple[str, int, int, bytes]]) -> None:
        counter.judges(edited(counter.files[which], edits))

    show()

    assert state(counter.hotel) == before


@pytest.mark.req("REL-7", "INV-8")
def test_no_mixture_of_two_invoices_is_one(counter: Counter) -> None:
    """One behind the other, halves of both, one with the number or the hash of the other."""
    first, second, copy = counter.files
    files = [one + other for one in counter.files for other in counter.files]
    files += [one[: len(one) // 2] + other[len(other) // 2 :]
              for one in counter.files for other in counter.files]  # fmt: skip
    files += [swapped(first, second, what) for what in (SHA_256, NUMBER)]
    files += [swapped(swapped(first, second, SHA_256), second, NUMBER)]
    files += [
        b"\n" + first,
        first + b"\n",
        first.replace(b"\n", b"\r\n"),
        first.upper(),
        first[::-1],
    ]
    files += [b"%PDF-1.4\n" + first, first.replace(b"%%EOF", b"%%EOF\n%%EOF"), copy + b"\0"]

    for content in [*files, *counter.files]:
        counter.judges(content)


def stream(data: bytes, more: bytes = b"") -> bytes:
    head = b"<< /Length %d /Filter /FlateDecode %s >> stream\n" % (len(data), more)
    return head + data + b"\nendstream"


def pdf(*objects: bytes, info: bytes = b"") -> bytes:
    """A small file with a cross-reference table that fits."""
    content, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n"
    return content + table + trailer % (len(places) + 1, info, len(content))


BOMB = zlib.compress(bytes(32 * 2**20), 9)
NESTED = b"[" * 20_000 + b"]" * 20_000
BOMBS: dict[str, bytes] = {
    "a stream of 32 MiB in 32 KiB": pdf(b"<< /Type /Catalog /Pages 2 0 R >>", stream(BOMB)),
    "a bomb in a bomb": pdf(b"<< /Type /Catalog >>", stream(zlib.compress(BOMB))),
    "an object stream that is a bomb": pdf(
        b"<< /Type /Catalog >>", stream(BOMB, b"/Type /ObjStm /N 100000 /First 10")
    ),
    "a cross-reference stream that is a bomb": pdf(
        b"<< /Type /Catalog >>", stream(BOMB, b"/Type /XRef /W [1 9 9] /Size 99999999")
    ),
    "arrays without end": pdf(b"<< /Type /Catalog /Kids " + NESTED + b" >>"),
    "metadata without end": pdf(
        b"<< /Type /Catalog >>", b"<< /invoiceNumber " + NESTED + b" >>", info=b"/Info 2 0 R"
    ),
    "metadata that is itself": pdf(b"<< /Type /Catalog >>", b"2 0 R", info=b"/Info 2 0 R"),
    "a table that leads to itself": (
        b"%PDF-1.7\nxref\n0 0\ntrailer << /Prev 9 >>\nstartxref\n9\n%%EOF"
    ),
    "a million objects": b"%PDF-1.7\n" + b"1 0 obj\nendobj\n" * 100_000,
    "eight mebibytes of nothing": b"%PDF-1.7\n" + bytes(8 * 2**20 - 9),
    "eight mebibytes of brackets": b"%PDF-1.7\n" + b"<<" * (2**22 - 5),
    "encrypted": pdf(b"<< /Type /Catalog >>", info=b"/Encrypt << /Filter /Standard /V 9 >>"),
    "no PDF at all": zlib.compress(b"x" * 10**6),
}


@pytest.mark.req("REL-7", "INV-8")
@pytest.mark.parametrize("kind", BOMBS)
def test_what_would_keep_a_parser_busy_is_none_of_ours(counter: Counter, kind: str) -> None:
    """Verifying parses nothing; whoever parses such a file, as a command does, comes to an end."""
    assert len(BOMBS[kind]) <= 8 * 2**20

    counter.judges(BOMBS[kind])

    if len(BOMBS[kind]) < 2**20:
        with pytest.raises(PdfUnreadable):
            read_invoice_identity(BOMBS[kind])


FORMS = st.sampled_from(["text/html", "application/json", "*/*", "text/html;q=0.1, */*", "a/b", ""])
TYPES = st.sampled_from(["application/pdf"] * 4 + ["application/json", "text/html", "", "a"])


@pytest.mark.req("REL-7", "INV-8", "API-6")
def test_whatever_is_uploaded_however_is_no_failure_of_ours(counter: Counter) -> None:
    """Any bytes under any type, for any tenant: not valid, or refused as it was sent."""
    other = counter.hotel.house.new_hotel()

    @settings(FIXED, max_examples=100)
    @given(
        content=st.binary(max_size=300) | st.binary(max_size=60).map(lambda b: b"%PDF-1.7\n" + b),
        ours=st.none() | st.integers(0, 2),
        tenant=st.sampled_from([str(uuid4()), str(other.tenant_id), "none", "\x00", "x" * 99]),
        accept=FORMS,
        kind=TYPES,
    )
    def show(content: bytes, ours: int | None, tenant: str, accept: str, kind: str) -> None:
        sent = content if ours is None else counter.files[ours]
        headers: dict[str, Any] = {"Accept": accept, "Content-Type": kind}
        answer = counter.upload(sent, tenant, **headers)
        assert answer.status_code in (200, 400, 406, 415), answer.text
        if answer.status_code == 200 and answer.is_json:
            assert answer.json == NOTHING_KNOWN
        elif answer.status_code == 200:
            assert answer.content_type.startswith("text/html")
            assert "INV-AF-KBL" not in answer.text

    show()


@pytest.mark.req("REL-7", "INV-5", "INV-8")
def test_reading_who_a_file_says_it_is_never_breaks(counter: Counter) -> None:
    """A changed invoice says what it says, or cannot be read; nothing else comes out of it."""

    @settings(FIXED, max_examples=60)
    @given(which=st.integers(0, 2), edits=EDITS)
    def read(which: int, edits: list[tuple[str, int, int, bytes]]) -> None:
        content = edited(counter.files[which], edits)
        try:
            number, sha_256 = read_invoice_identity(content)
        except PdfUnreadable:
            return
        assert len(sha_256) == 64
        assert number.isprintable()

    read()
