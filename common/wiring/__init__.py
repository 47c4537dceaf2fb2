"""Which adapter stands behind which port: the only room that names one.

`adapters` has the ports; here are the edges that declared functions and jobs are run by.
"""

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from common.domain.dataclass import dataclass
from common.runtime.declaration import EventDeclaration, HttpDeclaration
from common.runtime.settings import read_environment, several
from common.wiring.adapters import Adapters

if TYPE_CHECKING:
    from common.runtime.batching import Batcher
    from common.runtime.event import EventEdge
    from common.runtime.execute import Runner
    from common.runtime.http import HttpEdge
    from common.runtime.job import JobShell
    from common.runtime.webhook import WebhookEdge
    from common.stripe.signature import SignatureCheck


@dataclass(frozen=True)
class Wiring(Adapters):
    """Everything of one process, made when it is first asked for."""

    def http(self, declaration: HttpDeclaration, request: Any) -> Any:
        """Answer an HTTP request; one that its sender signed is the webhook edge's."""
        if declaration.signed_by is not None:
            return self.webhook_edge.answer(declaration, request)
        return self.http_edge.answer(declaration, request)

    def event(self, declaration: EventDeclaration, request: Any) -> Any:
        """Take in a pushed event."""
        return self.event_edge.answer(declaration, request)

    @cached_property
    def http_edge(self) -> "HttpEdge":
        from common.runtime.authentication import AccessTokens
        from common.runtime.http import HttpEdge
        from common.runtime.rate_limit import RateLimiter

        return HttpEdge(
            runner=self.runner,
            powers=self,
            tokens=AccessTokens(
                self.issuer_keys,
                issuer=self.settings.token_issuer,
                clock=self.clock.now,
                audience=self.settings.token_audience,
            ),
            verify_step_up=self._verify_step_up,
            limiter=RateLimiter(quotas=self.settings.quotas) if self.settings.rate_limits else None,
            batcher=self.batcher,
            log=self.log,
            page=self._page,
            origins_of=lambda tenant_id, address: self.origins.of(tenant_id, address),
            quotes=lambda: self.quotes,
            telemetry=self.telemetry,
        )

    @cached_property
    def webhook_edge(self) -> "WebhookEdge":
        from common.postgres.webhooks import PaymentDirectory
        from common.runtime.webhook import WebhookEdge

        return WebhookEdge(
            runner=self.runner,
            is_signed=self._is_signed,
            directory=PaymentDirectory(self.pools),
            dead_letters=self.dead_letters,
            limited=self.http_edge.limited,
            log=self.log,
            telemetry=self.telemetry,
        )

    def _is_signed(self, content: bytes, header: str | None) -> bool:
        """Whether the processor signed, by the secrets that are in use at this moment."""
        if self.settings.stripe_webhook_secrets_name:
            return self._signature_check()(content, header)
        return self._known_signature_check(content, header)

    def _signature_check(self) -> "SignatureCheck":
        from common.stripe.signature import SignatureCheck

        return SignatureCheck(self.webhook_secrets, self.clock.now)

    @cached_property
    def _known_signature_check(self) -> "SignatureCheck":
        return self._signature_check()

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """What the processor signs with. The laptop makes a secret of its own where none is set."""
        if name := self.settings.stripe_webhook_secrets_name:
            return several(self.secrets.read(name))
        if self.settings.stripe_webhook_secrets or self.settings.stack != "local":
            return self.settings.stripe_webhook_secrets
        from common.local.webhook_secret import webhook_secret

        return (webhook_secret(self._folder("processor")),)

    @cached_property
    def event_edge(self) -> "EventEdge":
        from common.runtime.event import EventEdge
        from common.runtime.oidc import GOOGLE_ISSUERS, ServiceTokens

        local = self.settings.stack == "local"
        return EventEdge(
            runner=self.runner,
            powers=self,
            tokens=ServiceTokens(
                self.issuer_keys if local else self.google_keys,
                clock=self.clock.now,
                issuers=frozenset({self.settings.token_issuer}) if local else GOOGLE_ISSUERS,
            ),
            audience=self.settings.oidc_audience,
            account=self.settings.oidc_account,
            dead_letters=self.dead_letters,
            log=self.log,
            telemetry=self.telemetry,
        )

    @cached_property
    def job_shell(self) -> "JobShell":
        from common.postgres.recovery import recovering_since
        from common.postgres.subscription_collections import collected_tenants
        from common.postgres.subscription_payments import charged_tenants
        from common.postgres.subscriptions import due_tenants
        from common.postgres.tenants import active_tenants
        from common.postgres.trials import tenants_to_remind
        from common.runtime.job import JobShell

        return JobShell(
            runner=self.runner,
            powers=self,
            tenants=lambda: active_tenants(self.pools["main"]),
            watched={
                "subscriptions": lambda: due_tenants(self.pools["main"], self.clock.now),
                "trials": lambda: tenants_to_remind(self.pools["main"], self.clock.now),
                "collections": lambda: collected_tenants(self.pools["main"], self.clock.now),
                "charges": lambda: charged_tenants(self.pools["main"], self.clock.now),
            },
            recovering=lambda: recovering_since(self.pools["main"]),
            log=self.log,
            telemetry=self.telemetry,
        )

    @cached_property
    def runner(self) -> "Runner":
        from common.runtime.execute import Runner

        return Runner(self.transactions, self)

    @cached_property
    def batcher(self) -> "Batcher":
        from common.runtime.batching import Batcher

        return Batcher(self.runner)

    def _page(self, name: str, media_type: str, document: dict[str, Any]) -> Any:
        from common.documents.pages import page

        return page(name, media_type, document)


Edge = Callable[[], Wiring]


@lru_cache(maxsize=1)
def edge() -> Wiring:
    """The wiring of this process, from its environment."""
    return Wiring(read_environment())


@lru_cache(maxsize=1)
def serving() -> Wiring:
    """The wiring of a function that serves; libraries speak through its log from now on."""
    from common.runtime.logging import take_over

    wiring = edge()
    take_over(wiring.log)
    return wiring
