# What an account may do follows from what the functions of its area need.

variables {
  project = "hotels"
  functions = {
    show_document   = { area = "documents", needs = ["database", "documents"] }
    draw_document   = { area = "drawing", needs = ["database", "documents", "keys", "printer"] }
    verify_document = { area = "desk", needs = ["database", "keys"] }
    on_tenant_born  = { area = "desk", needs = ["database", "provisioning"] }
  }
}

run "who_stores_documents_signs_them" {
  command = plan

  assert {
    condition     = keys(output.signers) == ["drawing"] && keys(output.verifiers) == ["desk"]
    error_message = "Who needs keys and documents signs, who needs keys alone verifies."
  }
  assert {
    condition     = keys(output.documents) == ["documents", "drawing"]
    error_message = "Documents are opened by who needs them."
  }
}

run "who_makes_tenants_has_an_account_of_its_own" {
  command = plan

  assert {
    condition = (
      output.group["on_tenant_born"] == "provisioning" &&
      keys(output.provisioning) == ["provisioning"]
    )
    error_message = "A desk may not make roles in the database."
  }
}

run "refuses_a_need_that_nobody_knows" {
  command = plan

  variables {
    functions = { ask_oracle = { area = "oracle", needs = ["oracle"] } }
  }

  expect_failures = [google_service_account.area]
}
