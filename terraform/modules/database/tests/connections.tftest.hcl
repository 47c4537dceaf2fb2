# How many connections may be opened is worked out before anything is made.

variables {
  project = "example"
  name    = "cell"
  region  = "europe-west3"
  network = "projects/example/global/networks/billing"
  key     = "projects/example/locations/europe-west3/keyRings/ring/cryptoKeys/database"
  size = {
    tier            = "db-custom-2-8192"
    edition         = "ENTERPRISE"
    disk_gb         = 20
    max_connections = 100
    reserved        = 20
  }
}

run "takes_what_just_fits" {
  command = plan

  variables {
    clients = { members = {}, emails = {}, connections = 80 }
  }

  assert {
    condition     = output.connections.opened == 80 && output.connections.usable == 80
    error_message = "80 of 100 connections are left when 20 are reserved."
  }
}

run "refuses_one_more" {
  command = plan

  variables {
    clients = { members = {}, emails = {}, connections = 81 }
  }

  expect_failures = [google_sql_database_instance.cell]
}

run "counts_what_the_pooler_opens" {
  command = plan

  variables {
    size = {
      tier            = "db-perf-optimized-N-2"
      edition         = "ENTERPRISE_PLUS"
      disk_gb         = 20
      max_connections = 100
      reserved        = 20
    }
    pooler = { max_client_connections = 1000, pool_size = 40 }
    clients = {
      members = {
        cash   = "serviceAccount:cash@example"
        folios = "serviceAccount:folios@example"
      }
      emails      = {}
      connections = 1000
    }
  }

  assert {
    condition     = output.connections.opened == 80
    error_message = "Two accounts with pools of 40 open 80 connections, for however many clients."
  }
}

run "counts_each_pooler_by_itself" {
  command = plan

  variables {
    size = {
      tier            = "db-perf-optimized-N-8"
      edition         = "ENTERPRISE_PLUS"
      disk_gb         = 20
      max_connections = 100
      reserved        = 21
    }
    pooler = { max_client_connections = 1000, pool_size = 20 }
    clients = {
      members = {
        cash   = "serviceAccount:cash@example"
        folios = "serviceAccount:folios@example"
      }
      emails      = {}
      connections = 1000
    }
  }

  # Eight processors have two poolers: 2 accounts x 20 x 2 = 80 of 79.
  expect_failures = [google_sql_database_instance.cell]
}

run "refuses_more_clients_than_the_pooler_takes" {
  command = plan

  variables {
    size = {
      tier            = "db-perf-optimized-N-2"
      edition         = "ENTERPRISE_PLUS"
      disk_gb         = 20
      max_connections = 100
      reserved        = 20
    }
    pooler  = { max_client_connections = 1000, pool_size = 40 }
    clients = { members = {}, emails = {}, connections = 1001 }
  }

  expect_failures = [google_sql_database_instance.cell]
}

run "refuses_a_pooler_that_the_edition_lacks" {
  command = plan

  variables {
    pooler  = { max_client_connections = 1000, pool_size = 40 }
    clients = { members = {}, emails = {}, connections = 10 }
  }

  expect_failures = [google_sql_database_instance.cell]
}
