"""The signature in a PDF (PAdES B-B): whoever opens the file sees who signed it, and that it holds.

It stands in a revision of its own behind the document, so that the signed bytes are those that were
drawn, and it certifies the document: nothing may be added any more. The key is asked for a
signature over a digest and never seen. There is no timestamp of an authority: the time is ours.

What was signed is tried at once, as a stranger's reader would: the signature holds, over the whole
file, with the certificate's key; the XML in it is the one that the service answers, and its figures
add up. What does not hold is refused, and the document is drawn again later.
"""

import hashlib
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from common.documents.archival import XML_NAME
from common.documents.checking import must_add_up
from common.domain.certificate import CertificateGiven
from common.domain.dataclass import dataclass
from common.ports.powers import DrawingRefused, Seal

if TYPE_CHECKING:
    from asn1crypto.x509 import Certificate

FIELD: Final = "Seal"
SIGNATURE_BYTES_MAX: Final = 72  # ECDSA on P-256, in DER


def sealed(pdf: bytes, seal: Seal, e_invoice: bytes | None) -> bytes:
    """The document with its signature behind it, tried. Raises DrawingRefused."""
    from pyhanko.pdf_utils.misc import PdfError

    try:
        signed = _signed(pdf, seal)
    except (PdfError, ValueError) as failure:
        raise DrawingRefused(f"the document cannot be signed: {type(failure).__name__}") from None
    must_hold(pdf, signed, seal, e_invoice)
    return signed


def must_hold(pdf: bytes, signed: bytes, seal: Seal, e_invoice: bytes | None) -> None:
    """Try a document that was signed, over what was drawn. Raises DrawingRefused."""
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader

    if not signed.startswith(pdf):
        raise DrawingRefused("what was signed is not what was drawn")
    try:
        reader = PdfFileReader(BytesIO(signed))
        signatures = reader.embedded_signatures
    except (PdfError, ValueError) as failure:
        raise DrawingRefused(f"the document cannot be read: {type(failure).__name__}") from None
    if len(signatures) != 1 or not is_whole(signatures[0], seal.certificate, seal.at):
        raise DrawingRefused("the signature does not hold")
    if attached(reader) != e_invoice:
        raise DrawingRefused("the e-invoice in the document is another one")
    if e_invoice is not None:
        must_add_up(e_invoice)


def is_whole(signature: Any, given: CertificateGiven, at: datetime) -> bool:
    """Whether a signature holds over the whole file, by a certificate that is valid then."""
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    certificates = [_certificate(each) for each in given.chain]
    trusting = ValidationContext(
        trust_roots=[certificates[-1]], other_certs=certificates, moment=at, allow_fetching=False
    )
    found = validate_pdf_signature(signature, trusting)
    return bool(
        found.intact
        and found.valid
        and found.trusted
        and found.docmdp_ok
        and found.coverage is SignatureCoverageLevel.ENTIRE_FILE
        and found.signing_cert.dump() == given.chain[0]
        and given.valid_from <= at < given.valid_to
    )


@dataclass(frozen=True, slots=True)
class SealFound:
    """The signature in a file: whether it holds over the whole of it, and whose key made it."""

    holds: bool
    public_key: bytes


def read_seal(pdf: bytes) -> SealFound | None:
    """The signature in a PDF by what the file itself says; None where nobody has signed it.

    Anybody can sign with a key of theirs: hold `public_key` (SubjectPublicKeyInfo) against the
    hotel's. Raises ValueError for a file that cannot be read.
    """
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader

    try:
        signatures = PdfFileReader(BytesIO(pdf)).embedded_signatures
        if not signatures:
            return None
        (signature,) = signatures
        leaf = signature.signer_cert
        validity = leaf["tbs_certificate"]["validity"]
        given = CertificateGiven(
            key_version="",
            chain=(leaf.dump(),),
            own=False,
            valid_from=validity["not_before"].native,
            valid_to=validity["not_after"].native,
        )
        holds = is_whole(signature, given, given.valid_from) and _fills_its_place(pdf, signature)
    except (PdfError, ValueError) as failure:
        raise ValueError(f"its signature cannot be read: {type(failure).__name__}") from None
    return SealFound(holds, leaf.public_key.dump())


def _fills_its_place(pdf: bytes, signature: Any) -> bool:
    """Whether nothing stands where the signature does but it, in hexadecimal digits, and zeros.

    It cannot sign the place that it stands in, and readers pass over what is behind its end: a byte
    that is changed there is found by this alone.
    """
    from asn1crypto.cms import ContentInfo

    start, length, end, _ = signature.byte_range
    place = pdf[start + length : end]
    digits = ContentInfo.load(signature.pkcs7_content).dump().hex()
    written = f"<{digits:0<{len(place) - 2}}>"
    return place in (written.upper().encode(), written.encode())


def attached(reader: Any) -> bytes | None:
    """The e-invoice that a document carries, if it does."""
    for file in reader.root.get("/AF", ()):
        described = file.get_object()
        if described["/UF"] == XML_NAME:
            content: bytes = described["/EF"]["/F"].data
            return content
    return None


def _signed(pdf: bytes, seal: Seal) -> bytes:
    from pyhanko.sign import fields, signers

    signed = BytesIO()
    meta = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    kinds = _kinds()
    signer = kinds["signer"](meta, signer=kinds["key"](seal), at=seal.at)
    signer.sign_pdf(kinds["writer"](BytesIO(pdf)), output=signed)
    return signed.getvalue()


def _certificate(der: bytes) -> "Certificate":
    from asn1crypto.x509 import Certificate

    return Certificate.load(der)


@cache
def _kinds() -> dict[str, Any]:
    """What pyHanko has to be taught; made when the first document is signed, as it is heavy."""
    from asn1crypto.algos import SignedDigestAlgorithm
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    class KeptMetadata(IncrementalPdfFileWriter):
        """Leaves the metadata as they were drawn: readers of Factur-X know its prefixes."""

        def _update_meta(self) -> None:
            return

    class PortSigner(signers.Signer):
        """A key that is elsewhere."""

        def __init__(self, seal: Seal) -> None:
            leaf, *above = map(_certificate, seal.certificate.chain)
            store = SimpleCertificateStore()  # type: ignore[no-untyped-call] # the library left it bare
            store.register_multiple(above)
            super().__init__(
                signing_cert=leaf,
                cert_registry=store,
                signature_mechanism=SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            )
            self._seal = seal

        async def async_sign_raw(
            self, data: bytes, digest_algorithm: str, dry_run: bool = False
        ) -> bytes:
            if dry_run:
                return bytes(SIGNATURE_BYTES_MAX)
            return self._seal.sign(hashlib.sha256(data).digest())

    class TimedSigner(signers.PdfSigner):
        """Dates a signature by the service's clock."""

        def __init__(self, *given: Any, at: datetime, **named: Any) -> None:
            super().__init__(*given, **named)
            self._at = at

        def init_signing_session(self, *given: Any, **named: Any) -> Any:
            session = super().init_signing_session(*given, **named)
            session.system_time = self._at
            return session

    return {"writer": KeptMetadata, "key": PortSigner, "signer": TimedSigner}
