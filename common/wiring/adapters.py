"""The adapters of one process: which one stands behind which port.

Every import of an adapter is inside a function, so that a process loads what its functions use and
nothing else: no function pays for a PDF renderer, a KMS client or a publisher that it never calls.
"""

import urllib.request
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from common.domain.dataclass import dataclass
from common.ports.clock import Clock, SystemClock
from common.runtime.settings import SettingMissing
from common.wiring.keyed import Keyed

if TYPE_CHECKING:
    from common.ports.cards import Cards
    from common.ports.circuit import Breaker
    from common.ports.figures import PlatformFigures
    from common.ports.gateway import Gateway
    from common.ports.identity import Actor, StepUp
    from common.ports.jobs import Outbox
    from common.ports.powers import Books, Condition, Documents, Printer, Tenants
    from common.ports.publishing import Publisher
    from common.ports.secrets import Secrets
    from common.ports.signals import Detector
    from common.ports.vault import Vault
    from common.postgres.dead_letters import DeadLetters
    from common.postgres.old_rows import OldRows
    from common.postgres.pool import Pool
    from common.postgres.transactions import PostgresTransactions
    from common.postgres.trial_key_ring import TrialKeyRing
    from common.runtime.logging import Log
    from common.runtime.oidc import Jwks
    from common.sandbox.cards import SandboxCards
    from common.sandbox.gateway import SandboxGateway
    from common.sandbox.outage import SandboxOutage

FETCH_SECONDS: Final = 3
CHECK_SECONDS: Final = 900


@dataclass(frozen=True)
class Adapters(Keyed):
    """Everything that a process may reach, each made when it is first asked for."""

    # what all of them stand on

    @cached_property
    def clock(self) -> Clock:
        if self.settings.stack == "local":
            from common.local.clock import MovableClock

            return MovableClock(self._folder("clock"))
        return SystemClock()

    @cached_property
    def log(self) -> "Log":
        from common.runtime.logging import Log

        return Log(project=self.settings.project or None, clock=self.clock.now)

    def close(self) -> None:
        """Close what was opened, and send what was measured."""
        if (telemetry := self.__dict__.get("telemetry")) is not None:
            telemetry.close()
        for name in {"pools", "patient_pools"} & self.__dict__.keys():
            for pool in self.__dict__[name].values():
                pool.close()

    # the database

    @cached_property
    def transactions(self) -> "PostgresTransactions":
        from common.postgres.directory import Directory
        from common.postgres.transactions import PostgresTransactions

        return PostgresTransactions(Directory(self.pools).pool_of, self.clock)

    @cached_property
    def pools(self) -> "dict[str, Pool]":
        return self._pools(
            size=self.settings.pool_size,
            timeout_seconds=self.settings.socket_timeout_seconds,
            prepares=not self.settings.pooled,
        )

    @cached_property
    def patient_pools(self) -> "dict[str, Pool]":
        """A connection to each cell for questions that take as long as the books are large."""
        return self._pools(size=1, timeout_seconds=CHECK_SECONDS, prepares=False)

    def _pools(self, *, size: int, timeout_seconds: int, prepares: bool) -> "dict[str, Pool]":
        from common.postgres.pool import Pool
        from common.postgres.sessions import connector

        return {
            cell: Pool(
                connector(address, timeout_seconds=timeout_seconds, prepares=prepares), size=size
            )
            for cell, address in self.settings.databases.items()
        }

    @cached_property
    def trial_key_ring(self) -> "TrialKeyRing":
        from common.postgres.trial_key_ring import TrialKeyRing

        return TrialKeyRing(self.pools["main"])

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        from common.postgres.dead_letters import DeadLetters

        return DeadLetters(self.pools["main"], self.clock)

    @cached_property
    def old_rows(self) -> "OldRows":
        from common.postgres.old_rows import OldRows

        return OldRows(self.pools["main"])

    @cached_property
    def outbox(self) -> "Outbox":
        from ulid import ULID

        from common.postgres.drain import OutboxDrain

        return OutboxDrain(self.pools["main"], holder=str(ULID()))

    # identity

    @cached_property
    def issuer_keys(self) -> "Jwks":
        return self._jwks(self.settings.jwks_url)

    @cached_property
    def google_keys(self) -> "Jwks":
        return self._jwks("https://www.googleapis.com/oauth2/v3/certs")

    def _jwks(self, url: str) -> "Jwks":
        from common.runtime.logging import Origin
        from common.runtime.oidc import Jwks

        def fetch() -> bytes:
            with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - a setting
                document: bytes = answer.read(2**20)
            return document

        return Jwks(
            fetch,
            on_trouble=lambda trouble: self.log.problem(
                Origin(), code="MELMASTOON.IAM.KEYS_UNAVAILABLE", error=trouble
            ),
        )

    def _verify_step_up(
        self, token: str | None, actor: "Actor", scope: str, context: str
    ) -> "StepUp":
        from common.runtime.step_up import verify_step_up

        return verify_step_up(
            token,
            keys=self.issuer_keys,
            issuer=self.settings.token_issuer,
            audience=self.settings.token_audience,
            now=self.clock.now(),
            actor=actor,
            scope=scope,
            context=context,
        )

    # powers outside a transaction

    @cached_property
    def secrets(self) -> "Secrets":
        """Secrets by name, the newest version within minutes."""
        from common.runtime.kept_secrets import KeptSecrets
        from common.runtime.logging import Origin

        kept: Secrets
        if self.settings.stack == "local":
            from common.local.secrets import SecretFiles

            kept = SecretFiles(self._folder("secrets"))
        else:
            from common.google.secrets import CloudSecrets

            kept = CloudSecrets()
        return KeptSecrets(
            kept,
            on_trouble=lambda trouble: self.log.problem(
                Origin(), code="MELMASTOON.GENERAL.SECRET_UNAVAILABLE", error=trouble
            ),
        )

    @cached_property
    def documents(self) -> "Documents":
        if self.settings.stack == "local":
            from common.local.documents import DocumentFolder

            return DocumentFolder(
                self._folder("documents"), self.settings.public_url, self.clock.now
            )
        from common.google.documents import CloudDocuments

        return CloudDocuments(self.settings.documents_bucket)

    @cached_property
    def publisher(self) -> "Publisher":
        if self.telemetry is None:
            return self._broker()
        from common.runtime.watching import WatchedPublisher

        return WatchedPublisher(self._broker(), self.telemetry, self.clock.now)

    def _broker(self) -> "Publisher":
        if self.settings.stack == "local":
            from common.local.identity import push_token
            from common.local.publishing import PushPublisher, consumers_at

            known = consumers_at(self.settings.public_url, self.settings.doors_url)
            token = partial(push_token, self._folder("identity"), self.settings, self.clock.now)
            return PushPublisher(lambda kind: known.get(kind, ()), token, self.clock.now)
        from common.google.publishing import TopicPublisher

        return TopicPublisher(self.settings.topic, region=self.settings.region)

    @cached_property
    def printer(self) -> "Printer":
        from common.documents.printer import PdfPrinter

        return PdfPrinter()

    @cached_property
    def tenants(self) -> "Tenants":
        from common.postgres.provisioner import Provisioner

        return Provisioner(self.settings.provisioner or self.settings.databases["main"])

    @cached_property
    def condition(self) -> "Condition":
        from common.postgres.condition import DatabaseCondition
        from common.runtime.watching import WatchedCondition

        return WatchedCondition(DatabaseCondition(self.pools["main"], self.clock))

    @cached_property
    def books(self) -> "Books":
        from common.postgres.books import PostgresBooks
        from common.postgres.directory import Directory

        return PostgresBooks(Directory(self.patient_pools).pool_of)

    @cached_property
    def platform_figures(self) -> "PlatformFigures":
        from common.postgres.platform_figures import PostgresFigures

        return PostgresFigures(lambda: self.pools)

    @cached_property
    def gateway(self) -> "Gateway":
        from common.runtime.breaking import BreakingGateway

        return BreakingGateway(self._processor(), self._breaker("gateway"))

    def _breaker(self, name: str) -> "Breaker":
        from common.postgres.breakers import PostgresBreaker

        return PostgresBreaker(self.pools["main"], self.clock, name)

    def _processor(self) -> "Gateway":
        """The processor itself, as it was chosen. Raises SettingMissing."""
        if (settings := self.settings).gateway == "stripe":
            from common.stripe.gateway import StripeGateway

            if not settings.stripe_api_key:
                raise SettingMissing("BILLING_STRIPE_API_KEY")
            return StripeGateway(settings.stripe_api_key, address=settings.stripe_address)
        if settings.gateway != "sandbox" and settings.stack != "local":
            raise SettingMissing("BILLING_GATEWAY")
        return self.sandbox

    @cached_property
    def cards(self) -> "Cards":
        from common.runtime.breaking import BreakingCards

        return BreakingCards(self._card_processor(), self._breaker("gateway"))

    def _card_processor(self) -> "Cards":
        """The processor's other face. Raises SettingMissing."""
        if (settings := self.settings).gateway == "stripe":
            from common.stripe.cards import StripeCards

            if not settings.stripe_api_key:
                raise SettingMissing("BILLING_STRIPE_API_KEY")
            return StripeCards(settings.stripe_api_key, address=settings.stripe_address)
        if settings.gateway != "sandbox" and settings.stack != "local":
            raise SettingMissing("BILLING_GATEWAY")
        return self.sandbox_cards

    @cached_property
    def sandbox_cards(self) -> "SandboxCards":
        from common.local.files import write_once
        from common.sandbox.cards import SandboxCards

        return SandboxCards(self._folder("processor"), write_once, self.sandbox)

    @cached_property
    def vault(self) -> "Vault":
        from common.runtime.vault import EnvelopeVault

        if self.settings.stack == "local":
            from common.local.wrapping import WrappingFiles

            return EnvelopeVault(WrappingFiles(self._folder("wrapping-keys")))
        from common.google.wrapping import CloudWrapping

        if not self.settings.wrapping_keyring:
            raise SettingMissing("BILLING_WRAPPING_KEYRING")
        return EnvelopeVault(CloudWrapping(self.settings.wrapping_keyring))

    @cached_property
    def sandbox(self) -> "SandboxGateway":
        from common.local.files import write_once
        from common.sandbox.gateway import SandboxGateway

        return SandboxGateway(self._folder("processor"), write_once, self.clock.now)

    @cached_property
    def sandbox_outage(self) -> "SandboxOutage":
        from common.local.files import write_once
        from common.sandbox.outage import SandboxOutage

        return SandboxOutage(self._folder("processor"), write_once)

    @cached_property
    def detector(self) -> "Detector | None":
        """The platform's orchestrator, where there is one; else the house counts by itself."""
        if not (url := self.settings.orchestrator_url):
            return None
        if not (key := self.settings.orchestrator_key):
            raise SettingMissing("BILLING_ORCHESTRATOR_KEY")
        from common.google.detector import Orchestrator
        from common.runtime.breaking import BreakingDetector
        from common.runtime.logging import Origin

        return BreakingDetector(
            Orchestrator(url, key.encode()),
            self._breaker("orchestrator"),
            lambda trouble: self.log.problem(
                Origin(route="jobs/detect_cash_patterns"), code="OrchestratorSilent", error=trouble
            ),
        )

    @property
    def public_url(self) -> str:
        return self.settings.public_url

    def now(self) -> datetime:
        return self.clock.now()
