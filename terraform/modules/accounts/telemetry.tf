# Whoever works measures its work, and may write that down: traces and figures, nothing else, and
# reads none. Neither is a thing that a right could be granted on, so it is one on the project.

variable "project" {
  type = string
}

locals {
  writes = ["telemetry.tracesWriter", "telemetry.metricsWriter"]
  measures = {
    for pair in setproduct(keys(local.needs), local.writes) :
    join(" ", pair) => { member = local.accounts[pair[0]], role = "roles/${pair[1]}" }
  }
}

resource "google_project_iam_member" "telemetry" {
  for_each = local.measures
  project  = var.project
  role     = each.value.role
  member   = each.value.member
}
