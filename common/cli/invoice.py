"""`billing invoice verify`: is this PDF an invoice as it was issued? Asked of nobody, offline.

It is asked of a hotel's invoice, or of one that the platform wrote to a hotel, by the key of whose
invoice it is.

The PDF names its number and the SHA-256 of its payload. The payload, as GET /invoices/{id} answers
it, is put into its canonical form (RFC 8785), hashed and compared; the signature that stands beside
it is checked with the hotel's public key, and so is the signature in the PDF, its seal. Of the
platform's own invoices the seal is all that is signed, and has to be there. That the file's bytes
are those that a hotel has issued only the service can tell: POST /invoices/verify.

Exit code 0: what could be checked holds; 1: something does not; 2: a file cannot be read;
3: nothing was given to hold the PDF against.
"""

import hashlib
import hmac
import json
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from common.cli.laptop import AsJson, failure
from common.domain.dataclass import dataclass

FALSE: Final = 1
UNREADABLE: Final = 2
UNPROVEN: Final = 3
PLATFORMS: Final = frozenset({"subscription_invoice", "platform_credit_note"})
"""The types of what the platform writes to its tenants."""

invoice = typer.Typer(name="invoice", help="Invoices: verify a PDF.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The invoice's PDF.")]
Payload = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        show_default=False,
        help="The invoice as GET /invoices/{id} answers it, or its payload alone.",
    ),
]
PublicKey = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        show_default=False,
        help="The public key of the hotel, or of the platform, in PEM.",
    ),
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; None is what could not be asked."""

    number: str
    payload_sha256: str
    payload: bool | None = None
    signature: bool | None = None
    seal: bool | None = None

    @property
    def exit_code(self) -> int:
        """0 only when something was checked, and all that was holds."""
        if False in (self.payload, self.signature, self.seal):
            return FALSE
        return UNPROVEN if self.payload is None else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "payloadSha256": self.payload_sha256,
            "payload": _word(self.payload, "is the PDF's", "is another one"),
            "signature": _word(self.signature, "valid", "broken"),
            "seal": _word(self.seal, "valid", "broken", "none"),
            "valid": self.exit_code == 0,
        }


@invoice.callback()
def group() -> None:
    """Keep `verify` a command of its own, whatever stands beside it."""


@invoice.command(
    epilog="Example: billing invoice verify INV.pdf --payload invoice.json --public-key hotel.pem"
)
def verify(
    file: File, payload: Payload = None, public_key: PublicKey = None, as_json: AsJson = False
) -> None:
    """Hold a PDF against the payload it names, and the payload's hash against its signature."""
    if public_key is not None and payload is None:
        raise failure("invoice", "the signature stands in the --payload: give that, too", 2)
    verdict = _verdict(file, payload, public_key)
    if as_json:
        typer.echo(json.dumps(verdict.as_json()))
    else:
        _tell(verdict)
    if verdict.exit_code:
        raise typer.Exit(verdict.exit_code)


def _verdict(file: Path, payload: Path | None, public_key: Path | None) -> Verdict:
    from common.documents.reading import PdfUnreadable, read_invoice_identity

    content = file.read_bytes()
    try:
        number, claimed = read_invoice_identity(content)
        seal = _seal(content, public_key)
    except (PdfUnreadable, ValueError) as unreadable:
        raise failure("invoice", f"{file}: {unreadable}", UNREADABLE) from unreadable
    if payload is None:
        return Verdict(number, claimed, seal=seal)
    try:
        document = json.loads(payload.read_text(encoding="utf-8"))
        stated = _payload_in(document)
        digest = _digest(stated)
        same = hmac.compare_digest(digest.hex(), claimed) and stated.get("number") == number
        signature = None
        if public_key is not None:
            if stated.get("type") in PLATFORMS:
                seal = bool(seal)
            else:
                signature = _signature(document, digest, public_key)
    except (ValueError, TypeError, AttributeError) as error:
        raise failure("invoice", f"{payload} cannot be read: {error}", UNREADABLE) from error
    return Verdict(number, claimed, same, signature, seal)


def _seal(pdf: bytes, public_key: Path | None) -> bool | None:
    """Whether the signature in the PDF holds, by the hotel's key where that is given.

    Raises ValueError for what cannot be read.
    """
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    from common.documents.sealing import read_seal

    found = read_seal(pdf)
    if found is None:
        return None
    if public_key is None:
        return found.holds
    known = load_pem_public_key(public_key.read_bytes())
    written = known.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found.holds and found.public_key == written


def _payload_in(document: dict[str, Any]) -> dict[str, Any]:
    """The payload in an answer, where the platform's is its text, or a payload alone."""
    stated = document.get("payload", document)
    read: dict[str, Any] = json.loads(stated) if isinstance(stated, str) else stated
    return read


def _digest(payload: dict[str, Any]) -> bytes:
    from common.domain.canonical import canonical

    return hashlib.sha256(canonical(payload)).digest()


def _signature(document: dict[str, Any], digest: bytes, public_key: Path) -> bool:
    """Whether the signature beside the payload is the key's. Raises ValueError without one."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    given = document.get("signature")
    if not isinstance(given, dict):
        raise ValueError("it holds no signature")
    key = load_pem_public_key(public_key.read_bytes())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError(f"{public_key} is not the public key of an elliptic curve")
    try:
        key.verify(b64decode(given["value"]), digest, ec.ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        return False
    return True


def _tell(verdict: Verdict) -> None:
    typer.echo(f"number          {verdict.number}")
    typer.echo(f"payload SHA-256 {verdict.payload_sha256}")
    typer.echo(f"payload         {verdict.as_json()['payload']}")
    typer.echo(f"signature       {verdict.as_json()['signature']}")
    typer.echo(f"seal of the PDF {verdict.as_json()['seal']}")
    if verdict.exit_code == UNPROVEN:
        typer.echo(
            "Anybody can write this into a PDF; --payload holds it against an invoice.", err=True
        )


def _word(holds: bool | None, yes: str, no: str, unasked: str = "not checked") -> str:
    if holds is None:
        return unasked
    return yes if holds else no
