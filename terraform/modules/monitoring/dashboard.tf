# One page to look at first: what clients see, what the database has to bear, what waits.

locals {
  run    = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com"
  cell   = "resource.type=\"cloudsql_database\" AND metric.type=\"cloudsql.googleapis.com/database"
  pushed = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com"
  fired  = "resource.type=\"cloud_run_job\" AND metric.type=\"run.googleapis.com"

  charts = [
    {
      title   = "Calls by outcome"
      filter  = local.requests
      aligner = "ALIGN_RATE"
      by      = "metric.labels.response_code_class"
    },
    {
      title   = "Posting a charge, slowest of 100 (ms)"
      filter  = local.charges
      aligner = "ALIGN_PERCENTILE_99"
      by      = null
    },
    {
      title   = "Instances by function"
      filter  = "${local.run}/container/instance_count\""
      aligner = "ALIGN_MAX"
      by      = "resource.labels.service_name"
    },
    {
      title   = "Starts of an instance (ms)"
      filter  = "${local.run}/container/startup_latencies\""
      aligner = "ALIGN_PERCENTILE_95"
      by      = "resource.labels.service_name"
    },
    {
      title   = "Connections of the database"
      filter  = "${local.cell}/postgresql/num_backends\""
      aligner = "ALIGN_MAX"
      by      = "metric.labels.database"
    },
    {
      title   = "Processor of the database"
      filter  = "${local.cell}/cpu/utilization\""
      aligner = "ALIGN_MAX"
      by      = null
    },
    {
      title   = "Oldest event that waits, by consumer (s)"
      filter  = "${local.pushed}/subscription/oldest_unacked_message_age\""
      aligner = "ALIGN_MAX"
      by      = "resource.labels.subscription_id"
    },
    {
      title   = "Runs of jobs, by how they ended"
      filter  = "${local.fired}/job/completed_execution_count\""
      aligner = "ALIGN_SUM"
      by      = "metric.labels.result"
    },
  ]
  reducers = {
    ALIGN_MAX           = "REDUCE_MAX"
    ALIGN_PERCENTILE_95 = "REDUCE_MAX"
    ALIGN_PERCENTILE_99 = "REDUCE_MAX"
    ALIGN_RATE          = "REDUCE_SUM"
    ALIGN_SUM           = "REDUCE_SUM"
  }
  tile = { width = 24, height = 16 } # of 48 columns
}

resource "google_monitoring_dashboard" "billing" {
  dashboard_json = jsonencode({
    displayName = "Billing"
    mosaicLayout = {
      columns = 48
      tiles = [
        for index, chart in local.charts : {
          xPos   = (index % 2) * local.tile.width
          yPos   = floor(index / 2) * local.tile.height
          width  = local.tile.width
          height = local.tile.height
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = chart.filter
                    aggregation = {
                      alignmentPeriod    = "60s"
                      perSeriesAligner   = chart.aligner
                      crossSeriesReducer = local.reducers[chart.aligner]
                      groupByFields      = chart.by == null ? [] : [chart.by]
                    }
                  }
                }
              }]
            }
          }
        }
      ]
    }
  })
}

output "channels" {
  value = local.channels
}
