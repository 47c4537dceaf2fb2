"""Documents in Cloud Storage: a bucket for each tenant, never public (INV-7).

A name is given once: the upload demands that there is no such object yet, so one that is tried
again after a lost answer finds its own bytes and is content. The bucket's own customer-managed key
encrypts, which is why no upload names one. A link is signed for one object and a few minutes by the
IAM service, in the name of the account that we run as: there is no private key to lose.
"""

import os
from datetime import timedelta
from functools import partial
from mimetypes import guess_type
from typing import Any, Final
from uuid import UUID

import google.auth
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.auth import iam
from google.auth.credentials import Credentials, Signing
from google.auth.transport.requests import Request

# google-cloud-storage publishes no types
from google.cloud.storage import Blob, Client  # type: ignore[import-untyped]
from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped]

from common.google.asking import asking
from common.ports.powers import DocumentMissing

CALL_SECONDS: Final = (3, 20)  # to connect, and between two pieces of an answer
SIGN_SECONDS: Final = 5
CACHING: Final = "private, no-store"

# Without it the library asks for each bucket's place, in a thread behind our back and with a right
# that we do not have, for the sake of traces that we do not take.
_ASKS_NO_PLACES: Final = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_RETRY: Final = DEFAULT_RETRY.with_timeout(30.0).with_delay(initial=0.2, maximum=5.0)


class AccountSignature(Signing):
    """Signs as the service account of some credentials, by IAM's signBlob."""

    def __init__(self, credentials: Credentials, request: Request) -> None:
        self._credentials: Any = credentials  # google-auth is typed in part
        self._request = partial(request, timeout=SIGN_SECONDS)

    @property
    def signer_email(self) -> str:
        """The account's address, which the metadata server tells together with a token."""
        if not self._credentials.valid:
            self._credentials.refresh(self._request)
        account: str = self._credentials.service_account_email
        return account

    @property
    def signer(self) -> Any:
        signer: Any = iam.Signer
        return signer(self._request, self._credentials, self.signer_email)

    def sign_bytes(self, message: bytes) -> bytes:
        signature: bytes = self.signer.sign(message)
        return signature


class CloudDocuments:
    """The documents of all tenants, each in the bucket `<prefix>-<tenant>`."""

    def __init__(
        self, bucket_prefix: str, client: Client | None = None, signature: Signing | None = None
    ) -> None:
        os.environ.setdefault(_ASKS_NO_PLACES, "true")
        if client is None or signature is None:
            credentials, project = google.auth.default(scopes=[_SCOPE])
            client = client or Client(project, credentials)
            signature = signature or AccountSignature(credentials, Request())
        self._bucket_prefix = bucket_prefix
        self._client = client
        self._signature = signature

    def put(self, tenant_id: UUID, name: str, content: bytes) -> None:
        """Store a document under a new name; the same bytes again are no change.

        Raises FileExistsError when the name holds other bytes.
        """
        document = self._document(tenant_id, name)
        document.cache_control = CACHING
        try:
            with asking("storage", "upload"):
                document.upload_from_string(
                    content,
                    content_type=guess_type(name)[0] or "application/octet-stream",
                    if_generation_match=0,
                    checksum="crc32c",
                    timeout=CALL_SECONDS,
                    retry=_RETRY,
                )
        except PreconditionFailed:
            if self.get(tenant_id, name) != content:
                raise FileExistsError(name) from None

    def get(self, tenant_id: UUID, name: str) -> bytes:
        """Read a document. Raises DocumentMissing."""
        try:
            with asking("storage", "download"):
                content: bytes = self._document(tenant_id, name).download_as_bytes(
                    checksum="crc32c", timeout=CALL_SECONDS, retry=_RETRY
                )
        except NotFound:
            raise DocumentMissing(name) from None
        return content

    def link(self, tenant_id: UUID, name: str, seconds: int) -> str:
        """A signed address under which the document can be read for so many seconds."""
        with asking("storage", "sign_link"):
            address: str = self._document(tenant_id, name).generate_signed_url(
                version="v4",
                expiration=timedelta(seconds=seconds),
                method="GET",
                credentials=self._signature,
            )
        return address

    def _document(self, tenant_id: UUID, name: str) -> Blob:
        bucket: Any = self._client.bucket(f"{self._bucket_prefix}-{tenant_id.hex}")
        return bucket.blob(name)
