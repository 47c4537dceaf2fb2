"""The platform's orchestrator, asked what is odd about cash (CASH-10, AI-1).

It is asked over HTTP with an identity token of this service's own account, for the figures of one
property and window:

    POST {url}/v1/cash-patterns
    {"actors": [{"actor": "5d41...", "variances": [-5000000], "sessions": 5, "paidOuts": 0,
                 "payments": 12, "quickRefunds": 1}]}
    -> {"findings": [{"pattern": "variance_trend", "actor": "5d41...", "scorePpm": 900000,
                      "figures": {"sessions": 5}}]}

Who acted is sent as an HMAC-SHA-256 under a key of the tenant, which is one under the service's:
the orchestrator recognises somebody from one day to the next, does not learn who that is, and does
not meet them at another tenant. What it says about somebody who was not asked about is passed over.

It advises, and may be down, slow or wrong. An answer is bounded in time and size and read strictly.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Annotated, Any, Final
from uuid import UUID

import requests
from google.auth.transport.requests import Request
from google.oauth2.id_token import fetch_id_token
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from common.domain.cash_patterns import SCORE_MAX, ActorFigures, Finding, Pattern

PATH: Final = "/v1/cash-patterns"
SECONDS_MAX: Final = 5.0
BYTES_MAX: Final = 10**6
FINDINGS_MAX: Final = 1_000


class OrchestratorSilent(Exception):
    """It says that it failed, or its answer came too late or was too long."""


class _Said(BaseModel):
    """Strict: what is not as it should be is no answer."""

    model_config = ConfigDict(
        strict=True, frozen=True, alias_generator=to_camel, hide_input_in_errors=True
    )


class FindingSaid(_Said):
    """One thing that it found; `actor` is whom it was asked about, as it was asked."""

    pattern: Annotated[Pattern, Field(strict=False)]
    actor: str
    score_ppm: Annotated[int, Field(ge=0, le=SCORE_MAX)]
    figures: Annotated[dict[str, int], Field(max_length=20)] = {}


class Answer(_Said):
    """All that it found."""

    findings: Annotated[list[FindingSaid], Field(max_length=FINDINGS_MAX)]


class Orchestrator:
    """See the module. `token` answers an identity token for an audience."""

    name = "orchestrator"

    def __init__(
        self,
        url: str,
        key: bytes,
        *,
        token: Callable[[str], str] | None = None,
        seconds_max: float = SECONDS_MAX,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._url, self._key, self._token = url.rstrip("/"), key, token or _identity
        self._seconds_max, self._now = seconds_max, now

    def look(self, tenant_id: UUID, figures: Sequence[ActorFigures]) -> Sequence[Finding]:
        """What it finds odd. Raises OrchestratorSilent, or whatever went wrong."""
        actors = {self.known_as(tenant_id, each.actor): each for each in figures}
        asked = {
            "actors": [
                {
                    "actor": name,
                    "variances": list(each.variances),
                    "sessions": each.sessions,
                    "paidOuts": each.paid_outs,
                    "payments": each.payments,
                    "quickRefunds": each.quick_refunds,
                }
                for name, each in actors.items()
            ]
        }
        answer = Answer.model_validate_json(self._post(asked))
        return [
            Finding(
                pattern=said.pattern,
                actor=actors[said.actor].actor,
                score_ppm=said.score_ppm,
                figures=said.figures,
            )
            for said in answer.findings
            if said.actor in actors
        ]

    def known_as(self, tenant_id: UUID, actor: str) -> str:
        """Somebody of a tenant, as the orchestrator knows them."""
        of_tenant = hmac.digest(self._key, tenant_id.bytes, hashlib.sha256)
        return hmac.new(of_tenant, actor.encode(), hashlib.sha256).hexdigest()

    def _post(self, asked: dict[str, Any]) -> bytes:
        """The body of its answer, to its end within the time and size that it may take."""
        until = self._now() + self._seconds_max
        headers = {"Authorization": f"Bearer {self._token(self._url)}"}
        with requests.post(
            self._url + PATH,
            json=asked,
            headers=headers,
            timeout=self._seconds_max,
            stream=True,
            allow_redirects=False,
        ) as answer:
            if answer.status_code != requests.codes.ok:
                raise OrchestratorSilent(f"it answered {answer.status_code}")
            body = bytearray()
            for piece in answer.iter_content(64 * 1024):
                body += piece
                if len(body) > BYTES_MAX or self._now() > until:
                    raise OrchestratorSilent("its answer is too long, or comes too slowly")
        return bytes(body)


def _identity(audience: str) -> str:
    """An identity token of the account that this process runs as."""
    return str(fetch_id_token(Request(), audience))  # type: ignore[no-untyped-call] # Google's own
