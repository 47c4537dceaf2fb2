# What each function is told: settings and secrets by what it needs (common/runtime/settings.py
# reads them), and how large it is. And how many connections that makes in all.

locals {
  everybody = {
    BILLING_POOLED         = tostring(var.pooler != null)
    BILLING_PROJECT        = module.project.id
    BILLING_PUBLIC_URL     = "https://${var.domain}"
    BILLING_TOKEN_ISSUER   = var.identity.issuer
    BILLING_TOKEN_AUDIENCE = var.identity.audience
    BILLING_JWKS_URL       = var.identity.keys_url
    BILLING_REGION         = var.region
    BILLING_TELEMETRY      = "otlp"
    BILLING_TELEMETRY_URL  = var.telemetry_url
  }
  # Who asks the database gives it up before whoever asked is given up: a statement ends after 15
  # seconds (common/postgres/session.py), a call after its time-out.
  waits = { BILLING_SOCKET_TIMEOUT_SECONDS = "20" }
  by_kind = {
    http = local.waits
    job  = {}
    event = merge(local.waits, {
      BILLING_OIDC_ACCOUNT  = module.pubsub.push_account.email
      BILLING_OIDC_AUDIENCE = local.audience
    })
  }
  by_need = {
    detector  = var.orchestrator == null ? {} : { BILLING_ORCHESTRATOR_URL = var.orchestrator }
    documents = { BILLING_DOCUMENTS_BUCKET = var.documents_bucket }
    gateway   = local.gateways[coalesce(var.gateway, "none")]
    keys      = { BILLING_SIGNING_KEYRING = module.kms.signing_keyring }
    vault     = { BILLING_WRAPPING_KEYRING = module.kms.wrapping_keyring }

    platform_keys = { BILLING_PLATFORM_KEYRING = module.kms.platform_keyring }

    webhooks = var.gateway != "stripe" ? {} : {
      BILLING_STRIPE_WEBHOOK_SECRETS_NAME = join("/", [
        "projects", module.project.id, "secrets", module.secrets.ids["webhook-secrets"]
      ])
    }
    publisher = { BILLING_TOPIC = module.pubsub.topic }
  }
  # The sandbox remembers in its folder what it was asked, each instance for itself.
  gateways = {
    none    = {}
    stripe  = { BILLING_GATEWAY = "stripe" }
    sandbox = { BILLING_GATEWAY = "sandbox", BILLING_LOCAL_FOLDER = "/tmp/billing" }
  }
  secret_by_need = {
    provisioning = { BILLING_PROVISIONER = module.secrets.ids["provisioner"] }
    gateway = var.gateway != "stripe" ? {} : {
      BILLING_STRIPE_API_KEY = module.secrets.ids["processor-key"]
    }
    origins = { BILLING_ORIGIN_KEYS = module.secrets.ids["origin-keys"] }
    quotes  = { BILLING_QUOTE_KEYS = module.secrets.ids["quote-keys"] }
    trials  = { BILLING_TRIAL_KEYS = module.secrets.ids["trial-keys"] }
    detector = var.orchestrator == null ? {} : {
      BILLING_ORCHESTRATOR_KEY = module.secrets.ids["orchestrator-key"]
    }
  }

  settings = {
    for name, each in local.functions : name => merge(
      local.everybody,
      local.by_kind[each.kind],
      {
        BILLING_DATABASE = join("", [
          module.database.address, "?ip=private&user=",
          urlencode(trimsuffix(
            module.accounts.emails[module.accounts.group[name]], ".gserviceaccount.com"
          )),
        ])
      },
      [for need in each.needs : lookup(local.by_need, need, {})]...
    )
  }
  secrets = {
    for name, each in local.functions :
    name => merge([for need in each.needs : lookup(local.secret_by_need, need, {})]...)
  }

  sizes = {
    for name, each in local.served : name => merge(
      var.sizes.usual,
      contains(each.needs, "gateway") ? var.sizes.asking : {},
      contains(each.needs, "printer") ? var.sizes.printing : {},
      try(each.streams, false) ? var.sizes.streaming : {},
      lookup(var.sizes.named, name, {}),
    )
  }

  grace_seconds = 60

  # Minutes between two firings. Those that are seldom fired do not make good by the next one what
  # the last one left undone.
  interval_minutes = {
    for name, each in local.jobs : name => (
      startswith(each.schedule, "* ") ? 1 :
      startswith(each.schedule, "*/") ? tonumber(regex("^\\*/(\\d+)", each.schedule)[0]) :
      split(" ", each.schedule)[1] == "*" ? 60 : 24 * 60
    )
  }
  seldom = { for name, minutes in local.interval_minutes : name => minutes if minutes >= 60 }

  # Cloud Run lets a firing begin while the one before is at work: so many may be there at once when
  # each of them takes all of its time, which is when the database is slow.
  at_once = {
    for name, each in local.jobs : name => ceil(
      (each.timeout_seconds + local.grace_seconds) / (60 * local.interval_minutes[name])
    )
  }

  # Every instance of every function with all of its threads busy, and every run of every job.
  connections = sum(concat(
    [for size in values(local.sizes) : size.max_instances * size.threads],
    [for runs in values(local.at_once) : runs * var.job_connections],
  ))
}

output "connections" {
  description = "Connections that all of it asks for, that are opened, and that there are."
  value       = merge(module.database.connections, { asked_for = local.connections })
}

output "address" {
  value = module.load_balancer.address
}

output "delivery_account" {
  value = module.delivery.account
}
