"""The operator's command where no stack runs, and what it makes of files and of books that err."""

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from pypdf import PdfWriter
from typer.testing import CliRunner, Result

from common.cli.main import billing
from common.domain.canonical import canonical
from common.postgres.address import open_session
from common.postgres.doctor import Doctor
from tests.hotel import Hotel, charge

pytestmark = pytest.mark.req("CLI-1")

COMMANDS = [
    *("run", "token", "doctor", "tenant", "invoice", "keys"),
    *("job", "dlq", "migrate", "recovery", "trials", "openapi", "functions"),
]


@pytest.fixture(autouse=True)
def _no_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BILLING_LOCAL_FOLDER", str(tmp_path))
    for name in ("BILLING_URL", "BILLING_MIGRATION_DSN", "BILLING_DATABASE"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(billing, [str(each) for each in arguments])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert "Example" in result.output or "Commands" in result.output


@pytest.mark.parametrize("command", ["token", "doctor", "tenant list", "recovery status"])
def test_asks_for_a_stack_where_none_runs(command: str) -> None:
    result = run(*command.split())

    assert result.exit_code in (1, 2)
    assert "make run" in result.output


class Paper:
    """An invoice's PDF with its payload, and the hotel's key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.payload = {"number": "INV-AF-KBL-2026-000001", "totals": {"grossMicro": 134_000_000}}
        self.digest = sha256(canonical(self.payload)).digest()
        self.pdf = folder / "invoice.pdf"
        writer = PdfWriter()
        writer.add_blank_page(100, 100)
        writer.metadata = {
            "/invoiceNumber": self.payload["number"],
            "/payloadSha256": self.digest.hex(),
        }
        writer.write(self.pdf)
        self.public = folder / "hotel.pem"
        self.public.write_bytes(
            self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def answer(self, **changes: object) -> Path:
        """What GET /invoices/{id} answered, or something made of it."""
        value = self.key.sign(self.digest, ec.ECDSA(Prehashed(SHA256())))
        signature = {"value": b64encode(value).decode()}
        file = self.folder / "invoice.json"
        file.write_text(json.dumps({"payload": self.payload, "signature": signature, **changes}))
        return file


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    return Paper(tmp_path)


@pytest.mark.req("INV-3", "INV-8")
class TestVerifyingAnInvoice:
    def test_holds_the_pdf_against_its_payload_and_its_signature(self, paper: Paper) -> None:
        result = run(
            *("invoice", "verify", paper.pdf, "--payload", paper.answer()),
            *("--public-key", paper.public, "--json"),
        )

        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout)
        assert (found["valid"], found["signature"]) == (True, "valid")

    def test_finds_a_payload_that_was_changed(self, paper: Paper) -> None:
        changed = {**paper.payload, "totals": {"grossMicro": 134_000_001}}

        result = run("invoice", "verify", paper.pdf, "--payload", paper.answer(payload=changed))

        assert result.exit_code == 1
        assert "is another one" in result.stdout

    def test_finds_the_signature_of_somebody_else(self, paper: Paper, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        other = Paper(tmp_path / "other")

        result = run(
            *("invoice", "verify", paper.pdf, "--payload", paper.answer()),
            *("--public-key", other.public),
        )

        assert result.exit_code == 1
        assert "broken" in result.stdout

    def test_never_calls_genuine_what_it_could_not_check(self, paper: Paper) -> None:
        result = run("invoice", "verify", paper.pdf)

        assert result.exit_code == 3
        assert "not checked" in result.stdout

    def test_says_that_a_file_is_no_invoice(self, tmp_path: Path) -> None:
        file = tmp_path / "notes.pdf"
        file.write_text("no PDF at all")

        assert run("invoice", "verify", file).exit_code == 2

    def test_needs_a_signature_to_check_one(self, paper: Paper) -> None:
        result = run(
            *("invoice", "verify", paper.pdf, "--payload", paper.answer(signature=None)),
            *("--public-key", paper.public),
        )

        assert result.exit_code == 2
        assert "no signature" in result.output


@pytest.mark.req("MON-6")
def test_the_doctor_finds_a_balance_that_the_ledger_does_not_bear_out(hotel: Hotel) -> None:
    """110.00 on the folio, in its lines and in the ledger; then somebody writes 111.00 into it."""
    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/charges", charge("room", 10_000))
    session = open_session(hotel.house.server.dsn(database="billing"))
    try:
        doctor = Doctor(session)
        assert doctor.books(hotel.tenant_id).broken == ()

        hotel.rows("UPDATE {s}.folios SET balance_micro = 111000000 WHERE id = :id", id=folio)

        found = {each.name: each.first for each in doctor.books(hotel.tenant_id).broken}
        assert found["balance_is_the_sum_of_the_lines"] == (
            (folio, "balance 111000000, lines 110000000"),
        )
        assert found["balance_is_what_the_ledger_says"] == (
            (folio, "balance 111000000, ledger 110000000"),
        )
    finally:
        session.close()
