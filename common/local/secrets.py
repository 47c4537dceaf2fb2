"""The laptop's secrets: a file for each, which a person may write anew while all of it runs."""

from pathlib import Path

from common.ports.secrets import SecretMissing


class SecretFiles:
    """A secret `projects/../secrets/<name>` is the file `<name>` of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str:
        """What the file says now. Raises SecretMissing."""
        try:
            return (self._folder / name.rpartition("/")[2]).read_text(encoding="utf-8")
        except (FileNotFoundError, IsADirectoryError):
            raise SecretMissing(name) from None
