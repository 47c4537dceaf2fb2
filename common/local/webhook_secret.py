"""What the laptop's processor signs its webhooks with: a file that is made when it is asked for."""

from pathlib import Path
from secrets import token_hex

from common.local.files import write_once


def webhook_secret(folder: Path) -> str:
    """The secret in a folder, the same for every process that is given it."""
    file = folder / "webhook-secret"
    write_once(file, f"whsec_{token_hex(32)}".encode())
    return file.read_text()
