# A Cloud Run service for each function: the one image, told which function it is.
#
# An instance answers as many requests at once as it has threads, and has a connection for each:
# threads = concurrency = pool. So how many connections there can be is known before.
# Terraform makes a service; which image its revisions run and who gets the traffic is decided by
# the delivery (cloudbuild.yaml), and left alone here.

variable "region" {
  type = string
}

variable "functions" {
  description = "What is deployed, by name: as declared, with its account, settings and size."
  type = map(object({
    source  = string
    kind    = string
    area    = string
    account = string
    env     = map(string)
    secrets = map(string)
    size = object({
      threads         = number
      min_instances   = number
      max_instances   = number
      cpu             = string
      memory          = string
      timeout_seconds = number
    })
  }))
}

variable "image" {
  description = "The first image, by its digest."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "An image is named by its digest, as a tag may mean another one tomorrow."
  }
}

variable "subnetwork" {
  type = string
}

variable "key" {
  type = string
}

variable "push_account" {
  description = "Who may call the consumers of events."
  type        = string
}

variable "audience" {
  description = "What the token of a push is made out to."
  type        = string
}

locals {
  ingress = {
    http  = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    event = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  }
}

resource "google_cloud_run_v2_service" "function" {
  for_each    = var.functions
  name        = "billing-${replace(each.key, "_", "-")}"
  location    = var.region
  description = each.value.source
  labels      = { area = each.value.area, kind = each.value.kind }

  deletion_protection = false # it holds nothing, and a function that is withdrawn goes

  # Clients come through the load balancer and prove themselves to the function, with a token of the
  # platform's. Events come from Pub/Sub, and Cloud Run asks who that is before we do.
  ingress              = local.ingress[each.value.kind]
  invoker_iam_disabled = each.value.kind == "http"
  custom_audiences     = each.value.kind == "event" ? [var.audience] : []

  template {
    service_account                  = each.value.account
    encryption_key                   = var.key
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    timeout                          = "${each.value.size.timeout_seconds}s"
    max_instance_request_concurrency = each.value.size.threads

    scaling {
      min_instance_count = each.value.size.min_instances
      max_instance_count = each.value.size.max_instances
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        subnetwork = var.subnetwork
      }
    }

    containers {
      image = var.image

      resources {
        limits            = { cpu = each.value.size.cpu, memory = each.value.size.memory }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(each.value.env, {
          FUNCTION_TARGET = each.key
          FUNCTION_SOURCE = each.value.source
          WORKERS         = "1"
          THREADS         = tostring(each.value.size.threads)
        })
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

  lifecycle {
    ignore_changes = [
      client, client_version, traffic, template[0].containers[0].image, template[0].revision,
    ]
  }
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = { for name, each in var.functions : name => each if each.kind == "event" }
  name     = google_cloud_run_v2_service.function[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = var.push_account
}

output "services" {
  description = "The name of each function's service."
  value       = { for name, service in google_cloud_run_v2_service.function : name => service.name }
}

output "addresses" {
  value = { for name, service in google_cloud_run_v2_service.function : name => service.uri }
}
