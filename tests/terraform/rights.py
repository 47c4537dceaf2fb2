"""Which rights each account should have: worked out from the declarations, not from Terraform."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tests.terraform.program import Plan, Resource

Functions = dict[str, dict[str, Any]]

GRANTED_ON: Final = {
    "google_artifact_registry_repository_iam_member": "repository",
    "google_cloud_run_v2_job_iam_member": "name",
    "google_cloud_run_v2_service_iam_member": "name",
    "google_kms_crypto_key_iam_member": "crypto_key_id",
    "google_kms_key_ring_iam_member": "key_ring_id",
    "google_project_iam_member": "project",
    "google_pubsub_subscription_iam_member": "subscription",
    "google_pubsub_topic_iam_member": "topic",
    "google_secret_manager_secret_iam_member": "secret_id",
    "google_service_account_iam_member": "service_account_id",
    "google_storage_bucket_iam_member": "bucket",
}


EVERYBODYS: Final = (
    "cloudsql.client",
    "cloudsql.instanceUser",
    "telemetry.metricsWriter",
    "telemetry.tracesWriter",
)


class Right(NamedTuple):
    """A role on a thing: `signerVerifier` on `billing-signing`."""

    role: str
    on: str


def group_of(function: dict[str, Any]) -> str:
    """Whose account a function runs as: its area's, or that of those who make tenants."""
    return "provisioning" if "provisioning" in function["needs"] else str(function["area"])


def address_of(group: str, project: str) -> str:
    return f"billing-{group.replace('_', '-')}@{project}.iam.gserviceaccount.com"


def expected(functions: Functions, project: str, buckets: list[str]) -> dict[str, set[Right]]:
    """The rights of each area's account."""
    rights: dict[str, set[Right]] = defaultdict(set)
    for function in functions.values():
        group = group_of(function)
        rights[group] |= set(_asked(function["needs"], address_of(group, project), buckets))
        rights[group] |= {Right(role, project) for role in EVERYBODYS}
    for held in rights.values():  # who signs verifies by the same role
        if Right("cloudkms.signerVerifier", "billing-signing") in held:
            held.discard(Right("cloudkms.publicKeyViewer", "billing-signing"))
    return dict(rights)


def _asked(needs: list[str], account: str, buckets: list[str]) -> Iterator[Right]:
    if "publisher" in needs:
        yield Right("pubsub.publisher", "billing-events")
    if "platform_keys" in needs:
        yield Right("cloudkms.signerVerifier", "billing-platform-signing")
        yield Right("cloudkms.viewer", "billing-platform-signing")
    if "vault" in needs:
        yield Right("cloudkms.cryptoKeyEncrypterDecrypter", "billing-wrapping")
    if "gateway" in needs:
        yield Right("secretmanager.secretAccessor", "billing-processor-key")
    if "detector" in needs:
        yield Right("secretmanager.secretAccessor", "billing-orchestrator-key")
    if "origins" in needs:
        yield Right("secretmanager.secretAccessor", "billing-origin-key")
    if "quotes" in needs:
        yield Right("secretmanager.secretAccessor", "billing-quote-keys")
    if "trials" in needs:
        yield Right("secretmanager.secretAccessor", "billing-trial-keys")
    if "webhooks" in needs:
        yield Right("secretmanager.secretAccessor", "billing-webhook-secrets")
    if "provisioning" in needs:
        yield Right("secretmanager.secretAccessor", "billing-provisioner")
    if "documents" in needs:
        yield Right("iam.serviceAccountTokenCreator", account)
        for bucket in buckets:
            yield Right("storage.objectCreator", bucket)
            yield Right("storage.objectViewer", bucket)
    if "keys" in needs and "documents" in needs:
        yield Right("cloudkms.signerVerifier", "billing-signing")
        yield Right("cloudkms.viewer", "billing-signing")
    elif "keys" in needs:
        yield Right("cloudkms.publicKeyViewer", "billing-signing")


def granted(plan: Plan) -> dict[str, set[Right]]:
    """What a plan grants to each member; a grant that nobody knows how to read is an error."""
    rights: dict[str, set[Right]] = defaultdict(set)
    for grant in grants(plan):
        on = str(grant.values.get(GRANTED_ON[grant.type], "")).rsplit("/", 1)[-1]
        member = str(grant.values.get("member", f"unknown to the plan: {grant.address}"))
        rights[member].add(Right(grant.values["role"].removeprefix("roles/"), on))
    return dict(rights)


def grants(plan: Plan) -> list[Resource]:
    return [
        each for each in plan.resources if re.search(r"_iam_(member|binding|policy)$", each.type)
    ]
