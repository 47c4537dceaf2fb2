# The whole service in one region: from functions.json, which is made from the declarations in the
# code, alerts.json and charts.json. No function, job, event or route is named in Terraform.
#
# Whatever is made waits until the APIs of the project are on: a first apply would meet most of them
# switched off.

locals {
  functions = jsondecode(file("${path.module}/../../functions.json"))
  alerts    = jsondecode(file("${path.module}/../../alerts.json"))
  charts    = jsondecode(file("${path.module}/../../charts.json"))
  served    = { for name, each in local.functions : name => each if each.kind != "job" }
  jobs      = { for name, each in local.functions : name => each if each.kind == "job" }
  called    = { for name, each in local.functions : name => each if each.kind == "http" }
  consumers = { for name, each in local.functions : name => each if each.kind == "event" }

  audience = "billing-events"
}

module "project" {
  source = "../project"
  id     = var.project
}

module "accounts" {
  source    = "../accounts"
  project   = module.project.id
  functions = local.functions

  depends_on = [module.project]
}

module "network" {
  source = "../network"
  region = var.region

  depends_on = [module.project]
}

module "kms" {
  source    = "../kms"
  region    = var.region
  agents    = module.project.agents
  tenants   = var.tenants
  signers   = module.accounts.signers
  verifiers = module.accounts.verifiers
  wrappers  = module.accounts.wrappers

  platform_signers = module.accounts.platform_signers

  depends_on = [module.project]
}

module "database" {
  source  = "../database"
  project = module.project.id
  name    = var.cell
  region  = var.region
  network = module.network.network
  key     = module.kms.keys["database"]
  size    = var.database
  pooler  = var.pooler
  clients = {
    members     = module.accounts.database
    connections = local.connections
    emails = {
      for group in keys(module.accounts.database) : group => module.accounts.emails[group]
    }
  }

  depends_on = [module.project]
}

module "storage" {
  source           = "../storage"
  region           = var.region
  key              = module.kms.keys["documents"]
  documents_bucket = var.documents_bucket
  audit_bucket     = "${module.project.id}-audit-roots"
  tenants          = var.tenants
  lock_audit       = var.lock_audit
  accounts = {
    for group, member in module.accounts.documents :
    group => { member = member, name = module.accounts.names[group] }
  }

  depends_on = [module.project]
}

module "secrets" {
  source = "../secrets"
  region = var.region
  key    = module.kms.keys["secrets"]
  readers = {
    provisioner = merge(module.accounts.provisioning, {
      migration = google_service_account.migration.member
    })
    processor-key    = module.accounts.gateway
    orchestrator-key = module.accounts.detector
    origin-keys      = module.accounts.origins
    quote-keys       = module.accounts.quotes
    trial-keys       = module.accounts.trials
    webhook-secrets  = module.accounts.webhooks
  }

  depends_on = [module.project]
}

module "pubsub" {
  source         = "../pubsub"
  region         = var.region
  key            = module.kms.keys["events"]
  agent          = module.project.agents["events"]
  publishers     = module.accounts.publishers
  topics         = var.platform_topics
  audience       = local.audience
  alarming_facts = { for name, alert in local.alerts : name => alert.fact if can(alert.fact) }
  consumers = {
    for name, each in local.consumers :
    name => { event_type = each.event_type, endpoint = module.functions.addresses[name] }
  }

  depends_on = [module.project]
}

module "functions" {
  source       = "../functions"
  region       = var.region
  image        = var.image
  subnetwork   = module.network.subnetwork
  key          = module.kms.keys["functions"]
  push_account = module.pubsub.push_account.member
  audience     = local.audience
  functions = {
    for name, each in local.served : name => {
      source  = each.source
      kind    = each.kind
      area    = each.area
      account = module.accounts.emails[module.accounts.group[name]]
      env     = local.settings[name]
      secrets = local.secrets[name]
      size    = local.sizes[name]
    }
  }

  depends_on = [module.project]
}

# It makes roles and schemas, which no function may.
resource "google_service_account" "migration" {
  account_id   = "billing-migration"
  display_name = "Migrates the database"
  depends_on   = [module.project]
}

module "jobs" {
  source            = "../jobs"
  project           = module.project.id
  region            = var.region
  image             = var.image
  subnetwork        = module.network.subnetwork
  key               = module.kms.keys["functions"]
  migration_secret  = module.secrets.ids["provisioner"]
  migration_account = google_service_account.migration.email
  grace_seconds     = local.grace_seconds
  jobs = {
    for name, each in local.jobs : name => {
      account         = module.accounts.emails[module.accounts.group[name]]
      env             = local.settings[name]
      secrets         = local.secrets[name]
      schedule        = each.schedule
      timeout_seconds = each.timeout_seconds
      connections     = var.job_connections
      memory          = contains(each.needs, "printer") ? "1Gi" : "512Mi"
    }
  }

  depends_on = [module.project]
}

module "load_balancer" {
  source         = "../load_balancer"
  region         = var.region
  domain         = var.domain
  calls_a_minute = var.calls_a_minute
  routes = {
    for name, each in local.called : name => {
      method  = each.method
      path    = each.path
      public  = each.scope == null
      service = module.functions.services[name]
    }
  }

  depends_on = [module.project]
}

module "images" {
  source = "../images"
  region = var.region
  key    = module.kms.keys["images"]

  depends_on = [module.project]
}

module "delivery" {
  source           = "../delivery"
  project          = module.project.id
  issuer           = var.repository.issuer
  repository       = var.repository.name
  repository_id    = var.repository.id
  branch           = var.repository.branch
  domain           = var.domain
  region           = var.region
  image_repository = module.images.repository
  services         = module.functions.services
  jobs             = module.jobs.names
  runs_as = merge(module.accounts.names, {
    migration = google_service_account.migration.name
  })

  depends_on = [module.project]
}

module "monitoring" {
  source       = "../monitoring"
  alerts       = local.alerts
  charts       = local.charts
  runbooks_url = var.runbooks_url
  people       = var.people
  seldom       = keys(local.seldom)
  connections  = var.database.max_connections
  readers = concat(
    values(module.accounts.emails), [google_service_account.migration.email]
  )

  depends_on = [module.project]
}

module "budget" {
  source          = "../budget"
  billing_account = var.budget.billing_account
  project         = module.project.number
  monthly         = { currency = var.budget.currency, units = var.budget.units }
  channels        = module.monitoring.channels["told"]

  depends_on = [module.project]
}
