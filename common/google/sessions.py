"""HTTP to Google's services in the name of the account that this process runs as."""

from typing import Any, Final

import google.auth
from google.auth.transport.requests import AuthorizedSession

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"


def authorized_session() -> Any:
    """A session of requests that puts the account's token into each of them, and renews it."""
    credentials, _ = google.auth.default(scopes=[SCOPE])
    session: Any = AuthorizedSession
    return session(credentials)
