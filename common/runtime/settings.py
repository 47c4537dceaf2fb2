"""The settings of a process: read from the environment once, typed, complete or refused.

Names begin with BILLING_. A deployment sets them in Terraform, the laptop stack in its own process.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from common.domain.dataclass import dataclass

PREFIX: Final = "BILLING_"
GOOGLE_TELEMETRY: Final = "https://telemetry.googleapis.com"
_QUOTA: Final = re.compile(
    r"(?P<what>[a-z_]+/(?:actor|tenant|address|device))=(?P<quota>[1-9][0-9]{0,6})"
)


class SettingUnreadable(Exception):
    """A setting is not what it should be; the message names it, and what was found."""


class SettingMissing(Exception):
    """A setting that this function needs is not set; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """Everything that differs between one deployment and another.

    `databases` maps a cell's name to its address: `postgresql://user@host:port/database`,
    `postgresql://user@/database?host=/socket/folder`, or
    `cloudsql://project:region:instance/database` with `?user=` for IAM authentication.
    `signing_keyring` holds the tenants' keys, `platform_keyring` that of the platform's documents.
    `provisioner` is the address under which tenants are made, by a role that may create roles.
    `stack` is `google` or `local`. `gateway` is the payment processor: `stripe`, by its key, or
    `sandbox`, which the laptop has anyhow. `stripe_webhook_secrets` are those that the processor
    signs its webhooks with: one, or two with a comma between while it is being changed;
    `stripe_webhook_secrets_name` says where they are kept instead, and changed without us.
    `orchestrator_url` is where the platform's orchestrator is asked about odd cash,
    `orchestrator_key` the secret that hides from it who acted. `origin_keys` are the secrets that
    hide from which addresses payments are asked for, the first of them, and know them again, all of
    them; `trial_keys` those that hide who has had a
    trial, each with its number: `2:...,1:...`, or one alone, which is the first; while they stay,
    nobody has a second one. `quote_keys` sign quotes, the first of them,
    and prove them, all of them. `quotas` are rate limits other than the
    declared ones: `confirm_payment/actor=20, take_stripe_event/address=12000` (SEC-7).
    `doors_url` is where a laptop's tenant service hears of subscriptions. `telemetry`
    is where measurements go: `otlp` to the collector at `telemetry_url`, `memory` for whoever looks
    at this process, or nowhere. `service` and `revision` are what Cloud Run calls this process,
    `region` is where it runs.
    """

    stack: str = "google"
    databases: dict[str, str] = field(default_factory=dict)
    provisioner: str = ""
    pooled: bool = False
    pool_size: int = 8
    socket_timeout_seconds: int = 30
    token_issuer: str = ""
    token_audience: str = "billing-service"  # noqa: S105 - the name of an audience
    jwks_url: str = ""
    oidc_audience: str = ""
    oidc_account: str = ""
    public_url: str = "http://127.0.0.1:8080"
    project: str = ""
    documents_bucket: str = ""
    signing_keyring: str = ""
    platform_keyring: str = ""
    wrapping_keyring: str = ""
    topic: str = ""
    gateway: str = ""
    orchestrator_url: str = ""
    orchestrator_key: str = field(default="", repr=False)
    origin_keys: tuple[str, ...] = field(default=(), repr=False)
    trial_keys: tuple[str, ...] = field(default=(), repr=False)
    quote_keys: tuple[str, ...] = field(default=(), repr=False)
    stripe_api_key: str = field(default="", repr=False)
    stripe_address: str = ""
    stripe_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    stripe_webhook_secrets_name: str = ""
    local_folder: str = ""
    doors_url: str = ""
    telemetry: str = ""
    telemetry_url: str = GOOGLE_TELEMETRY
    region: str = ""
    service: str = "billing"
    revision: str = ""
    rate_limits: bool = True
    quotas: Mapping[str, int] = field(default_factory=dict)

    @property
    def makes_tenants(self) -> bool:
        """Whether this process was given the role that may; on a laptop any may."""
        return bool(self.provisioner) or self.stack == "local"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "ProcessSettings":
        """Read the settings. Raises SettingMissing."""
        given = {
            name.removeprefix(PREFIX): value
            for name, value in environment.items()
            if name.startswith(PREFIX)
        }
        cells = {
            name.removeprefix("DATABASE_").lower(): value
            for name, value in given.items()
            if name.startswith("DATABASE_")
        }
        if "DATABASE" in given:
            cells["main"] = given["DATABASE"]
        if not cells:
            raise SettingMissing("BILLING_DATABASE")
        return cls(
            stack=given.get("STACK", "google"),
            databases=cells,
            provisioner=given.get("PROVISIONER", ""),
            pooled=given.get("POOLED", "false") == "true",
            pool_size=int(given.get("POOL_SIZE", environment.get("THREADS", "8"))),
            socket_timeout_seconds=int(given.get("SOCKET_TIMEOUT_SECONDS", "30")),
            token_issuer=given.get("TOKEN_ISSUER", ""),
            token_audience=given.get("TOKEN_AUDIENCE", "billing-service"),
            jwks_url=given.get("JWKS_URL", ""),
            oidc_audience=given.get("OIDC_AUDIENCE", ""),
            oidc_account=given.get("OIDC_ACCOUNT", ""),
            public_url=given.get("PUBLIC_URL", "http://127.0.0.1:8080").rstrip("/"),
            project=given.get("PROJECT", environment.get("GOOGLE_CLOUD_PROJECT", "")),
            documents_bucket=given.get("DOCUMENTS_BUCKET", ""),
            signing_keyring=given.get("SIGNING_KEYRING", ""),
            platform_keyring=given.get("PLATFORM_KEYRING", ""),
            wrapping_keyring=given.get("WRAPPING_KEYRING", ""),
            topic=given.get("TOPIC", ""),
            gateway=given.get("GATEWAY", ""),
            orchestrator_url=given.get("ORCHESTRATOR_URL", ""),
            orchestrator_key=given.get("ORCHESTRATOR_KEY", ""),
            origin_keys=several(given.get("ORIGIN_KEYS", "")),
            trial_keys=several(given.get("TRIAL_KEYS", "")),
            quote_keys=several(given.get("QUOTE_KEYS", "")),
            stripe_api_key=given.get("STRIPE_API_KEY", ""),
            stripe_address=given.get("STRIPE_ADDRESS", "").rstrip("/"),
            stripe_webhook_secrets_name=given.get("STRIPE_WEBHOOK_SECRETS_NAME", ""),
            stripe_webhook_secrets=several(given.get("STRIPE_WEBHOOK_SECRETS", "")),
            local_folder=given.get("LOCAL_FOLDER", ""),
            doors_url=given.get("DOORS_URL", ""),
            telemetry=given.get("TELEMETRY", ""),
            telemetry_url=given.get("TELEMETRY_URL", GOOGLE_TELEMETRY),
            region=given.get("REGION", ""),
            service=environment.get("K_SERVICE", environment.get("CLOUD_RUN_JOB", "billing")),
            revision=environment.get("K_REVISION", ""),
            rate_limits=given.get("RATE_LIMITS", "true") == "true",
            quotas=_quotas(given.get("QUOTAS", "")),
        )


def several(text: str) -> tuple[str, ...]:
    """What is listed with commas between; blanks do not count."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _quotas(text: str) -> dict[str, int]:
    """What is counted of which function, and how many calls. Raises SettingUnreadable."""
    found = {}
    for part in several(text):
        given = _QUOTA.fullmatch(part)
        if given is None:
            raise SettingUnreadable(f"BILLING_QUOTAS: {part!r} is no function/actor=20")
        found[given["what"]] = int(given["quota"])
    return found


def read_environment() -> ProcessSettings:
    """The settings of this process. The one place that reads the environment."""
    return ProcessSettings.of(os.environ)
