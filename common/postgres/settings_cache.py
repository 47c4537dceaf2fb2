"""Versions of a tenant's settings: written once, read only when ours is not the newest.

Each process keeps the newest version it has seen. The first round trip of every transaction asks
for a newer one; as long as there is none, that costs an empty answer and no parsing. The question
is asked inside the transaction, so no decision is ever taken on settings that were replaced before
it.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from common.domain.settings import Settings
from common.postgres.connection import Row, Statement

NEWER_SETTINGS: Final = """
SELECT tenant_id, version, document
FROM settings_versions
WHERE version > $1
ORDER BY version DESC
LIMIT 1
"""
TENANTS_KEPT_MAX: Final = 500


class SettingsCache:
    """The newest known settings of the tenants served last, shared by the threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[UUID, Settings] = OrderedDict()

    def get(self, tenant_id: UUID) -> Settings | None:
        """What is known, if anything."""
        return self._kept.get(tenant_id)

    def newer_than(self, known: Settings | None) -> Statement:
        """The question whether there is a newer version."""
        return Statement(NEWER_SETTINGS, (known.version if known else 0,))

    def updated(
        self, tenant_id: UUID, known: Settings | None, rows: Sequence[Row]
    ) -> Settings | None:
        """The settings in force, given the answer to that question."""
        if not rows:
            return known
        if "issuer" not in rows[0][2]:
            return None  # tax rules came first; the tenant is not ready before its settings come
        settings = read(tenant_id, rows[0][1], rows[0][2])
        with self._lock:
            self._kept[tenant_id] = settings
            self._kept.move_to_end(tenant_id)
            while len(self._kept) > TENANTS_KEPT_MAX:
                self._kept.popitem(last=False)
        return settings


def read(tenant_id: UUID, version: int, document: dict[str, Any]) -> Settings:
    """Settings from their stored document, whose shape is loaded with the first one (PERF-1)."""
    from common.contracts.settings import SettingsDocument

    return SettingsDocument.model_validate_json(json.dumps(document)).settings(tenant_id, version)
