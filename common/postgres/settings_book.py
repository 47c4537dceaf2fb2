"""The book of a tenant's settings: each change adds a complete new version.

What a change does not speak of stays as it was: new tax rules leave the properties alone.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from common.domain.settings import SettingsChanged, SettingsRecord
from common.postgres import ranks
from common.postgres.connection import Statement
from common.postgres.session import Write
from common.postgres.stores import Desk
from common.postgres.trails import continued, head_of

NEWEST: Final = """
SELECT tenant_id, version, document
FROM settings_versions
ORDER BY version DESC
LIMIT 1
"""
KEEP: Final = """
INSERT INTO settings_versions (version, document, recorded_at)
VALUES ($1, $2::jsonb, $3)
"""


class SettingsBook:
    """The versions of one tenant's settings, to be added to."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def keep(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> SettingsChanged:
        """Write the next version: the newest, with the parts replaced that `change` answers."""
        record = SettingsRecord()
        newest, head = self._desk.batch(Statement(NEWEST), head_of(record.kind, record.id))
        version, document = (newest[0][1] + 1, newest[0][2]) if newest else (1, {})
        changes = change(document)
        text = json.dumps({**document, **changes}, sort_keys=True)
        self._desk.write(
            ("settings", version),
            Write(ranks.AGGREGATES, Statement(KEEP, (version, text, self._desk.now))),
        )
        digest = hashlib.sha256(text.encode()).hexdigest()
        return continued(record, head).changed(digest, changes)
