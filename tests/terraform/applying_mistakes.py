"""Mistakes that a plan takes and a first apply, a build or a night does not.

They are made all at once, as a plan takes a quarter of a minute: each says how it is told.
"""

from typing import Final

from tests.terraform import applying, shields
from tests.terraform.mistakes import Mistake

NOTICED_TOO: Final = (
    Mistake(
        name="an API that is off",
        file="modules/project/main.tf",
        before='"cloudresourcemanager",\n',
        after="\n",
        says="cloudresourcemanager is never switched on",
        noticed_by=applying.its_api_is_on_before_a_thing_is_made,
    ),
    Mistake(
        name="a network before its API is on",
        file="modules/service/main.tf",
        before='  source = "../network"\n  region = var.region\n\n  depends_on = [module.project]',
        after='  source = "../network"\n  region = var.region',
        says="network does not wait",
        noticed_by=applying.its_api_is_on_before_a_thing_is_made,
    ),
    Mistake(
        name="a build that cannot write its log",
        file="modules/delivery/main.tf",
        before='"logging.logWriter", ',
        after="",
        says="lacks logging.logWriter",
        noticed_by=applying.a_build_begins_and_may_do_its_work,
    ),
    Mistake(
        name="a build that asks another host",
        file="modules/delivery/main.tf",
        before="_DOMAIN     = var.domain",
        after='_DOMAIN     = "elsewhere.example"',
        says="asks elsewhere.example",
        noticed_by=applying.a_build_begins_and_may_do_its_work,
    ),
    Mistake(
        name="a push that is given up before its consumer",
        file="modules/pubsub/main.tf",
        before="ack_deadline_seconds       = 180",
        after="ack_deadline_seconds       = 120",
        says="120, 120] seconds",
        noticed_by=applying.who_asks_gives_up_before_whoever_asked_is_given_up,
    ),
    Mistake(
        name="a request that ends with its database",
        file="modules/service/settings.tf",
        before='SOCKET_TIMEOUT_SECONDS = "20"',
        after='SOCKET_TIMEOUT_SECONDS = "30"',
        says="[5, 15, 30, 30",
        noticed_by=applying.who_asks_gives_up_before_whoever_asked_is_given_up,
    ),
    Mistake(
        name="a request that ends before its processor",
        file="environments/production/main.tf",
        before="    asking    = { timeout_seconds = 60 }\n",
        after="",
        noticed_by=applying.who_asks_gives_up_before_whoever_asked_is_given_up,
        says="refund_payment waits for what it waits for [5, 15, 30, 39, 30]",
    ),
    Mistake(
        name="half an export",
        file="environments/production/main.tf",
        before="    streaming = { timeout_seconds = 900 }\n",
        after="",
        says="export_customer has 30 seconds",
        noticed_by=applying.a_long_answer_is_not_cut_off,
    ),
    Mistake(
        name="a function for ever",
        file="modules/functions/main.tf",
        before="deletion_protection = false",
        after="deletion_protection = true",
        says="can never be withdrawn",
        noticed_by=applying.what_holds_nothing_can_go,
    ),
    Mistake(
        name="orders in a job that knows no keys",
        file="modules/jobs/main.tf",
        before="env             = merge([for each in values(local.declared) : each.env]...)",
        after='env             = local.declared["drain_outbox"].env',
        says="billing-operate is not told BILLING_SIGNING_KEYRING",
        noticed_by=applying.a_person_can_give_every_order,
    ),
    Mistake(
        name="a night that nobody hears of",
        file="alerts.json",
        before='"seldom": true,\n',
        after='"seldom": false,\n',
        says="nobody hears that check_books failed",
        noticed_by=applying.who_fails_at_night_is_heard_of,
    ),
    Mistake(
        name="a chart that no job is seen on",
        file="modules/monitoring/figures.tf",
        before="(%[2]s unless %[2]s offset 5m) or increase(%[2]s[5m])",
        after="increase(%[2]s[5m])",
        noticed_by=shields.the_dashboard_shows_all_of_it,
        says="a chart draws nothing",
    ),
    Mistake(
        name="a consumer that nobody watches",
        file="modules/pubsub/main.tf",
        before='name                       = "billing-${replace(each.key, "_", "-")}"\n  topic ',
        after='name                       = "events-${replace(each.key, "_", "-")}"\n  topic ',
        says="events-on-charge-posted holds events back",
        noticed_by=applying.who_fails_at_night_is_heard_of,
    ),
    Mistake(
        name="a secret that nobody fills",
        file="modules/service/main.tf",
        before="    origin-keys      = module.accounts.origins\n",
        after="    origin-keys      = module.accounts.origins\n    pepper = {}\n",
        says="nobody is told to fill billing-pepper",
        noticed_by=applying.the_first_time_is_told,
    ),
    Mistake(
        name="a budget by the project's name",
        file="modules/service/main.tf",
        before="= module.project.number",
        after="= module.project.id",
        says="every plan finds it changed",
        noticed_by=applying.a_budget_is_found_as_it_was_made,
    ),
    Mistake(
        name="one pooler where there are two",
        file="modules/database/main.tf",
        before="var.pooler.pool_size * local.poolers",
        after="var.pooler.pool_size",
        says="PostgreSQL has to bear 840 connections",
        noticed_by=shields.it_never_asks_for_more_connections,
    ),
    Mistake(
        name="a slow job that is counted once",
        file="modules/service/settings.tf",
        before=": runs * var.job_connections",
        after=": var.job_connections",
        says="connections can be opened, and Terraform counts",
        noticed_by=shields.it_never_asks_for_more_connections,
    ),
)
