# One address for all functions that clients call: TLS 1.3, and a route for each declaration.
#
# A route is the method and the path template that the function declares. Paths that name a thing
# stand before those that name any ("/folios/tax-backfill", "/folios/{folio_id}"). What no
# declaration names is answered 404 here and reaches nothing.

variable "region" {
  type = string
}

variable "domain" {
  type = string
}

variable "routes" {
  description = "What is called, by the function's name; a public route needs no token."
  type = map(object({
    method  = string
    path    = string
    public  = bool
    service = string
  }))
}

variable "calls_a_minute" {
  description = "Calls from one address before it is told to wait: by clients, and by anybody."
  type        = object({ clients = number, public = number })
}

locals {
  hsts_seconds = 2 * 365 * 24 * 60 * 60

  # A parameter sorts behind every word.
  order = sort([
    for name, route in var.routes :
    join(" ", [replace(route.path, "/\\{\\w+\\}/", "~"), route.method, name])
  ])
  ordered = [for each in local.order : split(" ", each)[2]]
  default = local.ordered[0] # a backend has to be named where none is ever asked
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each              = var.routes
  name                  = each.value.service
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = each.value.service
  }
}

resource "google_compute_backend_service" "function" {
  for_each              = var.routes
  name                  = each.value.service
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  security_policy = (
    google_compute_security_policy.calls[each.value.public ? "public" : "clients"].id
  )

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }
  log_config {
    enable      = true
    sample_rate = 1
  }
}

# Cloud Armor counts before we do. What is free text here (a description, a guest's remark) would
# often look like SQL or like a script to its patterns, so only those about the protocol are used.
resource "google_compute_security_policy" "calls" {
  for_each = var.calls_a_minute
  name     = "billing-${each.key}"

  adaptive_protection_config {
    layer_7_ddos_defense_config {
      enable = true
    }
  }

  rule {
    priority    = 1000
    action      = "deny(403)"
    description = "Requests that are smuggled or split"

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('protocolattack-v33-stable', {'sensitivity': 1})"
      }
    }
  }

  rule {
    priority    = 1100
    action      = "deny(403)"
    description = "Programs that look for holes"

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('scannerdetection-v33-stable', {'sensitivity': 1})"
      }
    }
  }

  rule {
    priority    = 2147483647
    action      = "allow"
    description = "Whatever no rule before names; there is none such"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  rule {
    priority    = 2000
    action      = "throttle"
    description = "Everybody, so many calls a minute from one address"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = each.value
        interval_sec = 60
      }
    }
  }
}

resource "google_compute_url_map" "billing" {
  name            = "billing"
  default_service = google_compute_backend_service.function[local.default].id

  header_action {
    response_headers_to_add {
      header_name  = "Strict-Transport-Security"
      header_value = "max-age=${local.hsts_seconds}; includeSubDomains; preload"
      replace      = true
    }
  }

  host_rule {
    hosts        = ["*"]
    path_matcher = "functions"
  }

  path_matcher {
    name = "functions"

    dynamic "route_rules" {
      for_each = { for index, name in local.ordered : index => name }
      content {
        priority = tonumber(route_rules.key) + 1
        service  = google_compute_backend_service.function[route_rules.value].id

        match_rules {
          path_template_match = replace(var.routes[route_rules.value].path, "/\\{\\w+\\}/", "*")

          header_matches {
            header_name = ":method"
            exact_match = var.routes[route_rules.value].method
          }
        }
      }
    }

    default_route_action {
      fault_injection_policy {
        abort {
          http_status = 404
          percentage  = 100
        }
      }
      weighted_backend_services {
        backend_service = google_compute_backend_service.function[local.default].id
        weight          = 100
      }
    }
  }
}

resource "google_compute_ssl_policy" "billing" {
  name            = "billing"
  profile         = "RESTRICTED"
  min_tls_version = "TLS_1_3"
}

# A certificate is for one domain for ever, and cannot go while the proxy holds it: with another
# domain there is another one, beside the old one until the proxy has it.
resource "google_compute_managed_ssl_certificate" "billing" {
  name = "billing-${substr(sha256(var.domain), 0, 8)}"

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_target_https_proxy" "billing" {
  name             = "billing"
  url_map          = google_compute_url_map.billing.id
  ssl_policy       = google_compute_ssl_policy.billing.id
  ssl_certificates = [google_compute_managed_ssl_certificate.billing.id]
}

resource "google_compute_global_address" "billing" {
  name = "billing"
}

resource "google_compute_global_forwarding_rule" "https" {
  name                  = "billing-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.billing.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.billing.id
}

# Who comes without TLS is sent to it.
resource "google_compute_url_map" "to_https" {
  name = "billing-to-https"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "PERMANENT_REDIRECT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "to_https" {
  name    = "billing-to-https"
  url_map = google_compute_url_map.to_https.id
}

resource "google_compute_global_forwarding_rule" "to_https" {
  name                  = "billing-to-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.billing.id
  port_range            = "80"
  target                = google_compute_target_http_proxy.to_https.id
}

output "address" {
  description = "What the domain's A record has to name."
  value       = google_compute_global_address.billing.address
}
