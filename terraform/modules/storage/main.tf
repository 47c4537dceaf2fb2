# Buckets: the documents of each tenant, and the roots of the audit trail. None is ever public.

variable "region" {
  type = string
}

variable "key" {
  type = string
}

variable "documents_bucket" {
  description = "What the name of each tenant's bucket begins with."
  type        = string
}

variable "audit_bucket" {
  type = string
}

variable "tenants" {
  type = set(string)
}

variable "accounts" {
  description = "Accounts that store and read documents: member, and name of the account."
  type = map(object({
    member = string
    name   = string
  }))
}

variable "lock_audit" {
  description = "Lock the retention of audit roots. It can never be unlocked or shortened again."
  type        = bool
}

locals {
  retention_seconds = 10 * 366 * 24 * 60 * 60 # ten years, as the books themselves

  rights = {
    for each in setproduct(var.tenants, keys(var.accounts), ["objectCreator", "objectViewer"]) :
    join(" ", each) => {
      tenant = each[0], member = var.accounts[each[1]].member, role = "roles/storage.${each[2]}"
    }
  }
}

resource "google_storage_bucket" "documents" {
  for_each                    = var.tenants
  name                        = "${var.documents_bucket}-${replace(each.key, "-", "")}"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  encryption {
    default_kms_key_name = var.key
  }
  versioning {
    enabled = true
  }
  soft_delete_policy {
    retention_duration_seconds = 30 * 24 * 60 * 60
  }

  lifecycle {
    prevent_destroy = true
  }
}

# They create and read; no account of ours may replace a document or delete one.
resource "google_storage_bucket_iam_member" "documents" {
  for_each = local.rights
  bucket   = google_storage_bucket.documents[each.value.tenant].name
  role     = each.value.role
  member   = each.value.member
}

# A link to a document is signed by IAM in the account's own name.
resource "google_service_account_iam_member" "signs_links" {
  for_each           = var.accounts
  service_account_id = each.value.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.value.member
}

resource "google_storage_bucket" "audit" {
  name                        = var.audit_bucket
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  encryption {
    default_kms_key_name = var.key
  }
  retention_policy {
    retention_period = local.retention_seconds
    is_locked        = var.lock_audit
  }

  lifecycle {
    prevent_destroy = true
  }
}
