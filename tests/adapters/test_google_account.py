"""Google's adapters, made as wiring makes them: from the account that the process runs as."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.transport.requests import AuthorizedSession

from common.google.documents import CloudDocuments
from common.google.keys import CloudKeys
from common.google.publishing import TopicPublisher
from common.google.secrets import CloudSecrets
from common.google.sessions import authorized_session
from common.runtime.settings import ProcessSettings
from common.wiring import Wiring

TENANT = UUID("7f1b0c9e-0000-4000-8000-000000000001")


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Application default credentials of a service account."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = tmp_path / "account.json"
    file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "hotels",
                "private_key": private.decode(),
                "private_key_id": "1",
                "client_email": "billing@hotels.iam.gserviceaccount.com",
                "client_id": "1",
                "token_uri": "http://127.0.0.1:1/token",
            }
        )
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))


@pytest.mark.req("LOC-2")
@pytest.mark.usefixtures("account")
def test_wiring_makes_the_clouds_adapters_without_asking_anybody() -> None:
    wiring = Wiring(
        ProcessSettings(
            stack="google",
            signing_keyring="projects/hotels/locations/europe-west1/keyRings/billing",
            documents_bucket="hotel-documents",
        )
    )

    assert isinstance(wiring.keys, CloudKeys)
    assert isinstance(wiring.documents, CloudDocuments)
    publisher = TopicPublisher("projects/hotels/topics/billing-events", region="europe-west3")
    assert publisher.door == "europe-west3-pubsub.googleapis.com"
    assert CloudSecrets()
    session = authorized_session()
    assert isinstance(session, AuthorizedSession)
    assert session.credentials.service_account_email == "billing@hotels.iam.gserviceaccount.com"


@pytest.mark.req("LOC-2")
def test_wiring_makes_the_laptops_adapters_in_its_folder(tmp_path: Path) -> None:
    wiring = Wiring(ProcessSettings(stack="local", local_folder=str(tmp_path)))

    signed = wiring.keys.sign(TENANT, bytes(32))
    wiring.documents.put(TENANT, "invoices/1.pdf", b"%PDF")

    assert wiring.keys.verify(TENANT, bytes(32), signed)
    assert {path.name for path in tmp_path.iterdir()} == {"keys", "documents"}
