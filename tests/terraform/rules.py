"""What has to hold between a plan and the code: each rule yields a sentence for each breach."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from common.runtime.settings import PREFIX, ProcessSettings
from tests.terraform.program import Plan, Resource
from tests.terraform.rights import (
    GRANTED_ON,
    Functions,
    Right,
    address_of,
    expected,
    granted,
    grants,
    group_of,
)

Rule = Callable[[Plan, Functions], Iterator[str]]

SERVICE: Final = "google_cloud_run_v2_service"
JOB: Final = "google_cloud_run_v2_job"
SUBSCRIPTION: Final = "google_pubsub_subscription"
DELIVERS: Final = {"logging.logWriter", "logging.viewer", "ondemandscanning.admin"}
"""On the project: neither a log nor a scan is a thing that a right could be granted on."""
SET_BESIDE: Final = {"FUNCTION_TARGET", "FUNCTION_SOURCE", "WORKERS", "THREADS"}


def project_of(plan: Plan) -> str:
    return f"melmastoon-billing-{plan.environment}"


def env_of(container: dict[str, Any]) -> dict[str, str]:
    """The environment of a container; a secret's value is where it comes from."""
    return {
        each["name"]: each["value"] or each["value_source"][0]["secret_key_ref"][0]["secret"]
        for each in container["env"]
    }


def template_of(resource: Resource) -> dict[str, Any]:
    template: dict[str, Any] = resource.values["template"][0]
    return template["template"][0] if resource.type == JOB else template


def env(resource: Resource) -> dict[str, str]:
    return env_of(template_of(resource)["containers"][0])


def deployed(plan: Plan) -> dict[str, Resource]:
    """Services and jobs, by the function that they are told to be."""
    services = {env(each)["FUNCTION_TARGET"]: each for each in plan.of(SERVICE)}
    jobs = {_args(each)[-1]: each for each in plan.of(JOB) if _args(each)[0] == "job"}
    return services | jobs


def _args(job: Resource) -> list[str]:
    args: list[str] = template_of(job)["containers"][0]["args"]
    return args


def every_function_is_deployed_once(plan: Plan, functions: Functions) -> Iterator[str]:
    found = Counter(env(each)["FUNCTION_TARGET"] for each in plan.of(SERVICE))
    found.update(_args(each)[-1] for each in plan.of(JOB) if _args(each)[0] == "job")
    for name in sorted(functions.keys() | found.keys()):
        if name not in functions:
            yield f"{name} is deployed and declared nowhere"
        elif found[name] != 1:
            yield f"{name} is deployed {found[name]} times"
    for name, resource in deployed(plan).items():
        source = env(resource).get("FUNCTION_SOURCE")
        declared = functions.get(name, {"kind": "job"})
        if declared["kind"] != "job" and source != declared["source"]:
            yield f"{name} is looked for in {source}"


def it_runs_as_its_area(plan: Plan, functions: Functions) -> Iterator[str]:
    for name, resource in deployed(plan).items():
        account = template_of(resource)["service_account"]
        if name in functions and account != address_of(group_of(functions[name]), project_of(plan)):
            yield f"{name} runs as {account}"


def an_account_has_what_its_functions_need(plan: Plan, functions: Functions) -> Iterator[str]:
    project = project_of(plan)
    buckets = [each.values["name"] for each in plan.named("google_storage_bucket", "documents")]
    rights = granted(plan)
    for group, wanted in expected(functions, project, buckets).items():
        has = rights.get(f"serviceAccount:{address_of(group, project)}", set())
        for right in sorted(has - wanted):
            yield f"{group} has {right.role} on {right.on} and needs it for nothing"
        for right in sorted(wanted - has):
            yield f"{group} lacks {right.role} on {right.on}"


def a_right_is_on_a_thing_and_somebodys(plan: Plan, functions: Functions) -> Iterator[str]:
    """Nobody has a right on the whole project but to connect to the one database in it, and to
    write measurements, which nobody can read by that. Who delivers writes the build's log, reads
    the log, which tells of no guest, and has images scanned."""
    for grant in grants(plan):
        member, role = str(grant.values.get("member")), grant.values["role"]
        if grant.type not in GRANTED_ON:
            yield f"{grant.address}: rights are granted one by one"
        if member in ("allUsers", "allAuthenticatedUsers"):
            yield f"{grant.address}: {role} is everybody's"
        if role in ("roles/owner", "roles/editor", "roles/viewer"):
            yield f"{grant.address}: {role} is no right in particular"
        bounded = role.startswith("roles/cloudsql.") and grant.values.get("condition")
        writes = role in ("roles/telemetry.metricsWriter", "roles/telemetry.tracesWriter")
        looks = role.removeprefix("roles/") in DELIVERS
        delivers = looks and member.startswith("serviceAccount:billing-delivery@")
        if grant.type == "google_project_iam_member" and not (bounded or writes or delivers):
            yield f"{grant.address}: {role} is granted on the whole project"


def an_event_is_pushed_to_its_consumer(plan: Plan, functions: Functions) -> Iterator[str]:
    subscriptions = {
        str(each.values["push_config"][0]["push_endpoint"]): each
        for each in plan.of(SUBSCRIPTION)
        if each.values["push_config"]
    }
    for name, function in functions.items():
        service = deployed(plan).get(name)
        if function["kind"] != "event" or service is None:
            continue
        subscription = subscriptions.get(service.values["uri"])
        if subscription is None:
            yield f"nothing is pushed to {name}"
            continue
        values = subscription.values
        if values["filter"] != f'attributes.ce-type = "{function["event_type"]}"':
            yield f"{name} is pushed what it does not take: {values['filter']}"
        yield from _is_safe(name, values)
        token = values["push_config"][0]["oidc_token"]
        settings = ProcessSettings.of(env(service))
        expected_token = {
            "audience": settings.oidc_audience,
            "service_account_email": settings.oidc_account,
        }
        if token != [expected_token] or service.values["custom_audiences"] != [
            settings.oidc_audience
        ]:
            yield f"{name} does not know whoever pushes: {token}"


def _is_safe(name: str, values: dict[str, Any]) -> Iterator[str]:
    """An event that fails comes again, later and later, and is set aside in the end."""
    letters = values["dead_letter_policy"]
    if not letters or not letters[0]["dead_letter_topic"].endswith("/billing-dead-letters"):
        yield f"{name} has no place for dead letters"
    if not values["retry_policy"]:
        yield f"{name} is pushed again at once when it fails"
    if values["expiration_policy"] != [{"ttl": ""}]:
        yield f"{name} is forgotten when nothing comes for a month"
    if not values["enable_message_ordering"]:
        yield f"{name} gets the events of one folio in any order"


def a_job_is_fired_on_its_schedule(plan: Plan, functions: Functions) -> Iterator[str]:
    fired = {each.values["name"]: each.values for each in plan.of("google_cloud_scheduler_job")}
    for name, function in functions.items():
        job = deployed(plan).get(name)
        if function["kind"] != "job" or job is None:
            continue
        schedule = fired.get(job.values["name"])
        if schedule is None:
            yield f"nothing fires {name}"
            continue
        if schedule["schedule"] != function["schedule"]:
            yield f"{name} is fired at {schedule['schedule']}"
        if not schedule["http_target"][0]["uri"].endswith(f"/jobs/{job.values['name']}:run"):
            yield f"the schedule of {name} fires something else"
        if int(template_of(job)["timeout"].removesuffix("s")) <= function["timeout_seconds"]:
            yield f"{name} is killed before its time is up"


def a_thread_has_a_connection_and_a_request(plan: Plan, functions: Functions) -> Iterator[str]:
    for service in plan.of(SERVICE):
        pool = ProcessSettings.of(env(service)).pool_size
        threads = int(env(service)["THREADS"])
        requests = template_of(service)["max_instance_request_concurrency"]
        if not pool == threads == requests:
            yield f"{service.index}: {requests} requests, {threads} threads, {pool} connections"


def it_is_told_what_it_needs(plan: Plan, functions: Functions) -> Iterator[str]:
    """Every setting is one that the code reads, and none that it needs is missing."""
    for name, resource in deployed(plan).items():
        told = env(resource)
        known = {f"{PREFIX}{field.upper()}" for field in ProcessSettings.__dataclass_fields__}
        for setting in sorted(told.keys() - known - SET_BESIDE - {f"{PREFIX}DATABASE"}):
            yield f"{name} is told {setting}, and nothing reads it"
        settings = ProcessSettings.of(told)
        account = template_of(resource)["service_account"].removesuffix(".gserviceaccount.com")
        if not settings.databases["main"].endswith(f"&user={account.replace('@', '%40')}"):
            yield f"{name} logs in as somebody else: {settings.databases['main']}"
        wanted = {
            "documents": settings.documents_bucket,
            "keys": settings.signing_keyring,
            "platform_keys": settings.platform_keyring,
            "provisioning": settings.provisioner,
            "publisher": settings.topic,
            "quotes": settings.quote_keys,
            "trials": settings.trial_keys,
            "origins": settings.origin_keys,
            "vault": settings.wrapping_keyring,
        }
        if settings.gateway == "stripe":
            wanted["gateway"] = settings.stripe_api_key
        for need in functions.get(name, {}).get("needs", ()):
            if not wanted.get(need, "no setting is needed"):
                yield f"{name} needs {need} and is not told where that is"


def an_account_logs_in_by_itself(plan: Plan, functions: Functions) -> Iterator[str]:
    users = {each.values["name"] for each in plan.of("google_sql_user")}
    accounts = {address_of(group_of(each), project_of(plan)) for each in functions.values()}
    for account in sorted(accounts):
        if account.removesuffix(".gserviceaccount.com") not in users:
            yield f"the database does not know {account}"
    if any(
        each.values["type"] != "CLOUD_IAM_SERVICE_ACCOUNT" for each in plan.of("google_sql_user")
    ):
        yield "somebody logs in with a password"


def only_pubsub_calls_a_consumer(plan: Plan, functions: Functions) -> Iterator[str]:
    """Anybody may call what clients call, and through the load balancer only."""
    ingress = {
        "http": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        "event": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    }
    callers: dict[str, set[str]] = {}
    for member, rights in granted(plan).items():
        for role, on in rights:
            if role == "run.invoker":
                callers.setdefault(on, set()).add(member)
    push = {f"serviceAccount:{address_of('push', project_of(plan))}"}
    for name, service in deployed(plan).items():
        kind = functions.get(name, {}).get("kind")
        if service.type != SERVICE or kind is None:
            continue
        if service.values["ingress"] != ingress[kind]:
            yield f"{name} can be reached otherwise: {service.values['ingress']}"
        if service.values["invoker_iam_disabled"] != (kind == "http"):
            yield f"{name}: who calls is asked by the wrong one"
        if callers.get(service.values["name"], set()) != (push if kind == "event" else set()):
            yield f"{name} may be called by {callers.get(service.values['name'])}"


RULES: Final[tuple[Rule, ...]] = (
    every_function_is_deployed_once,
    it_runs_as_its_area,
    an_account_has_what_its_functions_need,
    a_right_is_on_a_thing_and_somebodys,
    an_event_is_pushed_to_its_consumer,
    a_job_is_fired_on_its_schedule,
    a_thread_has_a_connection_and_a_request,
    it_is_told_what_it_needs,
    an_account_logs_in_by_itself,
    only_pubsub_calls_a_consumer,
)
__all__ = ["RULES", "Right", "Rule"]
