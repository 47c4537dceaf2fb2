# Who delivers: the build of each commit, the account that it runs as, and the repository that may
# become that account.
#
# A build outside of Google proves itself by the token of its own issuer (Workload Identity
# Federation), so that there is no key of this account to lose. It may deploy what is there, and
# change no right and no database.

variable "project" {
  type = string
}

variable "issuer" {
  description = "Whose tokens are believed, such as https://token.actions.githubusercontent.com."
  type        = string
}

variable "repository" {
  description = "The repository that may deliver, as the issuer names it."
  type        = string
}

variable "repository_id" {
  description = "Its number with the issuer: a name can be given up, and be somebody else's."
  type        = string

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.repository_id))
    error_message = "A repository's id is a number: api.github.com/repos/OWNER/NAME says which."
  }
}

variable "branch" {
  description = "The only branch that is delivered from."
  type        = string
}

variable "domain" {
  description = "The host that the build asks whether all is well."
  type        = string
}

variable "region" {
  type = string
}

variable "image_repository" {
  type = string
}

variable "runs_as" {
  description = "Accounts that services and jobs run as: who deploys has to be allowed to say so."
  type        = map(string)
}

variable "services" {
  type = map(string)
}

variable "jobs" {
  type = map(string)
}

resource "google_service_account" "delivery" {
  account_id   = "billing-delivery"
  display_name = "The build deploys as this account"
}

locals {
  pool = "billing-builds"
}

resource "google_iam_workload_identity_pool" "builds" {
  workload_identity_pool_id = local.pool
  display_name              = "Builds that deliver billing"
}

resource "google_iam_workload_identity_pool_provider" "builds" {
  workload_identity_pool_id          = local.pool
  workload_identity_pool_provider_id = "repository"
  depends_on                         = [google_iam_workload_identity_pool.builds]

  attribute_mapping = {
    "google.subject"          = "assertion.sub"
    "attribute.repository"    = "assertion.repository"
    "attribute.repository_id" = "assertion.repository_id"
    "attribute.ref"           = "assertion.ref"
  }
  attribute_condition = join(" && ", [
    "assertion.repository_id == '${var.repository_id}'", # the token has it as text
    "assertion.repository == '${var.repository}'",
    "assertion.ref == 'refs/heads/${var.branch}'",
  ])

  oidc {
    issuer_uri = var.issuer
  }
}

resource "google_service_account_iam_member" "builds" {
  service_account_id = google_service_account.delivery.name
  role               = "roles/iam.workloadIdentityUser"
  member = join("", [
    "principalSet://iam.googleapis.com/", google_iam_workload_identity_pool.builds.name,
    "/attribute.repository_id/${var.repository_id}",
  ])
}

# Only a build that a trigger began knows its commit and gets its provenance. Cloud Build has to be
# allowed to read the repository first, which a person does (README).
resource "google_cloudbuild_trigger" "deliver" {
  name            = "billing-deliver"
  location        = var.region
  filename        = "cloudbuild.yaml"
  service_account = google_service_account.delivery.name

  github {
    owner = split("/", var.repository)[0]
    name  = split("/", var.repository)[1]

    push {
      branch = "^${var.branch}$"
    }
  }

  substitutions = {
    _DOMAIN     = var.domain
    _REGION     = var.region
    _REPOSITORY = var.image_repository
  }
}

# It writes the build's log, has the image scanned, and reads in the log whether a new revision has
# failed somebody.
resource "google_project_iam_member" "looks" {
  for_each = toset(["logging.logWriter", "logging.viewer", "ondemandscanning.admin"])
  project  = var.project
  role     = "roles/${each.key}"
  member   = google_service_account.delivery.member
}

resource "google_artifact_registry_repository_iam_member" "pushes" {
  repository = var.image_repository
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.delivery.member
}

resource "google_cloud_run_v2_service_iam_member" "deploys" {
  for_each = var.services
  name     = each.value
  location = var.region
  role     = "roles/run.developer"
  member   = google_service_account.delivery.member
}

resource "google_cloud_run_v2_job_iam_member" "deploys" {
  for_each = var.jobs
  name     = each.value
  location = var.region
  role     = "roles/run.developer"
  member   = google_service_account.delivery.member
}

resource "google_service_account_iam_member" "runs_as" {
  for_each           = var.runs_as
  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.delivery.member
}

output "account" {
  value = google_service_account.delivery.email
}
