"""Secret Manager, as far as reading the newest version goes: states, checksums, rights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import google_crc32c
import grpc
from google.cloud import secretmanager_v1
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from tests.adapters.grpc_stand_in import Refused, StandIn, served


class SecretManagerStandIn(StandIn):
    """Versions by a secret's name; None is one that was destroyed. Others' secrets are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[str, list[str | None]] = {}
        self.closed: set[str] = set()

    def AccessSecretVersion(self, asked: Any) -> Any:
        name, _, version = asked.name.partition("/versions/")
        if name in self.closed:
            raise Refused(grpc.StatusCode.PERMISSION_DENIED, "not yours, if it is there at all")
        if version != "latest" or not self.secrets.get(name):
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Secret Version [{asked.name}] not found.")
        content = self.secrets[name][-1]
        if content is None:
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, "it is in DESTROYED state.")
        data = content.encode()
        return secretmanager_v1.AccessSecretVersionResponse(
            name=f"{name}/versions/{len(self.secrets[name])}",
            payload={"data": data, "data_crc32c": google_crc32c.value(data)},
        )


@contextmanager
def secrets_served(
    stand_in: SecretManagerStandIn,
) -> Iterator[secretmanager_v1.SecretManagerServiceClient]:
    """Google's client, talking to the stand-in."""
    methods = {
        "AccessSecretVersion": (
            secretmanager_v1.AccessSecretVersionRequest,
            secretmanager_v1.AccessSecretVersionResponse,
        )
    }
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    with served(stand_in, service, methods) as channel:
        yield secretmanager_v1.SecretManagerServiceClient(
            transport=SecretManagerServiceGrpcTransport(channel=channel)
        )
