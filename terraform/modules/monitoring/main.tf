# What is looked at, and who hears of it: alerts from alerts.json, each with its page in runbooks/.
#
# An alert is one of five: a line of the log, a figure of Google's that is beyond a bound, a figure
# that is missing, a count of our own that is beyond a bound, or a fact that the service told (the
# subscription that holds it is made with it).

variable "alerts" {
  description = "alerts.json, by name."
  type = map(object({
    says    = string
    paged   = bool
    runbook = optional(string)
    log     = optional(string)
    fact    = optional(string)
    metric = optional(object({
      filter  = string
      aligner = string
      seconds = number
      above   = optional(number)
      below   = optional(number)
      seldom  = optional(bool, false)

      window_seconds = optional(number, 60)

      of = optional(string)
      by = optional(string)
    }))
    figure = optional(object({
      name           = string
      above          = number
      window_seconds = number

      where = optional(map(string), {})
    }))
    absence = optional(object({
      filter  = string
      aligner = string
      seconds = number
    }))
  }))
}

variable "seldom" {
  description = "Jobs that are fired once an hour or more seldom, by their names."
  type        = list(string)
}

variable "readers" {
  description = "What functions and jobs run as, and may open secrets: READERS in a filter."
  type        = list(string)
}

variable "connections" {
  description = "What PostgreSQL takes in all: a metric that is `of` them is beyond a share of it."
  type        = number
}

variable "runbooks_url" {
  description = "Where the folder runbooks/ can be read."
  type        = string
}

variable "people" {
  description = "Addresses: who is woken up, and who reads it in the morning."
  type        = object({ paged = set(string), told = set(string) })
}

locals {
  held = join(" AND ", [
    "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\"",
    "resource.type=\"pubsub_subscription\"",
    "resource.labels.subscription_id=\"billing-alarm-%s\"",
  ])
  facts = {
    for name, alert in var.alerts : name => {
      filter  = format(local.held, replace(name, "_", "-"))
      aligner = "ALIGN_MAX"
      seconds = 300 # what a filter leaves out may be counted until Pub/Sub has acknowledged it
      above   = 0
      below   = null
      by      = null

      window_seconds = 60
    } if alert.fact != null
  }
  # The next firing of such a job is too late to make good what this one has left undone.
  of_seldom = format(" AND resource.labels.job_name=one_of(%s)", join(", ", [
    for name in var.seldom : jsonencode("billing-${replace(name, "_", "-")}")
  ]))
  figures = merge(local.facts, {
    for name, alert in var.alerts : name => merge(alert.metric, {
      filter = "${alert.metric.filter}${alert.metric.seldom ? local.of_seldom : ""}"
      above = (
        alert.metric.of == "connections" ? alert.metric.above * var.connections : alert.metric.above
      )
    }) if alert.metric != null
  })
  # A job's process counts from nought and ends soon, so the highest that each has come to is what
  # it has counted; how much a count grew between two looks would leave the first one out.
  grown = {
    for name, alert in var.alerts : name => format(
      "sum(max_over_time({%s}[%ds])) > %d",
      join(", ", concat(
        [jsonencode(alert.figure.name)],
        [for label, value in alert.figure.where : "${jsonencode(label)}=~${jsonencode(value)}"],
      )),
      alert.figure.window_seconds,
      alert.figure.above,
    ) if alert.figure != null
  }
  # A regular expression: the names one by one, but of this project alone.
  readers = format("^(%s)@%s$",
    join("|", sort([for each in var.readers : split("@", each)[0]])),
    replace(split("@", var.readers[0])[1], ".", "[.]"),
  )
  logged = {
    for name, alert in var.alerts :
    name => replace(alert.log, "READERS", local.readers) if alert.log != null
  }
  channels = {
    for kind in ["paged", "told"] :
    kind => [
      for address in var.people[kind] : google_monitoring_notification_channel.mail[address].id
    ]
  }
  pages = {
    for name, alert in var.alerts : name => coalesce(alert.runbook, name)
  }
}

resource "google_monitoring_notification_channel" "mail" {
  for_each     = setunion(var.people.paged, var.people.told)
  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }
}

resource "google_monitoring_alert_policy" "alert" {
  for_each              = var.alerts
  display_name          = "billing: ${replace(each.key, "_", " ")}"
  combiner              = "OR"
  severity              = each.value.paged ? "CRITICAL" : "WARNING"
  notification_channels = local.channels[each.value.paged ? "paged" : "told"]

  conditions {
    display_name = each.value.says

    dynamic "condition_matched_log" {
      for_each = contains(keys(local.logged), each.key) ? [local.logged[each.key]] : []
      content {
        filter = condition_matched_log.value
      }
    }

    dynamic "condition_threshold" {
      for_each = contains(keys(local.figures), each.key) ? [local.figures[each.key]] : []
      content {
        filter   = condition_threshold.value.filter
        duration = "${condition_threshold.value.seconds}s"
        comparison = (
          condition_threshold.value.below == null ? "COMPARISON_GT" : "COMPARISON_LT"
        )
        threshold_value = coalesce(condition_threshold.value.below, condition_threshold.value.above)

        aggregations {
          alignment_period   = "${condition_threshold.value.window_seconds}s"
          per_series_aligner = condition_threshold.value.aligner

          # Some figures come in parts, as connections by database.
          cross_series_reducer = condition_threshold.value.by == null ? null : "REDUCE_SUM"
          group_by_fields = (
            condition_threshold.value.by == null ? null : [condition_threshold.value.by]
          )
        }
      }
    }

    dynamic "condition_prometheus_query_language" {
      for_each = contains(keys(local.grown), each.key) ? [local.grown[each.key]] : []
      content {
        query               = condition_prometheus_query_language.value
        duration            = "0s"
        evaluation_interval = "300s"

        # There is none before the first of them is counted.
        disable_metric_validation = true
      }
    }

    dynamic "condition_absent" {
      for_each = each.value.absence == null ? [] : [each.value.absence]
      content {
        filter   = condition_absent.value.filter
        duration = "${condition_absent.value.seconds}s"

        aggregations {
          alignment_period   = "60s"
          per_series_aligner = condition_absent.value.aligner
        }
      }
    }
  }

  alert_strategy {
    auto_close = "${24 * 60 * 60}s"

    dynamic "notification_rate_limit" {
      for_each = each.value.log == null ? [] : [each.value.log]
      content {
        period = "300s"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = each.value.says
    content   = "${each.value.says} What to do: ${var.runbooks_url}/${local.pages[each.key]}.md"

    links {
      display_name = "Runbook"
      url          = "${var.runbooks_url}/${local.pages[each.key]}.md"
    }
  }
}
