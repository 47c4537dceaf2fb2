# A Cloud Run job for each declared one, fired by its schedule, and two more: the one that migrates,
# and the one in which a person at the console gives orders (runbooks/README.md), which is the jobs'
# account and is told all that any of them is told.
#
# A job that failed is not tried again at once: the next firing finds what is left.

variable "project" {
  type = string
}

variable "region" {
  type = string
}

variable "jobs" {
  description = "Jobs by name: as declared, with their account and settings."
  type = map(object({
    account         = string
    env             = map(string)
    secrets         = map(string)
    schedule        = string
    timeout_seconds = number
    connections     = number
    memory          = string
  }))
}

variable "image" {
  type = string
}

variable "subnetwork" {
  type = string
}

variable "key" {
  type = string
}

variable "migration_secret" {
  description = "The secret that holds the database's address for the role that migrates."
  type        = string
}

variable "migration_account" {
  type = string
}

variable "grace_seconds" {
  description = "A job ends by itself when its time is up, and says so; it is killed so much later."
  type        = number
}

locals {
  migrate = {
    account         = var.migration_account
    args            = ["migrate", "up", "--on-failure", "revert", "--json"]
    env             = {}
    secrets         = { BILLING_MIGRATION_DSN = var.migration_secret }
    timeout_seconds = 3600
    memory          = "512Mi"
  }
  operate = {
    account         = one(distinct([for each in values(var.jobs) : each.account]))
    args            = ["--help"]
    env             = merge([for each in values(local.declared) : each.env]...)
    secrets         = merge([for each in values(local.declared) : each.secrets]...)
    timeout_seconds = 3600
    memory          = "1Gi"
  }
  # One connection is kept beside the pool, for questions that take as long as the books are large.
  declared = {
    for name, each in var.jobs : name => {
      account         = each.account
      args            = ["job", "run", name]
      env             = merge(each.env, { BILLING_POOL_SIZE = tostring(each.connections - 1) })
      secrets         = each.secrets
      timeout_seconds = each.timeout_seconds
      memory          = each.memory
    }
  }
}

resource "google_cloud_run_v2_job" "job" {
  for_each = merge(local.declared, { migrate = local.migrate, operate = local.operate })
  name     = "billing-${replace(each.key, "_", "-")}"
  location = var.region

  deletion_protection = false # it holds nothing, and a job that is withdrawn goes

  template {
    task_count = 1

    template {
      service_account       = each.value.account
      encryption_key        = var.key
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      timeout               = "${each.value.timeout_seconds + var.grace_seconds}s"
      max_retries           = 0

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"

        network_interfaces {
          subnetwork = var.subnetwork
        }
      }

      containers {
        image   = var.image
        command = ["python", "-m", "common.cli"]
        args    = each.value.args

        resources {
          limits = { cpu = "1", memory = each.value.memory }
        }

        dynamic "env" {
          for_each = each.value.env
          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = each.value.secrets
          content {
            name = env.key

            value_source {
              secret_key_ref {
                secret  = env.value
                version = "latest"
              }
            }
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version, template[0].template[0].containers[0].image]
  }
}

resource "google_service_account" "schedule" {
  account_id   = "billing-schedule"
  display_name = "Cloud Scheduler fires jobs as this account"
}

resource "google_cloud_run_v2_job_iam_member" "schedule" {
  for_each = var.jobs
  name     = google_cloud_run_v2_job.job[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.schedule.member
}

resource "google_cloud_scheduler_job" "job" {
  for_each         = var.jobs
  name             = "billing-${replace(each.key, "_", "-")}"
  region           = var.region
  schedule         = each.value.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "30s"

  http_target {
    http_method = "POST"
    uri = join("", [
      "https://run.googleapis.com/v2/projects/", var.project,
      "/locations/", var.region, "/jobs/", google_cloud_run_v2_job.job[each.key].name, ":run",
    ])

    oauth_token {
      service_account_email = google_service_account.schedule.email
    }
  }

  retry_config {
    retry_count = 1 # the next minute, or the next day, fires it again
  }
}

output "names" {
  value = { for name, job in google_cloud_run_v2_job.job : name => job.name }
}
