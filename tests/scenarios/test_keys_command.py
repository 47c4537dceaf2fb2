"""An operator keeps the certificate of an authority, and an auditor checks a PDF offline."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from typer.testing import CliRunner

import common.cli.keys
from common.cli.main import billing
from tests.hotel import Hotel
from tests.proofs import assert_books_are_right, trail

pytestmark = pytest.mark.req("INV-5", "CLI-1")


@pytest.fixture(autouse=True)
def _this_house(hotel: Hotel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BILLING_LOCAL_FOLDER", str(tmp_path))
    monkeypatch.setattr(common.cli.keys, "_wiring", lambda: hotel.house.wiring)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(billing, [str(each) for each in arguments])


def issued_for(request: x509.CertificateSigningRequest) -> bytes:
    """What an authority sends: the certificate, and its own above it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])
    found = []
    for subject, public, ca in (
        (request.subject, request.public_key(), False),
        (name, key.public_key(), True),
    ):
        builder = x509.CertificateBuilder(
            name,
            subject,
            public,  # type: ignore[arg-type]
            x509.random_serial_number(),
            now - timedelta(days=1),
            now + timedelta(days=365),
        ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        for extension in () if ca else request.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        found.append(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return b"".join(found)


def newest_pdf(hotel: Hotel) -> bytes:
    ((name,),) = hotel.rows(
        "SELECT object_name FROM {s}.invoice_renditions ORDER BY rendered_at DESC LIMIT 1"
    )
    pdf: bytes = hotel.house.wiring.documents.get(hotel.tenant_id, name)
    return pdf


def test_what_an_authority_issued_signs_from_then_on(hotel: Hotel) -> None:
    """By the key's own first, then by the authority's; what was signed before stays as it is."""
    _, first = hotel.closed_folio()
    hotel.render(first)
    asked = run("keys", "request", hotel.tenant_id)
    assert asked.exit_code == 0, asked.output
    request = x509.load_pem_x509_csr(asked.stdout.encode())
    assert request.is_signature_valid
    pem = issued_for(request)

    kept = run("keys", "certificate", hotel.tenant_id, "--pem", pem.decode())
    again = run("keys", "certificate", hotel.tenant_id, "--pem", pem.decode())

    assert (kept.exit_code, again.exit_code) == (0, 0), kept.output
    assert "signs with it" in kept.stdout
    assert "has it already" in again.stdout
    assert [entry["actor"] for entry in trail(hotel, "certificate.kept")] == [
        "system:on_invoice_generated",
        "system:keys",
    ]
    _, second = hotel.closed_folio()
    hotel.render(second)
    (signature,) = PdfFileReader(BytesIO(newest_pdf(hotel))).embedded_signatures
    (leaf, root) = x509.load_pem_x509_certificates(pem)
    assert signature.signer_cert.dump() == leaf.public_bytes(Encoding.DER)
    assert [each.dump() for each in signature.other_embedded_certs] == [
        root.public_bytes(Encoding.DER)
    ]
    assert_books_are_right(hotel)


def test_refuses_what_is_not_for_the_key(hotel: Hotel) -> None:
    _, invoice = hotel.closed_folio()
    hotel.render(invoice)
    request = x509.load_pem_x509_csr(run("keys", "request", hotel.tenant_id).stdout.encode())
    pem = issued_for(request)
    hotel.house.wiring.keys.rotate(hotel.tenant_id)  # type: ignore[attr-defined]

    of_the_old_key = run("keys", "certificate", hotel.tenant_id, "--pem", pem.decode())
    of_nobody = run("keys", "request", "00000000-0000-4000-8000-000000000000")

    assert of_the_old_key.exit_code == 1
    assert "another key" in of_the_old_key.output
    assert of_nobody.exit_code == 1
    assert "no tenant" in of_nobody.output
    assert hotel.rows("SELECT own FROM {s}.signing_certificates") == [[True]]


@pytest.mark.req("INV-8")
def test_an_auditor_checks_the_seal_offline(hotel: Hotel, tmp_path: Path) -> None:
    """The PDF, what the service answers beside it, and the hotel's public key."""
    _, invoice = hotel.closed_folio()
    hotel.render(invoice)
    pdf, answer, key, strange = (
        tmp_path / each for each in ("a.pdf", "a.json", "hotel.pem", "strange.pem")
    )
    pdf.write_bytes(newest_pdf(hotel))
    answer.write_bytes(hotel.get(f"/invoices/{invoice}").data)
    keys = hotel.house.wiring.keys
    public = keys.public_key(hotel.tenant_id, keys.current(hotel.tenant_id))
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    for file, each in ((key, load_der_public_key(public)), (strange, stranger)):
        file.write_bytes(each.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    given = ("--payload", answer, "--json")

    genuine = run("invoice", "verify", pdf, *given, "--public-key", key)
    of_another = run("invoice", "verify", pdf, *given, "--public-key", strange)
    changed = bytearray(pdf.read_bytes())
    changed[len(changed) // 2] ^= 1
    pdf.write_bytes(changed)
    bent = run("invoice", "verify", pdf, *given, "--public-key", key)

    assert genuine.exit_code == 0, genuine.output
    found = json.loads(genuine.stdout)
    assert (found["valid"], found["signature"], found["seal"]) == (True, "valid", "valid")
    assert of_another.exit_code == 1
    assert json.loads(of_another.stdout)["seal"] == "broken"
    assert bent.exit_code in (1, 2)
