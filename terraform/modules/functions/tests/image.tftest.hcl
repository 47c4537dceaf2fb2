# An image that is named by a tag could be another one tomorrow.

variables {
  region       = "europe-west3"
  functions    = {}
  subnetwork   = "projects/example/regions/europe-west3/subnetworks/billing-functions"
  key          = "projects/example/locations/europe-west3/keyRings/ring/cryptoKeys/functions"
  push_account = "serviceAccount:billing-push@example.iam.gserviceaccount.com"
  audience     = "billing-events"
}

run "refuses_a_tag" {
  command = plan

  variables {
    image = "europe-west3-docker.pkg.dev/example/billing/billing:latest"
  }

  expect_failures = [var.image]
}
