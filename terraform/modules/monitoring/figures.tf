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
      for each in var.charts : contains(["count", "level", "slowest"], each.draws)
    ])
    error_message = "A chart draws a count, a level, or the slowest."
  }
}

locals {
  # A count is over five minutes, a level is the highest of all instances.
  asked = {
    count   = "sum%s(increase(%s[5m]))"
    level   = "max%s(%s)"
    slowest = "histogram_quantile(0.95, sum%s(rate(%s[5m])))"
  }
  suffix = { count = "", level = "", slowest = "_bucket" }

  figures_drawn = [
    for each in var.charts : {
      title = each.title
      query = format(
        local.asked[each.draws],
        each.draws == "slowest" ? (
          each.by == null ? " by (le)" : " by (le, \"${each.by}\")"
        ) : (each.by == null ? "" : " by (\"${each.by}\")"),
        format("{%s}", join(", ", concat(
          [jsonencode("${each.figure}${local.suffix[each.draws]}")],
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
