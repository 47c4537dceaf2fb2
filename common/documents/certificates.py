"""Certificates of a tenant's signing keys: who signed, said in the form that readers of PDFs know.

A signature in a PDF carries a certificate of its key (X.509). Ours is issued by the key itself: it
says no more than the issuer says, and lets anybody see that all documents of a house are signed by
one key. A trusted authority can say more: it is asked with a request that the key signs, and its
certificate takes the place of ours.

The key stays where it is: what has to be signed is handed out as a digest. A certificate of ours is
good for twenty years, longer than any tax office asks for an invoice, since a signature without a
timestamp is checked by the certificate of today.
"""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import NameOID, ObjectIdentifier

from common.domain.certificate import CertificateGiven, CertificateUnusable

Sign = Callable[[bytes], bytes]

YEARS: Final = 20
SKEW: Final = timedelta(hours=1)
NAME_LENGTH_MAX: Final = 64  # X.520's upper bound of a common name and an organisation
DOCUMENT_SIGNING: Final = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336


def own_certificate(
    name: str, country: str, key_version: str, public_key: bytes, sign: Sign, now: datetime
) -> CertificateGiven:
    """A certificate that a key issues for itself; `public_key` is its SubjectPublicKeyInfo."""
    key = _PortKey(public_key, sign)
    subject, begins = _subject(name, country), now.astimezone(UTC).replace(microsecond=0) - SKEW
    builder = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=begins,
        not_valid_after=begins + timedelta(days=366 * YEARS),
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_signs_documents(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return _given([certificate], key_version, own=True)


def stored_certificate(key_version: str, der: bytes) -> CertificateGiven:
    """A certificate of a key's own, as it was stored."""
    return _given([x509.load_der_x509_certificate(der)], key_version, own=True)


def certificate_request(name: str, country: str, public_key: bytes, sign: Sign) -> bytes:
    """What an authority is asked with (PKCS #10, in PEM), signed by the key."""
    key = _PortKey(public_key, sign)
    builder = x509.CertificateSigningRequestBuilder(subject_name=_subject(name, country))
    asked = builder.add_extension(_signs_documents(), critical=True).sign(key, hashes.SHA256())
    return asked.public_bytes(Encoding.PEM)


def authority_certificate(
    pem: bytes, key_version: str, public_key: bytes, now: datetime
) -> CertificateGiven:
    """What an authority has issued for a key: its certificate first, then those above it.

    Refuses: CertificateUnusable for what cannot be read, is another key's, is not valid now, may
    not sign documents, or does not stand below the one that follows it.
    """
    try:
        chain = x509.load_pem_x509_certificates(pem)
        wanted = load_der_public_key(public_key)
        if chain[0].public_key() != wanted:
            raise CertificateUnusable("It is the certificate of another key.")
        _must_sign_now(chain[0], now)
        for below, above in pairwise(chain):
            below.verify_directly_issued_by(above)
    except CertificateUnusable:
        raise
    except Exception as unusable:  # noqa: BLE001 - an operator's file can be wrong in any way
        raise CertificateUnusable(f"It cannot be used: {type(unusable).__name__}.") from None
    return _given(chain, key_version, own=False)


def _must_sign_now(certificate: x509.Certificate, now: datetime) -> None:
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise CertificateUnusable("It is not valid now.")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise CertificateUnusable("It may not sign documents.")


def _given(chain: list[x509.Certificate], key_version: str, *, own: bool) -> CertificateGiven:
    leaf = chain[0]
    return CertificateGiven(
        key_version=key_version,
        chain=tuple(each.public_bytes(Encoding.DER) for each in chain),
        own=own,
        valid_from=leaf.not_valid_before_utc,
        valid_to=leaf.not_valid_after_utc,
    )


def _subject(name: str, country: str) -> x509.Name:
    short = name[:NAME_LENGTH_MAX]
    where = [x509.NameAttribute(NameOID.COUNTRY_NAME, country)] if country else []
    return x509.Name(
        [
            *where,
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, short),
            x509.NameAttribute(NameOID.COMMON_NAME, short),
        ]
    )


def _signs_documents() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


class _PortKey(ec.EllipticCurvePrivateKey):
    """A private key that is elsewhere: all that it does here is sign a SHA-256."""

    def __init__(self, public_key: bytes, sign: Sign) -> None:
        known = load_der_public_key(public_key)
        if not isinstance(known, ec.EllipticCurvePublicKey):
            raise TypeError("the signing key is no key of an elliptic curve")
        self._public, self._sign = known, sign

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        digest = hashes.Hash(hashes.SHA256())
        digest.update(data)
        return self._sign(digest.finalize())

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        raise UnsupportedAlgorithm("it signs, and nothing else")

    def private_numbers(self) -> NoReturn:
        raise UnsupportedAlgorithm("it does not leave the place where it is kept")

    def private_bytes(self, *_: Any) -> NoReturn:
        raise UnsupportedAlgorithm("it does not leave the place where it is kept")

    def __copy__(self) -> "_PortKey":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "_PortKey":
        return copy.copy(self)
