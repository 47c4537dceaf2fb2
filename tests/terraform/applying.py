"""What a plan cannot say and a first apply, a build or a night would: each rule knows it of Google.

Named beside each is where Google says so.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Final

from common.postgres.session import ENTER
from common.runtime.settings import ProcessSettings
from common.stripe.gateway import RETRIES_MAX, TIMEOUT_SECONDS
from tests.terraform.program import ROOT, Plan
from tests.terraform.rights import Functions, Right, granted
from tests.terraform.rules import (
    DELIVERS,
    JOB,
    SERVICE,
    SUBSCRIPTION,
    Rule,
    deployed,
    env,
    project_of,
    template_of,
)
from tests.terraform.shields import at, minutes_between

README: Final = ROOT / "README.md"
SEEN_AS_LONG_SECONDS: Final = 600
HOUR_MINUTES: Final = 60
A_WHILE_SECONDS: Final = 120
APIS: Final = {
    "google_artifact_registry_": "artifactregistry",
    "google_billing_budget": "billingbudgets",
    "google_cloud_run_": "run",
    "google_cloud_scheduler_": "cloudscheduler",
    "google_cloudbuild_": "cloudbuild",
    "google_compute_": "compute",
    "google_iam_": "iam",
    "google_kms_": "cloudkms",
    "google_monitoring_": "monitoring",
    "google_project_iam_": "cloudresourcemanager",
    "google_pubsub_": "pubsub",
    "google_secret_manager_": "secretmanager",
    "google_service_account": "iam",
    "google_service_networking_": "servicenetworking",
    "google_sql_": "sqladmin",
    "google_storage_": "storage",
}
CALLED: Final = {"iamcredentials", "sts", "telemetry", "cloudtrace", "logging", "ondemandscanning"}
"""By what runs and what delivers: links are signed, builds prove themselves, work is measured."""


def its_api_is_on_before_a_thing_is_made(plan: Plan, functions: Functions) -> Iterator[str]:
    """A new project has none of them on, nor the one that tells Terraform the project's number."""
    on = {str(each.index) for each in plan.of("google_project_service")}
    wanted = {"cloudresourcemanager", *CALLED}
    for resource in plan.resources:
        api = next((api for begin, api in APIS.items() if resource.type.startswith(begin)), None)
        if api is not None:
            wanted.add(api)
        elif resource.type != "google_project_service":
            yield f"{resource.type}: which API is that?"
    yield from (f"{api} is never switched on" for api in sorted(wanted - on))
    for module, waits in plan.waits.items():
        if module != "project" and "module.project" not in waits:
            yield f"{module} does not wait until the APIs are on"


def a_build_begins_and_may_do_its_work(plan: Plan, functions: Functions) -> Iterator[str]:
    """A build under an account of one's own writes its log itself, and only a trigger tells it the
    commit (cloud.google.com/build, user-specified service accounts and substitutions)."""
    account = f"billing-delivery@{project_of(plan)}.iam.gserviceaccount.com"
    build = (ROOT / "cloudbuild.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"^  (_[A-Z]+): ", build, re.M))
    (domain,) = at(
        plan.of("google_compute_managed_ssl_certificate")[0].values, "managed", "domains"
    )
    triggers = plan.of("google_cloudbuild_trigger")
    if not triggers:
        yield "no commit begins a build"
    for trigger in triggers:
        told = trigger.values["substitutions"]
        if not (ROOT / trigger.values["filename"]).is_file():
            yield f"there is no {trigger.values['filename']}"
        if not str(trigger.values["service_account"]).endswith(f"/{account}"):
            yield f"it is built by {trigger.values['service_account']}"
        if set(told) != asked:
            yield f"the build is told {sorted(told)} and asks for {sorted(asked)}"
        if told.get("_DOMAIN") != domain:
            yield f"the build asks {told.get('_DOMAIN')} whether all is well, not {domain}"
    rights = granted(plan)[f"serviceAccount:{account}"]
    wanted = {Right(role, project_of(plan)) for role in DELIVERS}
    wanted.add(Right("artifactregistry.writer", "billing"))
    wanted |= {Right("run.developer", each.values["name"]) for each in plan.of(SERVICE, JOB)}
    wanted |= {
        Right("iam.serviceAccountUser", template_of(each)["service_account"])
        for each in plan.of(SERVICE, JOB)
    }
    for right in sorted(rights ^ wanted):
        yield f"who delivers {'lacks' if right in wanted else 'has'} {right.role} on {right.on}"


def who_asks_gives_up_before_whoever_asked_is_given_up(
    plan: Plan, functions: Functions
) -> Iterator[str]:
    """A lock, a statement, the answer to it, what the processor says at its last try, the request
    that it is of, the push of that: each is waited for longer than the one before, or what went
    wrong is never told, and tried twice at once."""
    told = dict(re.findall(r"'(\w+_timeout)', '(\d+)s'", ENTER))
    within = [int(told["lock_timeout"]), int(told["statement_timeout"])]
    pushed = {
        at(each.values, "push_config", "push_endpoint")[0]: each.values["ack_deadline_seconds"]
        for each in plan.of(SUBSCRIPTION)
        if each.values["push_config"]
    }
    for service in plan.of(SERVICE):
        function = functions.get(env(service)["FUNCTION_TARGET"], {"kind": "http", "needs": ()})
        waits = [*within, ProcessSettings.of(env(service)).socket_timeout_seconds]
        if "gateway" in function["needs"]:
            waits.append(sum(TIMEOUT_SECONDS) * (1 + RETRIES_MAX))
        waits.append(int(template_of(service)["timeout"].removesuffix("s")))
        if function["kind"] == "event":
            waits.append(pushed.get(service.values["uri"], 0))
        if waits != sorted(set(waits)):
            yield f"{service.index} waits for what it waits for {waits} seconds"


def a_long_answer_is_not_cut_off(plan: Plan, functions: Functions) -> Iterator[str]:
    """Cloud Run ends a request when its time is up, in the middle of a file that is sent."""
    for name, service in deployed(plan).items():
        seconds = int(template_of(service)["timeout"].removesuffix("s"))
        if functions.get(name, {}).get("streams") and seconds < SEEN_AS_LONG_SECONDS:
            yield f"{name} has {seconds} seconds for an answer of any length"


def what_holds_nothing_can_go(plan: Plan, functions: Functions) -> Iterator[str]:
    """The provider protects services and jobs unless it is told not to: a function that is
    withdrawn would be in the way of every plan after it."""
    for each in plan.of(SERVICE, JOB):
        if each.values["deletion_protection"] is not False:
            yield f"{each.address} can never be withdrawn"


def a_person_can_give_every_order(plan: Plan, functions: Functions) -> Iterator[str]:
    """In the job that the runbook's `billing` runs in: told what any job is told."""
    told = {each.values["name"]: env(each) for each in plan.of(JOB)}
    page = (ROOT / "terraform/runbooks/README.md").read_text(encoding="utf-8")
    used = re.findall(r"job=(billing-\S+)", page)
    yield from (f"the runbook runs {name}, which is not there" for name in set(used) - told.keys())
    orders = told.get(used[-1], {})
    for name, resource in deployed(plan).items():
        if resource.type == JOB:
            lacks = env(resource).keys() - orders.keys()
            yield from (f"{used[-1]} is not told {each}, as {name} is" for each in sorted(lacks))


def who_fails_at_night_is_heard_of(plan: Plan, functions: Functions) -> Iterator[str]:
    """A job that the next hour or day does not make good, a schedule that fires nothing, a consumer
    that takes nothing: nobody else would say so."""
    alerts = {"all": [each.values for each in plan.of("google_monitoring_alert_policy")]}
    asked = [
        filter_
        for condition in ("condition_threshold", "condition_matched_log")
        for filter_ in at(alerts, "all", "conditions", condition, "filter")
    ]
    named = " ".join(each for each in asked if "one_of(" in each)
    for name, function in functions.items():
        seldom = function["kind"] == "job" and minutes_between(function["schedule"]) >= HOUR_MINUTES
        if seldom and f'"billing-{name.replace("_", "-")}"' not in named:
            yield f"nobody hears that {name} failed"
    if not any('resource.type="cloud_scheduler_job"' in each for each in asked):
        yield "nobody hears that a job was not fired"
    watched = re.findall(r'oldest_unacked_message_age.*starts_with\("([^"]+)"\)', " ".join(asked))
    for each in plan.named(SUBSCRIPTION, "consumer"):
        if not any(each.values["name"].startswith(begin) for begin in watched):
            yield f"nobody hears that {each.values['name']} holds events back"


def a_backlog_that_is_filtered_is_looked_at_for_a_while(
    plan: Plan, functions: Functions
) -> Iterator[str]:
    """Backlogs may count messages that a filter leaves out until those are acknowledged
    (cloud.google.com/pubsub/docs/filtering): for a moment any event looks like an alarming one."""
    for alert in plan.of("google_monitoring_alert_policy"):
        for condition in at(alert.values, "conditions", "condition_threshold"):
            filtered = "billing-alarm-" in str(condition.get("filter"))
            if filtered and int(condition["duration"].removesuffix("s")) < A_WHILE_SECONDS:
                yield f"{alert.index} is raised by what it does not ask for"


def the_first_time_is_told(plan: Plan, functions: Functions) -> Iterator[str]:
    """Cloud Run makes no revision that names a secret without a version, and no topic of another
    project can be listened to unless that project allows it."""
    page = README.read_text(encoding="utf-8")
    for secret in plan.of("google_secret_manager_secret"):
        if not re.search(rf"\b{secret.values['secret_id'].removeprefix('billing-')}\b", page):
            yield f"nobody is told to fill {secret.values['secret_id']}"
    foreign = [
        each.values["topic"]
        for each in plan.named(SUBSCRIPTION, "consumer")
        if f"/{project_of(plan)}/" not in each.values["topic"]
    ]
    if foreign and "roles/pubsub.subscriber" not in page:
        yield f"nobody is told who has to allow listening to {foreign[0]}"


def a_budget_is_found_as_it_was_made(plan: Plan, functions: Functions) -> Iterator[str]:
    """The API answers with the project's number, whatever it was told."""
    for budget in plan.of("google_billing_budget"):
        if project_of(plan) in json.dumps(budget.values):
            yield f"{budget.address} names the project, and every plan finds it changed"


def who_opens_a_secret_is_one_of_ours_by_name(plan: Plan, functions: Functions) -> Iterator[str]:
    """An account of any project can be called as ours are; and who delivers opens none."""
    (alert,) = (
        each
        for each in plan.of("google_monitoring_alert_policy")
        if each.index == "secret_read_by_stranger"
    )
    (asked,) = at(alert.values, "conditions", "condition_matched_log", "filter")
    ours = re.compile(re.findall(r'NOT protoPayload\.\S+Email=~"([^"]+)"$', asked)[0])
    accounts = {template_of(each)["service_account"] for each in plan.of(SERVICE, JOB)}
    names = {each.partition("@")[0] for each in accounts} | {"billing-x"}
    strangers = {f"{name}@elsewhere.iam.gserviceaccount.com" for name in names}
    strangers |= {
        f"{each.values['account_id']}@{project_of(plan)}.iam.gserviceaccount.com"
        for each in plan.of("google_service_account")
    } - accounts
    yield from (f"{each} is no stranger" for each in sorted(filter(ours.search, strangers)))
    yield from (f"{each} is a stranger" for each in sorted(accounts) if not ours.search(each))


def another_domain_is_another_certificate(plan: Plan, functions: Functions) -> Iterator[str]:
    """A certificate's domains never change, and two of one name cannot stand beside each other."""
    for each in plan.of("google_compute_managed_ssl_certificate"):
        (domain,) = at(each.values, "managed", "domains")
        of_it = hashlib.sha256(domain.encode()).hexdigest()[:8]
        if each.values["name"] != f"billing-{of_it}":
            yield f"{each.address} is called {each.values['name']} whatever its domain is"


def copies_stay_in_the_region(plan: Plan, functions: Functions) -> Iterator[str]:
    """Cloud SQL keeps backups in the nearest continent unless it is told where
    (cloud.google.com/sql, custom backup locations)."""
    for cell in plan.of("google_sql_database_instance"):
        where = at(cell.values, "settings", "backup_configuration", "location")
        if where != [cell.values["region"]]:
            yield f"{cell.address} is copied to {where or 'wherever Google likes'}"


def what_runs_out_is_told_before(plan: Plan, functions: Functions) -> Iterator[str]:
    """Of connections (told by database, so they are summed) and of numbers of transactions."""
    (cell,) = plan.of("google_sql_database_instance")
    flags = {f["name"]: f["value"] for f in at(cell.values, "settings", "database_flags")}
    bounds = {"num_backends": int(flags["max_connections"]), "transaction_id_utilization": 1}
    for alert in plan.of("google_monitoring_alert_policy"):
        for asked in at(alert.values, "conditions", "condition_threshold"):
            figure = (
                str(asked.get("filter")).partition("/database/postgresql/")[2].partition('"')[0]
            )
            bound = bounds.pop(figure, None)
            if bound is not None and not bound / 2 <= asked["threshold_value"] < bound:
                yield f"{alert.index}: {asked['threshold_value']} of {bound}"
            summed = at(asked, "aggregations", "cross_series_reducer")
            if figure == "num_backends" and summed != ["REDUCE_SUM"]:
                yield f"{alert.index} looks at the connections to one database"
    yield from (f"nobody hears that {figure} is near its end" for figure in bounds)


def a_repository_is_known_by_its_number(plan: Plan, functions: Functions) -> Iterator[str]:
    """A name that was given up can be somebody else's; GitHub's numbers are never used again
    (docs.github.com, OpenID Connect reference: `repository_id`, which is text)."""
    for each in plan.of("google_iam_workload_identity_pool_provider"):
        values = each.values
        if values["attribute_mapping"].get("attribute.repository_id") != "assertion.repository_id":
            yield "the number of a build's repository is forgotten"
        said = re.findall(r"assertion\.(\w+) == '[^']+'", values["attribute_condition"])
        if set(said) != {"repository_id", "repository", "ref"}:
            yield f"a build is known by {said}"
    builds = [each for each in granted(plan) if "/workloadIdentityPools/" in each]
    if not builds:
        yield "no build may deliver"
    for member in builds:
        if not re.search(r"/attribute\.repository_id/[1-9]\d*$", member):
            yield f"{member} may deliver"


def maintenance_meets_no_daily_job(plan: Plan, functions: Functions) -> Iterator[str]:
    """The database goes away for a moment within an hour of the week (UTC, as all schedules): what
    breaks then is tried again by the next firing, and that of a daily job comes in a day."""
    for cell in plan.of("google_sql_database_instance"):
        begins = at(cell.values, "settings", "maintenance_window", "hour")[0] * HOUR_MINUTES
        for name, function in functions.items():
            if function["kind"] == "job" and minutes_between(function["schedule"]) > HOUR_MINUTES:
                minute, hour = map(int, function["schedule"].split()[:2])
                fired = hour * HOUR_MINUTES + minute
                over = fired + function["timeout_seconds"] / 60
                if fired < begins + HOUR_MINUTES and begins < over:
                    yield f"{name} is at work while {cell.address} may go away"


APPLYING: Final[tuple[Rule, ...]] = (
    its_api_is_on_before_a_thing_is_made,
    a_build_begins_and_may_do_its_work,
    who_asks_gives_up_before_whoever_asked_is_given_up,
    a_long_answer_is_not_cut_off,
    what_holds_nothing_can_go,
    a_person_can_give_every_order,
    who_fails_at_night_is_heard_of,
    a_backlog_that_is_filtered_is_looked_at_for_a_while,
    the_first_time_is_told,
    a_budget_is_found_as_it_was_made,
    who_opens_a_secret_is_one_of_ours_by_name,
    another_domain_is_another_certificate,
    copies_stay_in_the_region,
    what_runs_out_is_told_before,
    a_repository_is_known_by_its_number,
    maintenance_meets_no_daily_job,
)
