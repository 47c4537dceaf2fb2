# Secrets: a place for each, and who may open it. Terraform knows none of them.
#
# Versions are added by a person (`gcloud secrets versions add`), so that no state file holds one.

variable "region" {
  type = string
}

variable "key" {
  type = string
}

variable "readers" {
  description = "Who may open each secret: member by the name of the account."
  type        = map(map(string))
}

locals {
  rights = merge([
    for secret, readers in var.readers : {
      for reader, member in readers : "${secret} ${reader}" => { secret = secret, member = member }
    }
  ]...)
}

resource "google_secret_manager_secret" "secret" {
  for_each            = var.readers
  secret_id           = "billing-${each.key}"
  version_destroy_ttl = "${7 * 24 * 60 * 60}s"

  replication {
    user_managed {
      replicas {
        location = var.region

        customer_managed_encryption {
          kms_key_name = var.key
        }
      }
    }
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each  = local.rights
  secret_id = google_secret_manager_secret.secret[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.member
}

output "ids" {
  value = {
    for name, secret in google_secret_manager_secret.secret : name => secret.secret_id
  }
  depends_on = [google_secret_manager_secret_iam_member.reader]
}
