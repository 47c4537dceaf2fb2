# Who the functions are: a service account for each area, and what each of them needs.
#
# What a function needs stands in its declaration. An account holds what the functions of its area
# need, and no more; whoever grants a right (next to the resource that it is a right on) asks here
# who needs it. Making tenants means making roles in the database, so that has its own account.

variable "functions" {
  description = "functions.json: every function and job, as declared."
  type = map(object({
    area  = string
    needs = set(string)
  }))
}

locals {
  known = [
    "database", "detector", "documents", "gateway", "keys", "origins", "outbox", "platform_keys",
    "printer", "provisioning", "publisher", "quotes", "trials", "vault", "webhooks",
  ]

  group = {
    for name, each in var.functions :
    name => contains(each.needs, "provisioning") ? "provisioning" : each.area
  }
  members = { for name, group in local.group : group => name... }
  needs = {
    for group, names in local.members :
    group => toset(flatten([for name in names : var.functions[name].needs]))
  }

  # Who draws a document signs it and stores it. Who needs keys and no documents verifies only.
  signs = toset([
    for name, each in var.functions : local.group[name]
    if contains(each.needs, "keys") && contains(each.needs, "documents")
  ])
  asks = {
    for need in local.known :
    need => { for group, needs in local.needs : group => group if contains(needs, need) }
  }
}

resource "google_service_account" "area" {
  for_each     = local.needs
  account_id   = "billing-${replace(each.key, "_", "-")}"
  display_name = "Functions of ${each.key}"
  description  = "Needs ${join(", ", sort(each.value))}"

  lifecycle {
    precondition {
      condition     = length(setsubtract(each.value, local.known)) == 0
      error_message = "A need of ${each.key} is not known here: which right does it ask for?"
    }
  }
}

locals {
  accounts = { for group, account in google_service_account.area : group => account.member }
}

output "group" {
  description = "Whose account a function runs as, by the function's name."
  value       = local.group
}

output "emails" {
  description = "The address of each account."
  value       = { for group, account in google_service_account.area : group => account.email }
}

output "names" {
  description = "The resource name of each account."
  value       = { for group, account in google_service_account.area : group => account.name }
}

output "database" {
  description = "Accounts that connect to the database."
  value = {
    for group in setunion(keys(local.asks.database), keys(local.asks.outbox)) :
    group => local.accounts[group]
  }
}

output "publishers" {
  description = "Accounts that publish events."
  value       = { for group in keys(local.asks.publisher) : group => local.accounts[group] }
}

output "documents" {
  description = "Accounts that store and read documents."
  value       = { for group in keys(local.asks.documents) : group => local.accounts[group] }
}

output "signers" {
  description = "Accounts that sign documents."
  value       = { for group in local.signs : group => local.accounts[group] }
}

output "verifiers" {
  description = "Accounts that verify documents and sign none."
  value = {
    for group in setsubtract(keys(local.asks.keys), local.signs) : group => local.accounts[group]
  }
}

output "platform_signers" {
  description = "Accounts that seal the platform's own documents."
  value       = { for group in keys(local.asks.platform_keys) : group => local.accounts[group] }
}

output "wrappers" {
  description = "Accounts that seal payment tokens under wrapped data keys."
  value       = { for group in keys(local.asks.vault) : group => local.accounts[group] }
}

output "gateway" {
  description = "Accounts that speak to the payment processor."
  value       = { for group in keys(local.asks.gateway) : group => local.accounts[group] }
}

output "detector" {
  description = "Accounts that ask the platform's orchestrator about odd cash."
  value       = { for group in keys(local.asks.detector) : group => local.accounts[group] }
}

output "origins" {
  description = "Accounts that know an address again, without keeping it."
  value       = { for group in keys(local.asks.origins) : group => local.accounts[group] }
}

output "quotes" {
  description = "Accounts that sign quotes, and prove them."
  value       = { for group in keys(local.asks.quotes) : group => local.accounts[group] }
}

output "trials" {
  description = "Accounts that know who has had a trial, without keeping it."
  value       = { for group in keys(local.asks.trials) : group => local.accounts[group] }
}

output "webhooks" {
  description = "Accounts that prove what the payment processor sends."
  value       = { for group in keys(local.asks.webhooks) : group => local.accounts[group] }
}

output "provisioning" {
  description = "Accounts that make tenants."
  value       = { for group in keys(local.asks.provisioning) : group => local.accounts[group] }
}
