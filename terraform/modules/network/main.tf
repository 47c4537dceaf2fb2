# A network of our own: the database has a private address in it and no other one.

variable "region" {
  type = string
}

resource "google_compute_network" "billing" {
  name                    = "billing"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "functions" {
  name                     = "billing-functions"
  region                   = var.region
  network                  = google_compute_network.billing.id
  ip_cidr_range            = "10.20.0.0/20" # an address for each instance of each function
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_5_MIN"
    flow_sampling        = 0.1
    metadata             = "EXCLUDE_ALL_METADATA"
  }
}

resource "google_compute_global_address" "databases" {
  name          = "billing-databases"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
  network       = google_compute_network.billing.id
}

resource "google_service_networking_connection" "databases" {
  network                 = google_compute_network.billing.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.databases.name]
}

output "network" {
  value      = google_compute_network.billing.id
  depends_on = [google_service_networking_connection.databases]
}

output "subnetwork" {
  value = google_compute_subnetwork.functions.id
}
