project         = "melmastoon-billing-production"
region          = "europe-west3"
image           = "europe-west3-docker.pkg.dev/melmastoon-billing-production/billing/billing@sha256:0000000000000000000000000000000000000000000000000000000000000000"
billing_account = "000000-000000-000000"

# What `gh api repos/melmastoon/billing --jq .id` says.
repository_id = "100000000"

# Tenants that have a signing key and a bucket; a new one is added here before its first invoice.
tenants = ["2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64"]

people = {
  paged = ["on-call@melmastoon.example"]
  told  = ["billing@melmastoon.example"]
}
