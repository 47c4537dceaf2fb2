"""One HTTP request on its way through: what it asks, of which function, under which trace."""

import re
from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from typing import Final
from uuid import UUID

from werkzeug.wrappers import Request as HttpRequest

from common.contracts.shapes import Outcome
from common.domain.dataclass import dataclass
from common.ports.identity import Actor
from common.runtime.declaration import HttpDeclaration
from common.runtime.logging import Origin
from common.runtime.problems import (
    CrossTenantReference,
    IdempotencyKeyInvalid,
    IdempotencyKeyRequired,
    MethodNotAllowed,
    NotAcceptable,
    PathUnknown,
    RequestInvalid,
)
from common.runtime.trace import Trace

_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")
_ETAG: Final = re.compile(r'"(\d{1,15})"')
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_TENANT_HEADER: Final = "X-Tenant-Id"


@lru_cache(maxsize=512)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", path))


def camel(name: str) -> str:
    """folio_id -> folioId."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@dataclass(slots=True)
class Exchange:
    """A request and what became known of it. `outcome` is what the log will say.

    `told` is what was answered, of which the log takes the size of a sum and a charge's kind.
    `buckets` are the rate limits that it was counted in, by name and quota.
    """

    declaration: HttpDeclaration
    request: HttpRequest
    trace: Trace
    actor: Actor | None = None
    outcome: str = "ok"
    told: Outcome | None = None
    buckets: list[tuple[str, int]] = field(default_factory=list)

    @property
    def origin(self) -> Origin:
        """Who and where, for the log."""
        return Origin(
            trace_id=self.trace.trace_id,
            span_id=self.trace.span_id,
            tenant_id=self.actor.tenant_id if self.actor else None,
            actor_id=self.actor.sub if self.actor else None,
            route=self.declaration.full_path,
        )

    def path_parameters(self) -> dict[str, str]:
        """The values in the path, under their wire names. Refuses: PathUnknown."""
        found = _pattern(self.declaration.full_path).fullmatch(self.request.path)
        if found is None:
            raise PathUnknown()
        return {camel(name): value for name, value in found.groupdict().items()}

    def check_method(self) -> None:
        """Refuses: MethodNotAllowed."""
        if self.request.method != self.declaration.method:
            raise MethodNotAllowed(f"Use {self.declaration.method}.")

    def media_type(self) -> str:
        """What to answer in: of what the function can be read as, what the caller likes best.

        A function that speaks in one way only does so whatever is asked. Refuses: NotAcceptable.
        """
        given, accepted = self.declaration.representations, self.request.accept_mimetypes
        if len(given) == 1 or not accepted:
            return given[0]
        best = accepted.best_match(given)
        if best is None:
            raise NotAcceptable(f"It can be given as {', '.join(given)}.")
        return best

    def query(self) -> dict[str, str]:
        """The query's values. Refuses one that is given twice: RequestInvalid."""
        for name, values in self.request.args.lists():
            if len(values) > 1:
                raise RequestInvalid.at("This is given twice in the query.", name)
        return self.request.args.to_dict()

    def switches(self, body: Mapping[str, object]) -> dict[str, bool]:
        """What of a command was given in the query. A body's fields do not stand in an address,
        which others log, nor these in a body. Refuses: RequestInvalid."""
        known = {camel(name) for name in self.declaration.switches}
        for name in known & body.keys():
            raise RequestInvalid.at("This is taken in the query.", name)
        given = self.query()
        for name, text in given.items():
            if name not in known:
                raise RequestInvalid.at("This is not taken in the query.", name)
            if text not in ("true", "false"):
                raise RequestInvalid.at("This is true or false.", name)
        return {name: text == "true" for name, text in given.items()}

    def check_tenant(self, actor: Actor, fields: Mapping[str, object]) -> None:
        """Nothing in a request may name another tenant than the actor's, but for who works for the
        platform: they say in the address or the body whom they mean. `fields` are those of both.
        Refuses: CrossTenantReference.
        """
        named = self.request.headers.getlist(_TENANT_HEADER)
        if not self.declaration.reaches_tenants(actor):
            named += self.request.args.getlist("tenantId")
            if "tenantId" in fields:
                named.append(str(fields["tenantId"]))
        for name in named:
            if not _is_uuid(name, actor.tenant_id):
                raise CrossTenantReference()

    def idempotency_key(self) -> str | None:
        """The client's key. Refuses: IdempotencyKeyRequired, IdempotencyKeyInvalid."""
        keys = self.request.headers.getlist("Idempotency-Key")
        if not keys:
            if self.declaration.moves_money:
                raise IdempotencyKeyRequired()
            return None
        if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
            raise IdempotencyKeyInvalid()
        return keys[0]

    def expected_version(self) -> int | None:
        """The version in If-Match. Refuses: RequestInvalid."""
        tag = self.request.headers.get("If-Match")
        if tag is None or tag == "*":
            return None
        found = _ETAG.fullmatch(tag)
        if found is None:
            raise RequestInvalid('If-Match is one strong entity tag, such as "7".')
        return int(found[1])

    @property
    def address(self) -> str:
        """The caller's address, as the load balancer saw it: the last but one of its own header."""
        forwarded = self.request.headers.get("X-Forwarded-For", "")
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        if len(hops) >= 2:
            return hops[-2]
        return self.request.remote_addr or "unknown"


def _is_uuid(text: str, expected: UUID) -> bool:
    try:
        return UUID(text) == expected
    except ValueError:
        return False
