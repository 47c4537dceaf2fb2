# The service's own figures, as its code measures them: charts.json says what is drawn.
#
# They come by OpenTelemetry's protocol and are asked for in PromQL, where a name with full stops
# stands in quotes.

variable "charts" {
  description = "charts.json: what each chart shows of which figure."
  type = list(object({
    title  = string
    figure = string
    draws  = string
    where  = optional(map(string), {})
    by     = optional(string)
    shows  = optional(string)
  }))

  validation {
    condition = alltrue([
      for each in var.charts : contains(["count", "level", "slowest", "times"], each.draws)
    ])
    error_message = "A chart draws a count, a level, the slowest, or how many times."
  }
}

locals {
  # A count is over five minutes, a level is the highest of all instances. Who began to count within
  # these five minutes, as the process of a job has, has counted all that it shows: how much that
  # grew between two looks would leave the first one out, and most jobs are looked at once.
  asked = {
    count   = "sum%[1]s((%[2]s unless %[2]s offset 5m) or increase(%[2]s[5m]))"
    level   = "max%[1]s(%[2]s)"
    slowest = "histogram_quantile(0.95, sum%[1]s(rate(%[2]s[5m])))"
  }
  # What is spread is asked for by its parts: its classes, and how many times it was measured.
  parts = {
    count   = { asked = local.asked.count, suffix = "" }
    level   = { asked = local.asked.level, suffix = "" }
    slowest = { asked = local.asked.slowest, suffix = "_bucket" }
    times   = { asked = local.asked.count, suffix = "_count" }
  }

  figures_drawn = [
    for each in var.charts : {
      title = each.title
      query = format(
        local.parts[each.draws].asked,
        each.draws == "slowest" ? (
          each.by == null ? " by (le)" : " by (le, \"${each.by}\")"
        ) : (each.by == null ? "" : " by (\"${each.by}\")"),
        format("{%s}", join(", ", concat(
          [jsonencode("${each.figure}${local.parts[each.draws].suffix}")],
          [
            for label, value in each.where : join("", [
              jsonencode(label),
              startswith(value, "!") ? "!~" : "=~",
              jsonencode(trimprefix(value, "!")),
            ])
          ],
        )))
      )
    }
  ]
}

resource "google_monitoring_dashboard" "figures" {
  dashboard_json = jsonencode({
    displayName = "Billing: its own figures"
    mosaicLayout = {
      columns = 48
      tiles = [
        for index, chart in local.figures_drawn : {
          xPos   = (index % 2) * local.tile.width
          yPos   = floor(index / 2) * local.tile.height
          width  = local.tile.width
          height = local.tile.height
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{
                plotType        = "LINE"
                timeSeriesQuery = { prometheusQuery = chart.query }
              }]
            }
          }
        }
      ]
    }
  })
}
