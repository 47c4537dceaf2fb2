# Events: the topic that we tell facts on, and a subscription for each consumer.
#
# A push that is not acknowledged comes again, later each time; after 20 attempts (some two hours)
# it is put on the topic of dead letters, where it waits for a person. What a consumer refuses for
# good is kept in the database (`billing dlq`), so what lands here failed for another reason.

variable "region" {
  type = string
}

variable "key" {
  type = string
}

variable "agent" {
  description = "Pub/Sub's own account."
  type        = string
}

variable "publishers" {
  type = map(string)
}

variable "topics" {
  description = "Topics of other services of the platform, by the service that tells there."
  type        = map(string)
}

variable "consumers" {
  description = "What is pushed where: a type of event, and the address of its function."
  type = map(object({
    event_type = string
    endpoint   = string
  }))
}

variable "audience" {
  description = "What the token of a push is made out to."
  type        = string
}

variable "alarming_facts" {
  description = "Types of our own events that somebody is paged for, by the name of the alert."
  type        = map(string)
}

locals {
  attempts_max  = 20
  retention     = "${7 * 24 * 60 * 60}s"
  topics        = merge(var.topics, { billing = google_pubsub_topic.events.id })
  service_of    = { for name, each in var.consumers : name => split(".", each.event_type)[1] }
  services      = setunion(keys(var.topics), ["billing"])
  subscriptions = google_pubsub_subscription.consumer
}

resource "google_pubsub_topic" "events" {
  name                       = "billing-events"
  kms_key_name               = var.key
  message_retention_duration = local.retention # to seek back to, when a consumer was wrong

  message_storage_policy {
    allowed_persistence_regions = [var.region]
    enforce_in_transit          = true
  }
}

resource "google_pubsub_topic" "dead_letters" {
  name         = "billing-dead-letters"
  kms_key_name = var.key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
    enforce_in_transit          = true
  }
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = var.publishers
  topic    = google_pubsub_topic.events.id
  role     = "roles/pubsub.publisher"
  member   = each.value
}

resource "google_service_account" "push" {
  account_id   = "billing-push"
  display_name = "Pub/Sub pushes events as this account"
}

resource "google_service_account_iam_member" "push" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = var.agent
}

resource "google_pubsub_subscription" "consumer" {
  for_each                   = var.consumers
  name                       = "billing-${replace(each.key, "_", "-")}"
  topic                      = local.topics[local.service_of[each.key]]
  filter                     = "attributes.ce-type = \"${each.value.event_type}\""
  enable_message_ordering    = true
  ack_deadline_seconds       = 180 # longer than the slowest consumer is given
  message_retention_duration = local.retention

  push_config {
    push_endpoint = each.value.endpoint

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = var.audience
    }
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = local.attempts_max
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = "" # never
  }

  lifecycle {
    precondition {
      condition     = contains(local.services, local.service_of[each.key])
      error_message = <<-EOT
        ${each.key} takes ${each.value.event_type}, and no topic of the service
        ${local.service_of[each.key]} is named (variable platform_topics).
      EOT
    }
  }
}

resource "google_pubsub_subscription" "dead_letters" {
  name                       = "billing-dead-letters"
  topic                      = google_pubsub_topic.dead_letters.id
  message_retention_duration = "${31 * 24 * 60 * 60}s"

  expiration_policy {
    ttl = ""
  }
}

# Nobody consumes these. As long as one holds a message, its alert is open; to acknowledge the
# message (`gcloud pubsub subscriptions pull --auto-ack`) is to say that somebody has looked.
resource "google_pubsub_subscription" "alarming" {
  for_each                   = var.alarming_facts
  name                       = "billing-alarm-${replace(each.key, "_", "-")}"
  topic                      = google_pubsub_topic.events.id
  filter                     = "attributes.ce-type = \"${each.value}\""
  message_retention_duration = local.retention

  expiration_policy {
    ttl = ""
  }
}

# What Pub/Sub needs to set a message aside.
resource "google_pubsub_topic_iam_member" "dead_letters" {
  topic  = google_pubsub_topic.dead_letters.id
  role   = "roles/pubsub.publisher"
  member = var.agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each     = var.consumers
  subscription = local.subscriptions[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = var.agent
}

output "topic" {
  value = google_pubsub_topic.events.id
}

output "push_account" {
  value = { email = google_service_account.push.email, member = google_service_account.push.member }
}
