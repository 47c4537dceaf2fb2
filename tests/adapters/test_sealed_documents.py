"""The PDF of a document: for the archive (PDF/A-3), with its e-invoice, signed, and tried.

The signature is tried by pyHanko with its own eyes, not by the self-check of the house; no external
validator runs here (veraPDF and Mustang need Java packages that are not on this machine).
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from common.documents.certificates import authority_certificate, certificate_request
from common.documents.checking import must_add_up
from common.documents.printer import PdfPrinter
from common.domain.certificate import CertificateGiven, CertificateUnusable, signing
from common.domain.settings import Issuer
from common.local.keys import KeyFiles
from common.ports.powers import DrawingRefused, Seal
from tests.domain.front_desk import Account
from tests.domain.test_stays import TestDubai as Dubai
from tests.pdfa import broken_by, xmp

pytestmark = pytest.mark.req("INV-5")

ROOT = Path(__file__).parents[2]
TENANT = UUID("2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64")
ISSUER = Issuer(name="Hotel am Tiergarten GmbH", address_lines=(), tax_id="", country="DE")
NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
PRINTER = PdfPrinter()
ADDRESS = "https://hotel.test/api/v1/invoices/x/verify?tenant=y&hash=z"


def a_stay() -> Account:
    """A night in Dubai: a service charge, a fee on it, VAT on both, a levy beside them."""
    account = Dubai().guest()
    account.charge(50_000)
    account.pay(65_025, method="card")
    return account


@cache
def drawn(without_xml: str = "") -> tuple[bytes, bytes | None]:
    """The unsigned PDF of a stay, and its XML unless a reason says why there is none."""
    from tests.domain.front_desk import series

    account = a_stay()
    invoice = account.invoice(account.close(), series())
    payload, person = json.loads(invoice.payload), invoice.person.document  # type: ignore[union-attr]
    xml = None if without_xml else PRINTER.e_invoice(payload, person)
    pdf = PRINTER.document(
        payload,
        person,
        payload_sha256=invoice.payload_sha256.hex(),
        verify_url=ADDRESS,
        language="en",
        template_version="invoice-1",
        copy=False,
        e_invoice=xml,
        without_xml=without_xml,
    )
    return pdf, xml


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    return KeyFiles(tmp_path_factory.mktemp("keys"))


def sign_with(keys: KeyFiles) -> Callable[[bytes], bytes]:
    return lambda digest: keys.sign(TENANT, digest).value


def certified(keys: KeyFiles) -> CertificateGiven:
    version = keys.current(TENANT)
    public = keys.public_key(TENANT, version)
    return PRINTER.own_certificate(ISSUER, version, public, sign_with(keys), NOW)


@pytest.fixture(scope="module")
def seal(keys: KeyFiles) -> Seal:
    return Seal(certified(keys), sign_with(keys), NOW)


@pytest.fixture(scope="module")
def signed(seal: Seal) -> bytes:
    pdf, xml = drawn()
    return PRINTER.sealed(pdf, seal, xml)


def test_a_stranger_finds_the_whole_file_signed_and_nothing_added(
    signed: bytes, seal: Seal
) -> None:
    reader = PdfFileReader(BytesIO(signed))
    (signature,) = reader.embedded_signatures
    (der,) = seal.certificate.chain
    trusted = ValidationContext(
        trust_roots=[signature.signer_cert], moment=NOW, allow_fetching=False
    )

    found = validate_pdf_signature(signature, trusted)

    assert (found.intact, found.valid, found.trusted, found.docmdp_ok) == (True,) * 4
    assert found.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert found.modification_level is ModificationLevel.NONE
    assert found.signing_cert.dump() == der
    assert found.signer_reported_dt == NOW
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert found.pkcs7_signature_mechanism == "sha256_ecdsa"


def test_the_drawn_document_stands_before_the_signature_byte_for_byte(signed: bytes) -> None:
    pdf, xml = drawn()
    assert signed.startswith(pdf)
    assert xmp(signed) == xmp(pdf)
    assert PRINTER.identity(signed) == PRINTER.identity(pdf)
    (attached,) = PdfReader(BytesIO(signed)).attachments["factur-x.xml"]
    assert attached == xml


@pytest.mark.parametrize("which", ["drawn", "signed"])
def test_it_keeps_what_pdf_a_asks(which: str, signed: bytes) -> None:
    assert broken_by(signed if which == "signed" else drawn()[0]) == []


@pytest.mark.parametrize(
    ("said", "bent"),
    [
        (b"/UF", b"/UG"),
        (b"<pdfaid:part>3<", b"<pdfaid:part>2<"),
        (b"/F 4", b"/F 2"),
        (b"/FontFile2", b"/FontFile9"),
        (b"/GTS_PDFA1", b"/GTS_PDFX1"),
        (b"/Alternative", b"/Unspecified"),
    ],
)
def test_the_lint_of_pdf_a_finds_what_is_bent(said: bytes, bent: bytes) -> None:
    assert said in drawn()[0]
    assert broken_by(drawn()[0].replace(said, bent)) != []


def test_its_metadata_say_whose_it_is(signed: bytes) -> None:
    number, digest = PRINTER.identity(signed)
    text = xmp(signed)
    for said in (
        f"<doc:invoiceNumber>{number}<",
        f"<doc:payloadSha256>{digest}<",
        "<doc:templateVersion>invoice-1<",
        "<doc:eInvoice>factur-x.xml<",
        "<fx:DocumentFileName>factur-x.xml<",
        "<fx:ConformanceLevel>EN 16931<",
    ):
        assert said in text, said


@pytest.mark.parametrize("place", ["page", "xml", "metadata", "certificate"])
def test_a_changed_byte_is_found(place: str, signed: bytes, seal: Seal) -> None:
    from common.documents.sealing import must_hold

    marks = {
        "page": signed.index(b"stream\n") + 20,
        "xml": signed.index(b"1950") if b"1950" in signed else signed.index(b"<ram:Name>") + 10,
        "metadata": signed.index(b"<doc:payloadSha256>") + 30,
        "certificate": signed.rindex(b"/Contents <") + 400,
    }
    changed = bytearray(signed)
    changed[marks[place]] ^= 1
    with pytest.raises(Exception):  # noqa: B017 - it breaks wherever it was changed
        must_hold(drawn()[0], bytes(changed), seal, drawn()[1])


def test_a_changed_byte_in_the_place_of_the_signature_is_found(signed: bytes) -> None:
    """Which the signature cannot sign: what is behind its end, and how its digits are spelled."""
    from common.documents.sealing import read_seal

    begins = signed.rindex(b"/Contents <") + len(b"/Contents <")
    ends = signed.index(b">", begins)
    letter = next(at for at in range(begins, ends) if signed[at : at + 1].isalpha())
    for at, sign in ((ends - 1, b"1"), (ends - 40, b" "), (letter, signed[letter:][:1].swapcase())):
        found = read_seal(signed[:at] + sign + signed[at + 1 :])
        assert found is not None
        assert not found.holds
    whole = read_seal(signed)
    assert whole is not None
    assert whole.holds


def test_what_is_added_later_is_found(signed: bytes, seal: Seal) -> None:
    from common.documents.sealing import must_hold

    with pytest.raises(DrawingRefused, match="does not hold"):
        must_hold(drawn()[0], signed + b"\n%more", seal, drawn()[1])


def test_the_self_check_refuses_another_xml_and_another_key(keys: KeyFiles, seal: Seal) -> None:
    pdf, xml = drawn()
    assert xml is not None
    with pytest.raises(DrawingRefused, match="another one"):
        PRINTER.sealed(pdf, seal, xml + b"\n")
    stranger = ec.generate_private_key(ec.SECP256R1())
    forged = replace(seal, sign=lambda digest: stranger.sign(digest, ec.ECDSA(_prehashed())))
    with pytest.raises(DrawingRefused):
        PRINTER.sealed(pdf, forged, xml)
    late = replace(seal, at=NOW + timedelta(days=366 * 21))
    with pytest.raises(DrawingRefused, match="does not hold"):
        PRINTER.sealed(pdf, late, xml)


@pytest.mark.parametrize(
    ("said", "bent"),
    [
        (b"<ram:GrandTotalAmount>650.25", b"<ram:GrandTotalAmount>650.26"),
        (b"<ram:LineTotalAmount>500.00", b"<ram:LineTotalAmount>500.01"),
        (b"<ram:CalculatedAmount>30.25", b"<ram:CalculatedAmount>30.26"),
        (b"<ram:ActualAmount>55.00", b"<ram:ActualAmount>54.99"),
        (b"<ram:BasisAmount>605.00", b"<ram:BasisAmount>604.99"),
        (b"<ram:DuePayableAmount>0.00", b"<ram:DuePayableAmount>0.01"),
    ],
)
def test_a_cent_is_found_where_the_standards_rules_leave_a_dirham(said: bytes, bent: bytes) -> None:
    xml = drawn()[1]
    assert xml is not None
    must_add_up(xml)
    assert said in xml
    with pytest.raises(DrawingRefused, match="add up"):
        must_add_up(xml.replace(said, bent))


def test_a_document_without_xml_says_why_and_is_signed_all_the_same(seal: Seal) -> None:
    pdf, xml = drawn("Two value-added taxes.")
    signed = PRINTER.sealed(pdf, seal, xml)
    assert broken_by(signed) == []
    assert "<doc:eInvoice>none: Two value-added taxes.<" in xmp(signed)
    assert "factur-x" not in xmp(signed)
    assert not PdfReader(BytesIO(signed)).attachments


@pytest.mark.req("INV-4")
def test_it_is_the_same_in_every_process_before_its_signature() -> None:
    program = (
        "import hashlib; from tests.adapters.test_sealed_documents import drawn;"
        "pdf, xml = drawn(); print(hashlib.sha256(pdf + xml).hexdigest())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TZ": "Asia/Kabul"}
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**environment, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    pdf, xml = drawn()
    assert xml is not None
    assert set(told) == {hashlib.sha256(pdf + xml).hexdigest()}


class TestCertificates:
    def test_one_of_the_keys_own_names_the_issuer(self, keys: KeyFiles) -> None:
        given = certified(keys)
        (leaf,) = map(x509.load_der_x509_certificate, given.chain)
        leaf.verify_directly_issued_by(leaf)
        assert leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == ISSUER.name
        assert leaf.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)[0].value == "DE"
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        assert (usage.digital_signature, usage.content_commitment) == (True, True)
        assert (given.own, given.key_version) == (True, keys.current(TENANT))
        assert given.valid_from <= NOW < NOW + timedelta(days=365 * 20) < given.valid_to

    def test_the_newest_valid_one_signs_and_an_authoritys_before_the_keys_own(
        self, keys: KeyFiles
    ) -> None:
        own = certified(keys)
        theirs = replace(own, own=False, valid_to=NOW + timedelta(days=1))
        newer = replace(theirs, valid_to=NOW + timedelta(days=2))
        version = own.key_version
        assert signing([], version, NOW) is None
        assert signing([own], "another", NOW) is None
        assert signing([theirs, newer, own], version, NOW) == newer
        assert signing([theirs, own], version, NOW + timedelta(days=1)) == own

    def test_an_authority_signs_with_the_key_it_certified(self, keys: KeyFiles) -> None:
        """A root issues for the request of the key; the file ends below the root it names."""
        chain, pem = _issued(keys)
        given = authority_certificate(pem, keys.current(TENANT), _public(keys), NOW)
        assert given.chain == chain
        assert given.own is False
        pdf, xml = drawn()
        signed = PRINTER.sealed(pdf, Seal(given, sign_with(keys), NOW), xml)
        (signature,) = PdfFileReader(BytesIO(signed)).embedded_signatures
        assert signature.signer_cert.dump() == chain[0]

    def test_what_is_no_certificate_for_the_key_is_refused(self, keys: KeyFiles) -> None:
        version, public = keys.current(TENANT), _public(keys)
        _, pem = _issued(keys)
        stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
        leaf, root = pem.split(b"-----END CERTIFICATE-----\n")[:2]
        another_root = _issued(keys)[1].split(b"-----END CERTIFICATE-----\n")[1]
        end = b"-----END CERTIFICATE-----\n"
        for wrong, why in (
            (b"nothing", "cannot be used"),
            (_issued(keys, stranger)[1], "another key"),
            (root + end + leaf + end, "another key"),
            (leaf + end + another_root + end, "cannot be used"),
        ):
            with pytest.raises(CertificateUnusable, match=why):
                authority_certificate(wrong, version, public, NOW)
        with pytest.raises(CertificateUnusable, match="valid now"):
            authority_certificate(pem, version, public, NOW + timedelta(days=800))


def _public(keys: KeyFiles) -> bytes:
    return keys.public_key(TENANT, keys.current(TENANT))


def _prehashed() -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    return Prehashed(hashes.SHA256())  # type: ignore[return-value]


def _issued(
    keys: KeyFiles, public: ec.EllipticCurvePublicKey | None = None
) -> tuple[tuple[bytes, ...], bytes]:
    """A certificate of a root for the key (or another one), as DER and as a file in PEM."""
    asked = certificate_request(ISSUER.name, ISSUER.country, _public(keys), sign_with(keys))
    request = x509.load_pem_x509_csr(asked)
    assert request.is_signature_valid
    assert request.public_key() == load_der_public_key(_public(keys))
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])

    def certificate(subject: x509.Name, of: object, *, ca: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            root_name,
            subject,
            of,  # type: ignore[arg-type]
            x509.random_serial_number(),
            NOW - timedelta(days=1),
            NOW + timedelta(days=730),
        ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        for extension in request.extensions if not ca else ():
            builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(root_key, hashes.SHA256())

    leaf = certificate(request.subject, public or request.public_key(), ca=False)
    root = certificate(root_name, root_key.public_key(), ca=True)
    chain = tuple(each.public_bytes(Encoding.DER) for each in (leaf, root))
    return chain, b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, root))
