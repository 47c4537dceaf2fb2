"""What may be done outside a transaction: sign, store, draw. Handed to the `perform` phase only."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from common.domain.dataclass import dataclass
from common.domain.refusal import Unmet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from common.domain.certificate import CertificateGiven
    from common.domain.settings import Issuer
    from common.domain.trial import Traces
    from common.domain.trial_keys import Marks
    from common.ports.cards import Cards
    from common.ports.figures import PlatformFigures
    from common.ports.gateway import Gateway
    from common.ports.signals import Detector
    from common.ports.vault import Vault


class DocumentMissing(Exception):
    """The store holds no such document."""


class DrawingRefused(Exception):
    """The document cannot be drawn without losing something: a glyph, an image, a line."""


class NotPrintable(Unmet):
    """No font has one of its signs, its language has no words, or it has too many lines to draw
    while somebody waits: in part, it would be a false one.
    """

    area = "GENERAL"
    code = "NOT_PRINTABLE"
    title = "The document cannot be drawn whole; ask for it as JSON"


@dataclass(frozen=True, slots=True)
class SignedDigest:
    """A signature over a SHA-256, and the key version that made it."""

    key_version: str
    algorithm: str
    value: bytes


class Keys(Protocol):
    """Each tenant's signing key; rotation adds versions and keeps the old ones verifying."""

    def sign(self, tenant_id: UUID, sha256: bytes) -> SignedDigest:
        """Sign a SHA-256 with the newest version of the tenant's key."""

    def current(self, tenant_id: UUID) -> str:
        """The key version that signs now."""

    def public_key(self, tenant_id: UUID, key_version: str) -> bytes:
        """The public half of a key version (SubjectPublicKeyInfo in DER). Raises KeyError."""

    def verify(self, tenant_id: UUID, sha256: bytes, signed: SignedDigest) -> bool | None:
        """Whether the signature is the key version's; None for a key version we do not know."""


class Documents(Protocol):
    """Each tenant's documents. One that was put is never replaced."""

    def put(self, tenant_id: UUID, name: str, content: bytes) -> None:
        """Store a document under a new name; the same bytes again are no change.

        Raises FileExistsError when the name holds other bytes.
        """

    def get(self, tenant_id: UUID, name: str) -> bytes:
        """Read a document. Raises DocumentMissing."""

    def link(self, tenant_id: UUID, name: str, seconds: int) -> str:
        """A signed address under which the document can be read for so many seconds."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a PDF is signed with: the certificate, its key's signature over a SHA-256, the time."""

    certificate: CertificateGiven
    sign: Callable[[bytes], bytes]
    at: datetime


class Printer(Protocol):
    """Draws documents, and seals what it has drawn."""

    def document(
        self,
        payload: Mapping[str, Any],
        person: Mapping[str, Any],
        *,
        payload_sha256: str,
        verify_url: str,
        language: str,
        template_version: str,
        copy: bool,
        e_invoice: bytes | None,
        without_xml: str,
        logo: bytes | None = None,
    ) -> bytes:
        """An invoice or a credit note as PDF/A-3 that carries its e-invoice, or says why not.

        `logo` is its issuer's. Raises DrawingRefused.
        """

    def platform_invoice(
        self, payload: Mapping[str, Any], payload_sha256: str, template_version: str
    ) -> bytes:
        """An invoice of the platform itself, or a credit note of one, as PDF/A-3.

        Raises DrawingRefused.
        """

    def sealed(self, pdf: bytes, seal: Seal, e_invoice: bytes | None) -> bytes:
        """The PDF signed (PAdES B-B), and tried: by its signature, its XML and its sums.

        Raises DrawingRefused for what does not hold.
        """

    def must_hold(self, pdf: bytes, sealed: bytes, seal: Seal, e_invoice: bytes | None) -> None:
        """Try a PDF that was sealed before. Raises DrawingRefused."""

    def read_certificate(self, key_version: str, der: bytes) -> CertificateGiven:
        """A certificate of a key's own, as it was stored."""

    def own_certificate(
        self,
        issuer: Issuer,
        key_version: str,
        public_key: bytes,
        sign: Callable[[bytes], bytes],
        now: datetime,
    ) -> CertificateGiven:
        """A certificate that a key issues for itself, in the name of the issuer and of its country,
        where it has one."""

    def e_invoice(self, payload: Mapping[str, Any], person: Mapping[str, Any]) -> bytes:
        """An invoice or a credit note as XML by EN 16931. Refuses: EInvoiceNotPossible."""

    def identity(self, pdf: bytes) -> tuple[str, str]:
        """The document's number and payload SHA-256 that a PDF claims. Refuses: PdfUnreadable."""


class Tenants(Protocol):
    """Homes for tenants: a role, a schema, an entry in the directory."""

    def provision(self, tenant_id: UUID) -> None:
        """Make a tenant's home, or finish making it; a second time changes nothing."""


@dataclass(frozen=True, slots=True)
class State:
    """How the service is; None is what could not be asked."""

    database: str
    outbox_age_seconds: int | None
    schema_version: int | None
    version: str
    circuit_breakers: Mapping[str, str] = field(default_factory=dict)
    recovering: bool = False


class Condition(Protocol):
    """Looks at what the service stands on."""

    def look(self) -> State:
        """The state right now; never raises."""


class Books(Protocol):
    """The books of tenants, to be checked and never to be changed."""

    def broken(self, tenant_id: UUID) -> Mapping[str, int]:
        """How many rows break each invariant that does not hold. Raises DatabaseUnavailable."""


class TrialMarks(Protocol):
    """Knows again who has had a trial, and cannot say who it was (SUB-10)."""

    def of(self, traces: Traces) -> tuple[Marks, ...]:
        """The marks of an account, its address, its device and its card, under each key that the
        instance has. Refuses: EmailInvalid."""


class Powers(Protocol):
    """All of them."""

    @property
    def trial_marks(self) -> TrialMarks: ...

    @property
    def keys(self) -> Keys: ...
    @property
    def platform_keys(self) -> Keys:
        """The key that the platform's own documents are signed with, under `PLATFORM_ID`."""

    @property
    def documents(self) -> Documents: ...
    @property
    def printer(self) -> Printer: ...
    @property
    def tenants(self) -> Tenants: ...
    @property
    def condition(self) -> Condition: ...
    @property
    def books(self) -> Books: ...
    @property
    def platform_figures(self) -> PlatformFigures: ...
    @property
    def gateway(self) -> Gateway: ...
    @property
    def cards(self) -> Cards: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def detector(self) -> Detector | None: ...
    @property
    def public_url(self) -> str:
        """Where guests reach the service: the beginning of the QR code's address."""

    def now(self) -> datetime:
        """The service's time."""
