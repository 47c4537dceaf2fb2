"""What has to hold of a plan whatever the functions are: keys, buckets, routes, the database."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

from common.ports.telemetry import FIGURES
from tests.terraform.program import ROOT, Plan
from tests.terraform.rights import Functions
from tests.terraform.rules import JOB, SERVICE, SUBSCRIPTION, Rule, deployed, template_of

RUNBOOKS: Final = ROOT / "terraform/runbooks"
NINETY_DAYS: Final = "7776000s"
PROCESSORS_OF_A_POOLER: Final = 4
DASHBOARD: Final = "google_monitoring_dashboard"
SERIES: Final = r'\{"[\w.]+"(?:, "[\w.]+"(?:=~|!~)"[^"]+")*\}'
BY: Final = r'(?: by \((?:le|"[\w.]+")(?:, "[\w.]+")?\))?'
PROMQL: Final = re.compile(
    rf"sum{BY}\(\((?P<new>{SERIES}) unless (?P=new) offset 5m\) or increase\((?P=new)\[5m\]\)\)"
    rf"|max{BY}\({SERIES}\)"
    rf"|histogram_quantile\(0\.95, sum{BY}\(rate\({SERIES}\[5m\]\)\)\)"
)
GROWN: Final = re.compile(
    r'sum\(max_over_time\(\{"(?P<name>[\w.]+)"(?:, "[\w.]+"=~"[^"]+")*\}\[\d+s\]\)\) > \d+'
)
"""As the charts ask, and as an alert does: a name with full stops stands in quotes."""
ENCRYPTED: Final = {
    "google_artifact_registry_repository": ("kms_key_name",),
    "google_pubsub_topic": ("kms_key_name",),
    "google_secret_manager_secret": (
        "replication",
        "user_managed",
        "replicas",
        "customer_managed_encryption",
        "kms_key_name",
    ),
    "google_sql_database_instance": ("encryption_key_name",),
    "google_storage_bucket": ("encryption", "default_kms_key_name"),
    JOB: ("template", "template", "encryption_key"),
    SERVICE: ("template", "encryption_key"),
}


def at(values: Any, *path: str) -> list[Any]:
    """What stands at a path, through blocks that may be given several times."""
    found = [values]
    for step in path:
        found = [one for each in found for one in _within(each.get(step))]
    return [each for each in found if each not in (None, "")]


def _within(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def everything_is_encrypted_by_our_keys(plan: Plan, functions: Functions) -> Iterator[str]:
    for each in plan.of(*ENCRYPTED):
        keys = at(each.values, *ENCRYPTED[each.type])
        if not keys or not all("/keyRings/billing-encryption/cryptoKeys/" in key for key in keys):
            yield f"{each.address} is encrypted by a key of Google's"
    for key in plan.named("google_kms_crypto_key", "encryption"):
        if key.values["rotation_period"] != NINETY_DAYS:
            yield f"{key.address} is not changed every 90 days"


def no_bucket_is_public(plan: Plan, functions: Functions) -> Iterator[str]:
    for bucket in plan.of("google_storage_bucket"):
        values = bucket.values
        if values["public_access_prevention"] != "enforced":
            yield f"{bucket.address} could be made public"
        if not values["uniform_bucket_level_access"]:
            yield f"{bucket.address}: an object could have rights of its own"
        if bucket.name == "documents" and at(values, "versioning", "enabled") != [True]:
            yield f"{bucket.address}: what was overwritten is lost"
    for bucket in plan.named("google_storage_bucket", "audit"):
        locked = at(bucket.values, "retention_policy", "is_locked")
        if locked != [plan.environment == "production"]:
            yield f"{bucket.address}: the lock is {locked}"


def the_database_is_ours_alone(plan: Plan, functions: Functions) -> Iterator[str]:
    for cell in plan.of("google_sql_database_instance"):
        wanted = {
            "in two zones": ("availability_type", "REGIONAL"),
            "in our network": ("ip_configuration", "ipv4_enabled", False),
            "over TLS": ("ip_configuration", "ssl_mode", "ENCRYPTED_ONLY"),
            "taken back to any second": (
                *("backup_configuration", "point_in_time_recovery_enabled"),
                True,
            ),
        }
        for what, (*path, value) in wanted.items():
            if at(cell.values, "settings", *path) != [value]:
                yield f"{cell.address} is not {what}"
        flags = {f["name"]: f["value"] for f in at(cell.values, "settings", "database_flags")}
        for flag in ("cloudsql.enable_pgaudit", "cloudsql.iam_authentication"):
            if flags.get(flag) != "on":
                yield f"{cell.address}: {flag} is not on"
        if flags.get("log_parameter_max_length") != "0":
            yield f"{cell.address} writes down what guests are called"


def it_never_asks_for_more_connections(plan: Plan, functions: Functions) -> Iterator[str]:
    """Counted anew from what is deployed, beside Terraform's own precondition: a job as often as
    its schedule can begin it while it takes all of its time, a pool in each pooler."""
    asked = 0
    for name, resource in deployed(plan).items():
        template = template_of(resource)
        if resource.type == SERVICE:
            asked += template["scaling"][0]["max_instance_count"] * int(
                template["max_instance_request_concurrency"]
            )
        else:
            pool = {e["name"]: e["value"] for e in template["containers"][0]["env"]}
            seconds = int(template["timeout"].removesuffix("s"))
            runs = math.ceil(seconds / (60 * minutes_between(functions[name]["schedule"])))
            asked += (int(pool["BILLING_POOL_SIZE"]) + 1) * runs
    told = plan.outputs["connections"]
    if asked != told["asked_for"]:
        yield f"{asked} connections can be opened, and Terraform counts {told['asked_for']}"
    if told["opened"] > told["usable"]:
        yield f"{told['opened']} connections of {told['usable']}"
    (cell,) = plan.of("google_sql_database_instance")
    opened = asked
    for pool in at(cell.values, "settings", "connection_pool_config"):
        flags = {
            each["name"]: int(each["value"]) for each in pool["flags"] if each["value"].isdigit()
        }
        processors = int(at(cell.values, "settings", "tier")[0].rsplit("-", 1)[-1])
        accounts = len(plan.of("google_sql_user"))
        opened = flags["max_pool_size"] * accounts * max(1, processors // PROCESSORS_OF_A_POOLER)
    if opened != told["opened"]:
        yield f"PostgreSQL has to bear {opened} connections, and Terraform counts {told['opened']}"


def minutes_between(schedule: str) -> float:
    """Of two firings, on the average of a day."""
    minutes, hours, *_ = schedule.split()
    return 24 * 60 / (_times(minutes, 60) * _times(hours, 24))


def _times(field: str, of: int) -> int:
    """How often a field of a schedule is met: `*`, `*/5`, or a single number."""
    if not field.startswith("*"):
        return 1
    return of // int(field.removeprefix("*").removeprefix("/") or 1)


def a_call_reaches_its_function(plan: Plan, functions: Functions) -> Iterator[str]:
    """Played as the load balancer would: the first rule that fits a method and a path."""
    (paths,) = plan.named("google_compute_url_map", "billing")[0].values["path_matcher"]
    rules = sorted(paths["route_rules"], key=lambda rule: rule["priority"])
    for name, function in functions.items():
        if function["kind"] == "http":
            path = re.sub(r"\{\w+\}", "0193c2d4", function["path"])
            reached = _reached(rules, function["method"], path)
            if reached is None or not reached.endswith(f"/billing-{name.replace('_', '-')}"):
                yield f"{function['method']} {function['path']} reaches {reached}"
    for method, path in (("GET", "/dev/clock"), ("DELETE", "/api/v1/folios"), ("GET", "/")):
        if _reached(rules, method, path):
            yield f"{method} {path} reaches something"
    if at(paths, "default_route_action", "fault_injection_policy", "abort", "http_status") != [404]:
        yield "what nobody declared is not answered 404"


def _reached(rules: list[dict[str, Any]], method: str, path: str) -> str | None:
    for rule in rules:
        (match,) = rule["match_rules"]
        template = re.escape(match["path_template_match"]).replace(r"\*", "[^/]+")
        (header,) = match["header_matches"]
        if re.fullmatch(template, path) and header["exact_match"] == method:
            return str(rule["service"])
    return None


def who_needs_no_token_is_limited_more(plan: Plan, functions: Functions) -> Iterator[str]:
    """The functions that anybody may call are those that declare no scope."""
    for backend in plan.of("google_compute_backend_service"):
        public = functions.get(str(backend.index), {}).get("scope", "") is None
        limit = backend.values["security_policy"].rsplit("/", 1)[-1]
        if limit != ("billing-public" if public else "billing-clients"):
            yield f"{backend.index} is limited by {limit}"


def clients_speak_tls_1_3(plan: Plan, functions: Functions) -> Iterator[str]:
    for policy in plan.of("google_compute_ssl_policy"):
        if (policy.values["min_tls_version"], policy.values["profile"]) != (
            "TLS_1_3",
            "RESTRICTED",
        ):
            yield f"{policy.address} lets {policy.values['min_tls_version']} in"
    for proxy in plan.of("google_compute_target_https_proxy"):
        if not proxy.values["ssl_policy"]:
            yield f"{proxy.address} has no policy"
    headers = at(
        plan.named("google_compute_url_map", "billing")[0].values,
        *("header_action", "response_headers_to_add", "header_name"),
    )
    if headers != ["Strict-Transport-Security"]:
        yield "a browser is not told to stay with TLS"


def an_alert_has_a_page_and_somebody(plan: Plan, functions: Functions) -> Iterator[str]:
    for alert in plan.of("google_monitoring_alert_policy"):
        for url in at(alert.values, "documentation", "links", "url"):
            if not (RUNBOOKS / url.rsplit("/", 1)[-1]).is_file():
                yield f"{alert.address} links a page that is not there: {url}"
        if not at(alert.values, "documentation", "links", "url"):
            yield f"{alert.address} does not say what to do"
        if len(alert.values["conditions"]) < 1:
            yield f"{alert.address} is never raised"


def the_dashboard_shows_all_of_it(plan: Plan, functions: Functions) -> Iterator[str]:
    """Each chart has a place of its own, and a figure to draw."""
    for dashboard in plan.of(DASHBOARD):
        tiles = json.loads(dashboard.values["dashboard_json"])["mosaicLayout"]["tiles"]
        places = {(tile["xPos"], tile["yPos"]) for tile in tiles}
        if len(places) != len(tiles):
            yield f"{dashboard.address}: {len(tiles)} charts in {len(places)} places"
        queries = ("tiles", "widget", "xyChart", "dataSets", "timeSeriesQuery")
        asked = [
            each.get("prometheusQuery") or each["timeSeriesFilter"]["filter"]
            for each in at({"tiles": tiles}, *queries)
        ]
        drawn = [each for each in asked if "metric.type=" in each or PROMQL.fullmatch(each)]
        if len(drawn) != len(tiles):
            yield f"{dashboard.address}: a chart draws nothing"


def every_chart_is_on_a_dashboard(plan: Plan, functions: Functions) -> Iterator[str]:
    """As charts.json has it, each figure under its own name."""
    charts = json.loads((ROOT / "terraform/charts.json").read_text(encoding="utf-8"))
    drawn = "".join(each.values["dashboard_json"] for each in plan.of(DASHBOARD))
    for chart in charts:
        if json.dumps(chart["title"])[1:-1] not in drawn or chart["figure"] not in drawn:
            yield f"{chart['title']} is on no dashboard"


def an_alarming_fact_is_one_that_we_tell(plan: Plan, functions: Functions) -> Iterator[str]:
    told = (ROOT / "common/contracts/asyncapi.json").read_text(encoding="utf-8")
    for held in plan.of(SUBSCRIPTION):
        if held.name == "alarming":
            fact = held.values["filter"].split('"')[1]
            if json.dumps(fact) not in told:
                yield f"{held.address} waits for {fact}, which nobody tells"


def an_alarming_figure_is_one_that_we_measure(plan: Plan, functions: Functions) -> Iterator[str]:
    """By our own name of it; Google's own are asked for in another way."""
    measured = {each.name for each in FIGURES}
    for alert in plan.of("google_monitoring_alert_policy"):
        for query in at(alert.values, "conditions", "condition_prometheus_query_language", "query"):
            asked = GROWN.fullmatch(query)
            if asked is None or asked["name"] not in measured:
                yield f"{alert.address} asks for {query}, which nobody measures"


SHIELDS: Final[tuple[Rule, ...]] = (
    everything_is_encrypted_by_our_keys,
    no_bucket_is_public,
    the_database_is_ours_alone,
    it_never_asks_for_more_connections,
    a_call_reaches_its_function,
    who_needs_no_token_is_limited_more,
    clients_speak_tls_1_3,
    an_alert_has_a_page_and_somebody,
    the_dashboard_shows_all_of_it,
    every_chart_is_on_a_dashboard,
    an_alarming_fact_is_one_that_we_tell,
    an_alarming_figure_is_one_that_we_measure,
)
