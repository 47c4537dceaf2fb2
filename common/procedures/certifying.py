"""Putting the certificate of an authority in the place of the one that a key issued itself."""

from common.domain.certificate import CertificateGiven, keep
from common.domain.settings import Issuer
from common.ports.transaction import Transaction


def issuer_of(_: object, tx: Transaction) -> Issuer:
    """In whose name the tenant's documents are signed."""
    return tx.settings.issuer


def keep_certificate(given: CertificateGiven, tx: Transaction) -> bool:
    """Sign with a certificate from now on; False where it is kept already."""
    if any(each.sha256 == given.sha256 for each in tx.certificates.kept()):
        return False
    kept = keep(given, tx)
    tx.certificates.keep(kept.subject)
    tx.tell(kept)
    return True
