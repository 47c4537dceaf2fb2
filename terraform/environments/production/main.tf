# What hotels run their money on.

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

  environment = "production"
  project     = var.project
  region      = var.region
  image       = var.image
  tenants     = var.tenants
  people      = var.people
  domain      = "billing.melmastoon.example"
  lock_audit  = true
  gateway     = "stripe"

  documents_bucket = "melmastoon-documents"

  identity = {
    issuer   = "https://identity.melmastoon.example"
    keys_url = "https://identity.melmastoon.example/.well-known/jwks.json"
    audience = "billing-service"
  }

  platform_topics = {
    ai              = "projects/melmastoon-production/topics/ai-events"
    payment_gateway = "projects/melmastoon-production/topics/payment-gateway-events"
    pos             = "projects/melmastoon-production/topics/pos-events"
    reservation     = "projects/melmastoon-production/topics/reservation-events"
    tenant          = "projects/melmastoon-production/topics/tenant-events"
  }

  database = {
    tier            = "db-perf-optimized-N-8"
    edition         = "ENTERPRISE_PLUS"
    disk_gb         = 200
    max_connections = 1000
    reserved        = 80
  }

  # All functions at their largest would open several times what PostgreSQL bears.
  pooler = { max_client_connections = 8000, pool_size = 20 }

  sizes = {
    usual = {
      threads         = 8
      min_instances   = 0
      max_instances   = 5
      cpu             = "1"
      memory          = "512Mi"
      timeout_seconds = 30
    }
    asking    = { timeout_seconds = 60 }
    printing  = { memory = "1Gi", threads = 2, max_instances = 10, timeout_seconds = 120 }
    streaming = { timeout_seconds = 900 }

    # What a guest waits for at the desk is kept warm.
    named = {
      post_charge    = { min_instances = 2, max_instances = 20 }
      record_payment = { min_instances = 1, max_instances = 10 }
      show_folio     = { min_instances = 1, max_instances = 20 }
      close_folio    = { min_instances = 1 }
    }
  }

  repository = {
    issuer = "https://token.actions.githubusercontent.com"
    name   = "melmastoon/billing"
    id     = var.repository_id
    branch = "main"
  }
  runbooks_url = "https://github.com/melmastoon/billing/blob/main/terraform/runbooks"

  budget = { billing_account = var.billing_account, currency = "EUR", units = 6000 }
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
