"""Cursors of lists: opaque to the client, the last key of the page to us (keyset, not offset).

A list stays right while rows are added: what comes later sorts behind the cursor.
"""

import base64
import binascii
import json
from collections.abc import Sequence

from common.ports.paging import CursorInvalid


def cursor_of(key: str) -> str:
    """The cursor behind the item with this key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key_of(cursor: str | None) -> str:
    """The key in a cursor, "" for none. Refuses: CursorInvalid."""
    if cursor is None:
        return ""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as garbled:
        raise CursorInvalid() from garbled
    if not isinstance(key, str) or not key.isascii() or not key.isprintable():
        raise CursorInvalid()
    return key


def next_cursor(keys: Sequence[str], limit: int) -> str | None:
    """The cursor of the next page, when one more row than asked was found."""
    return cursor_of(keys[limit - 1]) if len(keys) > limit else None
