# Where images are kept. One that was pushed is never replaced: a digest and its tag stay together.

variable "region" {
  type = string
}

variable "key" {
  type = string
}

resource "google_artifact_registry_repository" "billing" {
  repository_id = "billing"
  location      = var.region
  format        = "DOCKER"
  kms_key_name  = var.key

  docker_config {
    immutable_tags = true
  }
  vulnerability_scanning_config {
    enablement_config = "INHERITED"
  }
}

output "repository" {
  value = google_artifact_registry_repository.billing.repository_id
}
