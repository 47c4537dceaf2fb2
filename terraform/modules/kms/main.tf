# Keys: those that Google's services encrypt our data with, those that sign documents, and those
# that wrap the tenants' data keys.
#
# Keys that encrypt are changed every 90 days by KMS. A key that signs is not changed by a schedule,
# as a new version has to be published to who verifies: runbooks/key_rotation.md says how.
# A key that is destroyed takes everything with it that it encrypted or has to verify.

variable "region" {
  type = string
}

variable "agents" {
  description = "What has a key to encrypt with, and the account of Google's that uses it."
  type        = map(string)
}

variable "tenants" {
  description = "Tenants, by their ids: each signs its documents with a key of its own."
  type        = set(string)
}

variable "signers" {
  type = map(string)
}

variable "verifiers" {
  type = map(string)
}

variable "platform" {
  description = "The id that the platform's own key is kept under: no tenant's."
  type        = string
  default     = "00000000-0000-0000-0000-000000000000"
}

variable "platform_signers" {
  description = "Accounts that seal the platform's own documents."
  type        = map(string)
}

variable "wrappers" {
  description = "Accounts that seal payment tokens under data keys, and wrap those."
  type        = map(string)
}

locals {
  rotation_seconds    = 90 * 24 * 60 * 60
  destruction_seconds = 30 * 24 * 60 * 60 # to notice a mistake in

  # Whoever signs looks up which version is the newest (viewer), and verifies what it has signed.
  signing = merge(
    { for group, member in var.signers : "${group} signs" => {
      role = "roles/cloudkms.signerVerifier", member = member
    } },
    { for group, member in var.signers : "${group} finds the newest" => {
      role = "roles/cloudkms.viewer", member = member
    } },
    { for group, member in var.verifiers : "${group} verifies" => {
      role = "roles/cloudkms.publicKeyViewer", member = member
    } },
  )
}

locals {
  platform_signing = merge(
    { for group, member in var.platform_signers : "${group} signs" => {
      role = "roles/cloudkms.signerVerifier", member = member
    } },
    { for group, member in var.platform_signers : "${group} finds the newest" => {
      role = "roles/cloudkms.viewer", member = member
    } },
  )
}

resource "google_kms_key_ring" "encryption" {
  name     = "billing-encryption"
  location = var.region
}

resource "google_kms_crypto_key" "encryption" {
  for_each                   = var.agents
  name                       = each.key
  key_ring                   = google_kms_key_ring.encryption.id
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = "${local.rotation_seconds}s"
  destroy_scheduled_duration = "${local.destruction_seconds}s"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "agent" {
  for_each      = var.agents
  crypto_key_id = google_kms_crypto_key.encryption[each.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}

# Signing keys stay in the region whose law the documents are under.
resource "google_kms_key_ring" "signing" {
  name     = "billing-signing"
  location = var.region
}

resource "google_kms_crypto_key" "signing" {
  for_each                   = var.tenants
  name                       = "invoice-${replace(each.key, "-", "")}"
  key_ring                   = google_kms_key_ring.signing.id
  purpose                    = "ASYMMETRIC_SIGN"
  destroy_scheduled_duration = "${local.destruction_seconds}s"

  version_template {
    algorithm        = "EC_SIGN_P256_SHA256"
    protection_level = "HSM"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_key_ring_iam_member" "signing" {
  for_each    = local.signing
  key_ring_id = google_kms_key_ring.signing.id
  role        = each.value.role
  member      = each.value.member
}

# The platform's invoices to its tenants are sealed by a key of its own, in a ring of its own: who
# signs for a hotel cannot sign for the platform, nor the other way round.
resource "google_kms_key_ring" "platform" {
  name     = "billing-platform-signing"
  location = var.region
}

resource "google_kms_crypto_key" "platform" {
  name                       = "invoice-${replace(var.platform, "-", "")}"
  key_ring                   = google_kms_key_ring.platform.id
  purpose                    = "ASYMMETRIC_SIGN"
  destroy_scheduled_duration = "${local.destruction_seconds}s"

  version_template {
    algorithm        = "EC_SIGN_P256_SHA256"
    protection_level = "HSM"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_key_ring_iam_member" "platform" {
  for_each    = local.platform_signing
  key_ring_id = google_kms_key_ring.platform.id
  role        = each.value.role
  member      = each.value.member
}

# What a data key seals is erased when the key is destroyed that wrapped it. KMS finds the version
# that has wrapped it by itself; billing job run rewrap_data_keys wraps by the newest one.
resource "google_kms_key_ring" "wrapping" {
  name     = "billing-wrapping"
  location = var.region
}

resource "google_kms_crypto_key" "wrapping" {
  for_each                   = var.tenants
  name                       = "data-${replace(each.key, "-", "")}"
  key_ring                   = google_kms_key_ring.wrapping.id
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = "${local.rotation_seconds}s"
  destroy_scheduled_duration = "${local.destruction_seconds}s"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_key_ring_iam_member" "wrapping" {
  for_each    = var.wrappers
  key_ring_id = google_kms_key_ring.wrapping.id
  role        = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member      = each.value
}

output "keys" {
  description = "The key of each thing that encrypts, once it may be used."
  value       = { for name, key in google_kms_crypto_key.encryption : name => key.id }
  depends_on  = [google_kms_crypto_key_iam_member.agent]
}

output "signing_keyring" {
  value = google_kms_key_ring.signing.id
}

output "platform_keyring" {
  value = google_kms_key_ring.platform.id
}

output "wrapping_keyring" {
  value = google_kms_key_ring.wrapping.id
}
