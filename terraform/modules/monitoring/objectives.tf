# What clients may count on, over 28 days, and how fast the room for error is used up.
#
# Two pairs of windows (fast: 2 % of the month's room in an hour; slow: 10 % in three days), each
# with a short one, so that an alert ends when the trouble does.

locals {
  days = 28
  requests = join(" AND ", [
    "metric.type=\"loadbalancing.googleapis.com/https/request_count\"",
    "resource.type=\"https_lb_rule\"",
    "resource.labels.url_map_name=\"billing\"",
  ])
  charges = join(" AND ", [
    "metric.type=\"run.googleapis.com/request_latencies\"",
    "resource.type=\"cloud_run_revision\"",
    "resource.labels.service_name=\"billing-post-charge\"",
  ])
  charge_milliseconds_max = 500

  burns = {
    fast = { rate = 13.44, windows = ["3600s", "300s"], paged = true }
    slow = { rate = 0.93, windows = ["259200s", "21600s"], paged = false }
  }
  objectives = {
    availability = google_monitoring_slo.availability.id
    latency      = google_monitoring_slo.latency.id
  }
  burning = {
    for pair in setproduct(keys(local.objectives), keys(local.burns)) :
    join("_", pair) => merge(local.burns[pair[1]], {
      objective = local.objectives[pair[0]]
      says      = "The room for error of ${pair[0]} is used up too fast (${pair[1]} burn)."
    })
  }
}

resource "google_monitoring_custom_service" "billing" {
  service_id   = "billing"
  display_name = "Billing"
}

resource "google_monitoring_slo" "availability" {
  service             = google_monitoring_custom_service.billing.service_id
  slo_id              = "availability"
  display_name        = "999 of 1000 calls are answered, and not by a failure of ours"
  goal                = 0.999
  rolling_period_days = local.days

  request_based_sli {
    good_total_ratio {
      total_service_filter = local.requests
      bad_service_filter   = "${local.requests} AND metric.labels.response_code_class=500"
    }
  }
}

resource "google_monitoring_slo" "latency" {
  service             = google_monitoring_custom_service.billing.service_id
  slo_id              = "latency"
  display_name        = "99 of 100 charges are posted within half a second"
  goal                = 0.99
  rolling_period_days = local.days

  request_based_sli {
    distribution_cut {
      distribution_filter = local.charges

      range {
        min = 0
        max = local.charge_milliseconds_max
      }
    }
  }
}

resource "google_monitoring_alert_policy" "burning" {
  for_each              = local.burning
  display_name          = "billing: ${replace(each.key, "_", " ")} burn"
  combiner              = "AND"
  severity              = each.value.paged ? "CRITICAL" : "WARNING"
  notification_channels = local.channels[each.value.paged ? "paged" : "told"]

  dynamic "conditions" {
    for_each = each.value.windows
    content {
      display_name = "Over ${conditions.value}"

      condition_threshold {
        filter = format(
          "select_slo_burn_rate(\"%s\", \"%s\")", each.value.objective, conditions.value
        )
        comparison      = "COMPARISON_GT"
        threshold_value = each.value.rate
        duration        = "0s"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = each.value.says
    content   = "${each.value.says} What to do: ${var.runbooks_url}/error_budget.md"

    links {
      display_name = "Runbook"
      url          = "${var.runbooks_url}/error_budget.md"
    }
  }
}
