"""Mistakes to make in a copy of terraform/, each with who has to notice it.

What Terraform refuses by itself is made alone: `noticed_by` is what it says. What it would plan is
made all at once, in production, as a plan takes a quarter of a minute: `noticed_by` is a rule, and
`says` how it tells of this one.
"""

import re
from dataclasses import dataclass
from typing import Final

from tests.terraform import rules, shields
from tests.terraform.rules import Rule


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """What is written in a place of a passage, and who notices; `says` is how that is told."""

    name: str
    file: str
    before: str
    after: str
    noticed_by: Rule | str
    environment: str = "staging"
    says: str = ""


DATABASE: Final = "modules/database/main.tf"
FUNCTIONS: Final = "modules/functions/main.tf"
PUBSUB: Final = "modules/pubsub/main.tf"
STAGING: Final = "environments/staging/main.tf"
LETTERS: Final = """  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = local.attempts_max
  }
"""
RETRIES: Final = """  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
"""
AMOUNT: Final = """  amount {
    specified_amount {
      currency_code = var.monthly.currency
      units         = tostring(var.monthly.units)
    }
  }
"""
PUBLIC: Final = """  public_access_prevention    = "{}"

  encryption {{
    default_kms_key_name = var.key
  }}
  versioning {{"""

REFUSED: Final = (
    Mistake(
        name="an argument that does not exist",
        file=DATABASE,
        before="disk_autoresize ",
        after="disk_autosize ",
        noticed_by='An argument named "disk_autosize" is not expected here',
    ),
    Mistake(
        name="a block that is missing",
        file="modules/budget/main.tf",
        before=AMOUNT,
        after="",
        noticed_by='At least 1 "amount" blocks are required',
    ),
    Mistake(
        name="an argument that is missing",
        file="modules/images/main.tf",
        before='  format        = "DOCKER"\n',
        after="",
        noticed_by='The argument "format" is required',
    ),
    Mistake(
        name="a value of another type",
        file=DATABASE,
        before="= var.size.disk_gb",
        after='= "large"',
        noticed_by="a number is required",
    ),
    Mistake(
        name="a reference to nothing",
        file=PUBSUB,
        before="value = google_pubsub_topic.events.id\n",
        after="value = google_pubsub_topic.events.idd\n",
        noticed_by='no argument, nested block, or exported attribute named "idd"',
    ),
    Mistake(
        name="a value that Google refuses",
        file=PUBSUB,
        before="ack_deadline_seconds       = 180",
        after="ack_deadline_seconds       = 5",
        noticed_by="ack_deadline_seconds cannot be 5",
    ),
    Mistake(
        name="more connections than there are",
        file=STAGING,
        before="max_connections = 700",
        after="max_connections = 100",
        noticed_by="connections at once and has 60 (100 without the 40 reserved ones)",
    ),
    Mistake(
        name="a sandbox in production",
        file="environments/production/main.tf",
        before='gateway     = "stripe"',
        after='gateway     = "sandbox"',
        noticed_by="money has moved which never did",
        environment="production",
    ),
    Mistake(
        name="an image by its tag",
        file="environments/staging/terraform.tfvars",
        before="@sha256:" + "0" * 64,
        after=":latest",
        noticed_by="An image is named by its digest",
    ),
    Mistake(
        name="an event of a service without a topic",
        file=STAGING,
        before="    reservation     =",
        after="    reservations    =",
        noticed_by="no topic of the service reservation is named",
    ),
    Mistake(
        name="a need that nobody knows",
        file="functions.json",
        before='"detector"',
        after='"oracle"',
        noticed_by="A need of jobs is not known here",
    ),
)

NOTICED: Final = (
    Mistake(
        name="a function without a service",
        file="functions.json",
        before='"post_charge": {',
        after='"post_charged": {',
        says="post_charge is deployed 0 times",
        noticed_by=rules.every_function_is_deployed_once,
    ),
    Mistake(
        name="a function under another account",
        file=FUNCTIONS,
        before="= each.value.account",
        after='= "somebody@example.iam.gserviceaccount.com"',
        says="void_charge runs as somebody@example.iam",
        noticed_by=rules.it_runs_as_its_area,
    ),
    Mistake(
        name="a role too many",
        file="modules/storage/main.tf",
        before='["objectCreator", "objectViewer"]',
        after='["objectCreator", "objectViewer", "objectAdmin"]',
        says="has storage.objectAdmin on melmastoon-documents-",
        noticed_by=rules.an_account_has_what_its_functions_need,
    ),
    Mistake(
        name="a role too few",
        file=PUBSUB,
        before="  for_each = var.publishers\n",
        after="  for_each = {}\n",
        says="lacks pubsub.publisher on billing-events",
        noticed_by=rules.an_account_has_what_its_functions_need,
    ),
    Mistake(
        name="who signs for hotels seals for the platform",
        file="modules/kms/main.tf",
        before="  for_each    = local.platform_signing\n",
        after="  for_each    = merge(local.signing, local.platform_signing)\n",
        says="invoices has cloudkms.signerVerifier on billing-platform-signing",
        noticed_by=rules.an_account_has_what_its_functions_need,
    ),
    Mistake(
        name="a role on every secret there is",
        file="modules/secrets/main.tf",
        before='output "ids" {',
        after=(
            'resource "google_project_iam_member" "all" {\n  project = "any"\n'
            '  role = "roles/secretmanager.secretAccessor"\n  member = "user:a@example"\n}\n\n'
            'output "ids" {'
        ),
        says="roles/secretmanager.secretAccessor is granted on the whole project",
        noticed_by=rules.a_right_is_on_a_thing_and_somebodys,
    ),
    Mistake(
        name="a consumer that anybody may call",
        file=FUNCTIONS,
        before="member   = var.push_account",
        after='member   = "allUsers"',
        says="roles/run.invoker is everybody's",
        noticed_by=rules.a_right_is_on_a_thing_and_somebodys,
    ),
    Mistake(
        name="a consumer that asks nobody who calls",
        file=FUNCTIONS,
        before='invoker_iam_disabled = each.value.kind == "http"',
        after="invoker_iam_disabled = true",
        says="on_charge_posted: who calls is asked by the wrong one",
        noticed_by=rules.only_pubsub_calls_a_consumer,
    ),
    Mistake(
        name="a function beside the load balancer",
        file=FUNCTIONS,
        before='"INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"',
        after='"INGRESS_TRAFFIC_ALL"',
        says="void_charge can be reached otherwise: INGRESS_TRAFFIC_ALL",
        noticed_by=rules.only_pubsub_calls_a_consumer,
    ),
    Mistake(
        name="no dead letters",
        file=PUBSUB,
        before=LETTERS,
        after="",
        says="on_charge_posted has no place for dead letters",
        noticed_by=rules.an_event_is_pushed_to_its_consumer,
    ),
    Mistake(
        name="no pause before a retry",
        file=PUBSUB,
        before=RETRIES,
        after="",
        says="on_charge_posted is pushed again at once",
        noticed_by=rules.an_event_is_pushed_to_its_consumer,
    ),
    Mistake(
        name="another type of event",
        file=PUBSUB,
        before="${each.value.event_type}\\",
        after="${each.value.event_type}.v2\\",
        says="pos.charge.posted.v1.v2",
        noticed_by=rules.an_event_is_pushed_to_its_consumer,
    ),
    Mistake(
        name="another schedule",
        file="modules/jobs/main.tf",
        before="= each.value.schedule",
        after='= "0 0 * * *"',
        says="drain_outbox is fired at 0 0 * * *",
        noticed_by=rules.a_job_is_fired_on_its_schedule,
    ),
    Mistake(
        name="more threads than connections",
        file=FUNCTIONS,
        before="max_instance_request_concurrency = each.value.size.threads",
        after="max_instance_request_concurrency = 80",
        says="void_charge: 80 requests, 8 threads",
        noticed_by=rules.a_thread_has_a_connection_and_a_request,
    ),
    Mistake(
        name="a setting that nothing reads",
        file="modules/service/settings.tf",
        before="BILLING_TOPIC ",
        after="BILLING_TOPICS ",
        says="is told BILLING_TOPICS, and nothing reads it",
        noticed_by=rules.it_is_told_what_it_needs,
    ),
    Mistake(
        name="a login with a password",
        file=DATABASE,
        before='"CLOUD_IAM_SERVICE_ACCOUNT"',
        after='"BUILT_IN"',
        says="logs in with a password",
        noticed_by=rules.an_account_logs_in_by_itself,
    ),
    Mistake(
        name="a topic under a key of Google's",
        file=PUBSUB,
        before='"billing-dead-letters"\n  kms_key_name = var.key',
        after='"billing-dead-letters"',
        says="google_pubsub_topic.dead_letters is encrypted by a key of Google's",
        noticed_by=shields.everything_is_encrypted_by_our_keys,
    ),
    Mistake(
        name="a bucket that could be public",
        file="modules/storage/main.tf",
        before=PUBLIC.format("enforced"),
        after=PUBLIC.format("inherited"),
        says="could be made public",
        noticed_by=shields.no_bucket_is_public,
    ),
    Mistake(
        name="audit roots that can be deleted",
        file="environments/production/main.tf",
        before="lock_audit  = true",
        after="lock_audit  = false",
        says="google_storage_bucket.audit: the lock is [False]",
        noticed_by=shields.no_bucket_is_public,
    ),
    Mistake(
        name="a database that cannot be taken back",
        file=DATABASE,
        before="point_in_time_recovery_enabled = true",
        after="point_in_time_recovery_enabled = false",
        says="is not taken back to any second",
        noticed_by=shields.the_database_is_ours_alone,
    ),
    Mistake(
        name="connections that are not counted",
        file="modules/service/settings.tf",
        before="size.max_instances * size.threads",
        after="size.max_instances",
        says="connections can be opened, and Terraform counts",
        noticed_by=shields.it_never_asks_for_more_connections,
    ),
    Mistake(
        name="a route for another method",
        file="modules/load_balancer/main.tf",
        before="exact_match = var.routes[route_rules.value].method",
        after='exact_match = "GET"',
        says="POST /api/v1/folios/tax-backfill reaches None",
        noticed_by=shields.a_call_reaches_its_function,
    ),
    Mistake(
        name="a public function like any other",
        file="modules/service/main.tf",
        before="= each.scope == null",
        after="= false",
        says="verify_invoice is limited by billing-clients",
        noticed_by=shields.who_needs_no_token_is_limited_more,
    ),
    Mistake(
        name="old TLS",
        file="modules/load_balancer/main.tf",
        before='"TLS_1_3"',
        after='"TLS_1_2"',
        says="lets TLS_1_2 in",
        noticed_by=shields.clients_speak_tls_1_3,
    ),
    Mistake(
        name="an alert without a page",
        file="alerts.json",
        before='"runbook": "hot_folio"',
        after='"runbook": "cold_folio"',
        says="cold_folio.md",
        noticed_by=shields.an_alert_has_a_page_and_somebody,
    ),
    Mistake(
        name="two charts in one place",
        file="modules/monitoring/dashboard.tf",
        before="(index % 2)",
        after="(index % 1)",
        says="8 charts in 4 places",
        noticed_by=shields.the_dashboard_shows_all_of_it,
    ),
    Mistake(
        name="a figure that is drawn under no name",
        file="modules/monitoring/figures.tf",
        before='jsonencode("${each.figure}${local.parts[each.draws].suffix}")',
        after='"${each.figure}${local.parts[each.draws].suffix}"',
        says="figures: a chart draws nothing",
        noticed_by=shields.the_dashboard_shows_all_of_it,
    ),
    Mistake(
        name="a chart that is drawn nowhere",
        file="modules/monitoring/figures.tf",
        before="for index, chart in local.figures_drawn : {",
        after="for index, chart in slice(local.figures_drawn, 0, 20) : {",
        says="Payouts is on no dashboard",
        noticed_by=shields.every_chart_is_on_a_dashboard,
    ),
    Mistake(
        name="an alert on what nobody measures",
        file="alerts.json",
        before='"name": "billing.folio.closed"',
        after='"name": "billing.folio.shut"',
        says="billing.folio.shut",
        noticed_by=shields.an_alarming_figure_is_one_that_we_measure,
    ),
    Mistake(
        name="an alert on what nobody tells",
        file="alerts.json",
        before="tax_rule.missing.v1",
        after="tax_rule.lost.v1",
        says="tax_rule.lost.v1",
        noticed_by=shields.an_alarming_fact_is_one_that_we_tell,
    ),
)


def slug(mistake: Mistake) -> str:
    return re.sub(r"\W+", "-", mistake.name)
