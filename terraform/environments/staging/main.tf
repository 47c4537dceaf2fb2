# Where changes are tried, with a sandbox in place of the payment processor.

terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 9.0" # the arguments are checked against 6.50
    }
  }

  # The bucket is named by `terraform init -backend-config=bucket=NAME`.
  backend "gcs" {
    prefix = "billing"
  }
}

variable "project" {
  type = string
}

variable "region" {
  type = string
}

variable "image" {
  type = string
}

variable "billing_account" {
  type = string
}

variable "tenants" {
  type = set(string)
}

variable "repository_id" {
  type = string
}

variable "people" {
  type = object({ paged = set(string), told = set(string) })
}

provider "google" {
  project = var.project
  region  = var.region
}

module "service" {
  source = "../../modules/service"

  environment = "staging"
  project     = var.project
  region      = var.region
  image       = var.image
  tenants     = var.tenants
  people      = var.people
  domain      = "billing.staging.melmastoon.example"
  lock_audit  = false
  gateway     = "sandbox"

  documents_bucket = "melmastoon-staging-documents"

  identity = {
    issuer   = "https://identity.staging.melmastoon.example"
    keys_url = "https://identity.staging.melmastoon.example/.well-known/jwks.json"
    audience = "billing-service"
  }

  platform_topics = {
    ai              = "projects/melmastoon-staging/topics/ai-events"
    payment_gateway = "projects/melmastoon-staging/topics/payment-gateway-events"
    pos             = "projects/melmastoon-staging/topics/pos-events"
    reservation     = "projects/melmastoon-staging/topics/reservation-events"
    tenant          = "projects/melmastoon-staging/topics/tenant-events"
  }

  # One instance of each function, few threads: every connection fits without a pooler.
  database = {
    tier            = "db-custom-2-8192"
    edition         = "ENTERPRISE"
    disk_gb         = 20
    max_connections = 700
    reserved        = 40
  }

  sizes = {
    usual = {
      threads         = 2
      min_instances   = 0
      max_instances   = 1
      cpu             = "1"
      memory          = "512Mi"
      timeout_seconds = 30
    }
    asking    = { timeout_seconds = 60 }
    printing  = { memory = "1Gi", threads = 2, timeout_seconds = 120 }
    streaming = { timeout_seconds = 900 }
  }

  repository = {
    issuer = "https://token.actions.githubusercontent.com"
    name   = "melmastoon/billing"
    id     = var.repository_id
    branch = "main"
  }
  runbooks_url = "https://github.com/melmastoon/billing/blob/main/terraform/runbooks"

  budget = { billing_account = var.billing_account, currency = "EUR", units = 800 }
}

output "connections" {
  value = module.service.connections
}

output "address" {
  value = module.service.address
}

output "delivery_account" {
  value = module.service.delivery_account
}
