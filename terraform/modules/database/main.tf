# A cell: one PostgreSQL server that keeps the books of some hundred tenants.
#
# It stands in two zones and can be taken back to any second of the last week. Nobody reaches it but
# over TLS inside our network; functions log in with their accounts and have no password.

variable "project" {
  type = string
}

variable "name" {
  type = string
}

variable "region" {
  type = string
}

variable "network" {
  type = string
}

variable "key" {
  description = "The key that everything on its disks is encrypted with."
  type        = string
}

variable "size" {
  description = <<-EOT
    The machine. max_connections are what PostgreSQL takes in all; reserved of them are for
    migrations, a person at the console, PostgreSQL itself, and the revisions that a rollout runs
    beside the old ones.
  EOT
  type = object({
    tier            = string
    edition         = string
    disk_gb         = number
    max_connections = number
    reserved        = number
  })
}

variable "pooler" {
  description = <<-EOT
    Cloud SQL's poolers in front (edition ENTERPRISE_PLUS), one for each four processors: together
    they take max_client_connections, and each of them opens at most pool_size to PostgreSQL for
    each account. Null: functions connect directly.
  EOT
  type = object({
    max_client_connections = number
    pool_size              = number
  })
  default = null
}

variable "clients" {
  description = "Accounts that connect, and how many connections all of them may open at once."
  type = object({
    members     = map(string)
    emails      = map(string)
    connections = number
  })
}

locals {
  usable = var.size.max_connections - var.size.reserved

  # The name of a tier that has poolers ends with its processors: db-perf-optimized-N-8.
  poolers = var.pooler == null ? 0 : max(1, floor(tonumber(regex("(\\d+)$", var.size.tier)[0]) / 4))
  opened = (
    var.pooler == null
    ? var.clients.connections
    : length(var.clients.members) * var.pooler.pool_size * local.poolers
  )
  taken = var.pooler == null ? local.usable : var.pooler.max_client_connections

  # No parameter of a statement is ever written down: it may be a guest's name.
  flags = {
    "cloudsql.enable_pgaudit"             = "on"
    "cloudsql.iam_authentication"         = "on"
    "idle_in_transaction_session_timeout" = "60000"
    "log_checkpoints"                     = "on"
    "log_connections"                     = "on"
    "log_disconnections"                  = "on"
    "log_lock_waits"                      = "on"
    "log_parameter_max_length"            = "0"
    "log_parameter_max_length_on_error"   = "0"
    "log_temp_files"                      = "0"
    "max_connections"                     = tostring(var.size.max_connections)
    "pgaudit.log"                         = "ddl,role"
    "pgaudit.log_parameter"               = "off"
  }

  roles = ["cloudsql.client", "cloudsql.instanceUser"]
  rights = {
    for pair in setproduct(keys(var.clients.members), local.roles) :
    join(" ", pair) => { member = var.clients.members[pair[0]], role = "roles/${pair[1]}" }
  }
}

resource "google_sql_database_instance" "cell" {
  name                = var.name
  region              = var.region
  database_version    = "POSTGRES_18"
  encryption_key_name = var.key
  deletion_protection = true

  settings {
    tier                        = var.size.tier
    edition                     = var.size.edition
    availability_type           = "REGIONAL"
    deletion_protection_enabled = true
    disk_type                   = "PD_SSD"
    disk_size                   = var.size.disk_gb
    disk_autoresize             = true

    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network
      ssl_mode        = "ENCRYPTED_ONLY"
      server_ca_mode  = "GOOGLE_MANAGED_CAS_CA"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7
      start_time                     = "01:00"
      location                       = var.region # Google's own choice is a whole continent

      backup_retention_settings {
        retained_backups = 30
        retention_unit   = "COUNT"
      }
    }

    maintenance_window {
      day          = 2 # Tuesday, after the night audits of every hotel in the region
      hour         = 4 # and when no daily job is at work: the next one comes in a day
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled  = true
      query_string_length     = 1024
      record_application_tags = false
      record_client_address   = false
    }

    dynamic "database_flags" {
      for_each = local.flags
      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    dynamic "connection_pool_config" {
      for_each = var.pooler == null ? [] : [var.pooler]
      content {
        connection_pooling_enabled = true

        flags {
          name  = "pool_mode"
          value = "transaction"
        }
        flags {
          name  = "max_pool_size"
          value = connection_pool_config.value.pool_size
        }
        flags {
          name  = "max_client_connections"
          value = connection_pool_config.value.max_client_connections
        }
      }
    }
  }

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = local.opened <= local.usable
      error_message = <<-EOT
        ${var.name} can be asked for ${local.opened} connections at once and has ${local.usable}
        (${var.size.max_connections} without the ${var.size.reserved} reserved ones). Fewer or
        smaller instances, a pooler in front, or another cell.
      EOT
    }
    precondition {
      condition     = var.clients.connections <= local.taken
      error_message = <<-EOT
        The functions and jobs can open ${var.clients.connections} connections at once, and what
        they connect to takes ${local.taken}.
      EOT
    }
    precondition {
      condition     = var.pooler == null || var.size.edition == "ENTERPRISE_PLUS"
      error_message = "Cloud SQL has a pooler in the edition ENTERPRISE_PLUS only."
    }
  }
}

resource "google_sql_database" "billing" {
  name     = "billing"
  instance = google_sql_database_instance.cell.name
}

resource "google_sql_user" "account" {
  for_each = var.clients.emails
  name     = trimsuffix(each.value, ".gserviceaccount.com")
  instance = google_sql_database_instance.cell.name
  type     = "CLOUD_IAM_SERVICE_ACCOUNT"
}

# Cloud SQL has no policy of its own for an instance; the condition is what says which one it is.
resource "google_project_iam_member" "client" {
  for_each = local.rights
  project  = var.project
  role     = each.value.role
  member   = each.value.member

  condition {
    title = "Only ${var.name}"
    expression = join(" && ", [
      "resource.service == 'sqladmin.googleapis.com'",
      "resource.name == 'projects/${var.project}/instances/${var.name}'",
    ])
  }
}

output "connection_name" {
  value = google_sql_database_instance.cell.connection_name
}

output "address" {
  description = "What the connector of a function is given, without the user."
  value = join("", [
    "cloudsql://", google_sql_database_instance.cell.connection_name, "/",
    google_sql_database.billing.name,
  ])
}

output "connections" {
  description = "What may be opened at once, of what there is."
  value       = { opened = local.opened, usable = local.usable }
}
