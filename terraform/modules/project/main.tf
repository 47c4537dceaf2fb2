# The APIs of the project that the service lives in.

variable "id" {
  type = string
}

variable "services" {
  description = "APIs, without their .googleapis.com."
  type        = set(string)
  default = [
    "artifactregistry", "billingbudgets", "cloudbuild", "cloudkms", "cloudresourcemanager",
    "cloudscheduler", "cloudtrace", "compute", "iam", "iamcredentials", "logging", "monitoring",
    "ondemandscanning", "pubsub", "run", "secretmanager", "servicenetworking", "sqladmin",
    "storage", "sts", "telemetry",
  ]
}

resource "google_project_service" "api" {
  for_each           = var.services
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false # other things of the project may use it
}

# Who opened a secret, used a key or read a document is written down: an intruder is seen by it.
resource "google_project_iam_audit_config" "reads" {
  for_each = toset(["cloudkms", "secretmanager", "storage"])
  project  = var.id
  service  = "${each.key}.googleapis.com"

  audit_log_config {
    log_type = "DATA_READ"
  }
  audit_log_config {
    log_type = "DATA_WRITE"
  }
}

locals {
  agents = {
    database  = "gcp-sa-cloud-sql"
    events    = "gcp-sa-pubsub"
    functions = "serverless-robot-prod"
    images    = "gcp-sa-artifactregistry"
    secrets   = "gcp-sa-secretmanager"
  }
}

data "google_project" "this" {
  depends_on = [google_project_service.api]
}

# Google makes the account of Cloud Storage when it is asked for, and not before.
data "google_storage_project_service_account" "documents" {
  depends_on = [google_project_service.api]
}

output "id" {
  value = var.id
}

output "number" {
  value = data.google_project.this.number
}

output "agents" {
  description = "Google's own accounts, which read and write with our keys in our name."
  value = merge(
    {
      for name, domain in local.agents :
      name => join("", [
        "serviceAccount:service-", data.google_project.this.number, "@", domain,
        ".iam.gserviceaccount.com",
      ])
    },
    { documents = data.google_storage_project_service_account.documents.member },
  )
}
