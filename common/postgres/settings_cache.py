"""Versions of a tenant's settings: written once, read only when ours is not the newest.

Each process keeps the newest version it has seen. The first round trip of every transaction asks
which is the newest; as long as it is ours, the answer has no document and costs no parsing. The
question is asked inside the transaction, so no decision is ever taken on settings that were
replaced before it. A version is known by when it was recorded besides its number: a database that
was taken back to an earlier instant has another version of that number, or no such version at all.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.settings import Settings
from common.postgres.connection import Row, Statement

NEWEST_SETTINGS: Final = """
SELECT tenant_id, version, recorded_at,
       CASE WHEN version = $1 AND recorded_at = $2 THEN NULL ELSE document END
FROM settings_versions
ORDER BY version DESC
LIMIT 1
"""
TENANTS_KEPT_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class KnownSettings:
    """A version, and when it was recorded."""

    settings: Settings
    recorded_at: datetime


class SettingsCache:
    """The newest known settings of the tenants served last, shared by the threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[UUID, KnownSettings] = OrderedDict()

    def get(self, tenant_id: UUID) -> KnownSettings | None:
        """What is known, if anything."""
        return self._kept.get(tenant_id)

    def newest(self, known: KnownSettings | None) -> Statement:
        """The question which version is the newest, and what it says unless that is known."""
        if known is None:
            return Statement(NEWEST_SETTINGS, (None, None))
        return Statement(NEWEST_SETTINGS, (known.settings.version, known.recorded_at))

    def updated(
        self, tenant_id: UUID, known: KnownSettings | None, rows: Sequence[Row]
    ) -> Settings | None:
        """The settings in force, given the answer to that question."""
        if not rows:
            return None
        _, version, recorded_at, document = rows[0]
        if known is not None and document is None:
            return known.settings
        if "issuer" not in document:
            return None  # tax rules came first; the tenant is not ready before its settings come
        settings = read(tenant_id, version, document)
        with self._lock:
            self._kept[tenant_id] = KnownSettings(settings, recorded_at)
            self._kept.move_to_end(tenant_id)
            while len(self._kept) > TENANTS_KEPT_MAX:
                self._kept.popitem(last=False)
        return settings


def read(tenant_id: UUID, version: int, document: dict[str, Any]) -> Settings:
    """Settings from their stored document, whose shape is loaded with the first one (PERF-1)."""
    from common.contracts.settings import SettingsDocument

    return SettingsDocument.model_validate_json(json.dumps(document)).settings(tenant_id, version)
