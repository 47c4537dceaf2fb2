"""Sealing what was drawn: whose key signs, by which certificate, and where the document then lies.

The hotels' documents and the platform's invoices are sealed in the one way, each by a key of its
own. No two seals are the same bytes, so a document is stored once: what somebody has stored there
before, who died or was faster, is tried, and is the document.
"""

import hashlib
from datetime import datetime
from functools import partial
from uuid import UUID

from common.domain.certificate import CertificateGiven, signing
from common.domain.dataclass import dataclass
from common.domain.settings import Issuer
from common.ports.powers import DrawingRefused, Keys, Powers, Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs: the keeper of their key and the id that it is kept under, and in whose name.

    `certificates` are those that are written down, in the order of their keeping. One that the key
    issues itself is named by the key's version, and by `certified_as` where that has several.
    """

    keys: Keys
    owner_id: UUID
    issuer: Issuer
    certificates: tuple[CertificateGiven, ...] = ()
    certified_as: str = ""


def seal_by(signer: Signer, tenant_id: UUID, powers: Powers) -> Seal:
    """What a document is signed with now: the key's newest version, and its certificate.

    One of the key's own is made where there is none; the tenant's store keeps the first that comes,
    so that all who make one at once sign with the same. Raises DrawingRefused.
    """
    now = powers.now()
    key_version = signer.keys.current(signer.owner_id)
    sign = partial(_signed_by, signer, key_version)
    known = signing(signer.certificates, key_version, now)
    if known is not None:
        return Seal(known, sign, whole_second(now))
    public_key = signer.keys.public_key(signer.owner_id, key_version)
    made = powers.printer.own_certificate(signer.issuer, key_version, public_key, sign, now)
    called = hashlib.sha256((key_version + signer.certified_as).encode()).hexdigest()[:16]
    name = f"certificates/{called}.der"
    try:
        powers.documents.put(tenant_id, name, made.chain[0])
    except FileExistsError:
        first = powers.documents.get(tenant_id, name)
        made = powers.printer.read_certificate(key_version, first)
    return Seal(made, sign, whole_second(now))


def store_sealed(
    tenant_id: UUID, name: str, pdf: bytes, seal: Seal, e_invoice: bytes | None, powers: Powers
) -> bytes:
    """Seal a PDF and store it, and answer what lies there. Raises DrawingRefused."""
    sealed = powers.printer.sealed(pdf, seal, e_invoice)
    try:
        powers.documents.put(tenant_id, name, sealed)
    except FileExistsError:
        sealed = powers.documents.get(tenant_id, name)
        powers.printer.must_hold(pdf, sealed, seal, e_invoice)
    return sealed


def whole_second(moment: datetime) -> datetime:
    """The second that a signature bears."""
    return moment.replace(microsecond=0)


def _signed_by(signer: Signer, key_version: str, sha256: bytes) -> bytes:
    """A signature by the very key version that the certificate is for. Raises DrawingRefused."""
    signed = signer.keys.sign(signer.owner_id, sha256)
    if signed.key_version != key_version:
        raise DrawingRefused("the signing key was rotated meanwhile")
    return signed.value
