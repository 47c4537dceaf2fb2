"""What the laptop's processor signs its webhooks with: a file that is made when it is asked for."""

import hashlib
import hmac
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from common.local.files import write_once


def webhook_secret(folder: Path) -> str:
    """The secret in a folder, the same for every process that is given it."""
    file = folder / "webhook-secret"
    write_once(file, f"whsec_{token_hex(32)}".encode())
    return file.read_text()


def signature_header(content: bytes, secret: str, now: datetime) -> str:
    """What stands in `Stripe-Signature` over a body that is sent now: HMAC-SHA256 over the second,
    a full stop and the bytes, as the processor publishes it."""
    signed_at = str(int(now.timestamp()))
    signed = signed_at.encode() + b"." + content
    return f"t={signed_at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
