# What a month may cost before somebody hears of it.

variable "billing_account" {
  type = string
}

variable "project" {
  description = "Its number: by its name, each plan would find the budget changed."
  type        = string
}

variable "monthly" {
  description = "Whole units of the currency."
  type        = object({ currency = string, units = number })
}

variable "channels" {
  type = list(string)
}

resource "google_billing_budget" "month" {
  billing_account = var.billing_account
  display_name    = "billing, each month"

  budget_filter {
    projects        = ["projects/${var.project}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      currency_code = var.monthly.currency
      units         = tostring(var.monthly.units)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = var.channels
  }
}
