variable "project" {
  type = string
}

variable "region" {
  description = "Where everything lives; documents and their keys never leave it."
  type        = string
}

variable "environment" {
  type = string
}

variable "domain" {
  description = "The host that clients call."
  type        = string
}

variable "identity" {
  description = "The identity service: issuer of tokens, address of its keys, our audience."
  type        = object({ issuer = string, keys_url = string, audience = string })
}

variable "telemetry_url" {
  description = "The collector that traces and figures are sent to, by OTLP over HTTP."
  type        = string
  default     = "https://telemetry.googleapis.com"
}

variable "image" {
  description = "The first image, by its digest; later ones are the delivery's."
  type        = string
}

variable "tenants" {
  description = "Ids of the tenants that have a key to sign with and a bucket for documents."
  type        = set(string)
  default     = []
}

variable "documents_bucket" {
  description = "What the name of each tenant's bucket begins with; 33 signs of its id follow."
  type        = string

  validation {
    condition     = length(var.documents_bucket) <= 63 - 33
    error_message = "The name of a bucket has 63 signs at most."
  }
}

variable "platform_topics" {
  description = "Where other services of the platform tell their facts: topic by service."
  type        = map(string)
}

variable "gateway" {
  description = "The payment processor, by its adapter's name; null: none, refunds of cards fail."
  type        = string
  default     = null

  validation {
    condition     = var.gateway != "sandbox" || var.environment != "production"
    error_message = "A sandbox in production would say that money has moved which never did."
  }
}

variable "orchestrator" {
  description = "Where the platform's orchestrator is asked about odd cash; null: the house counts."
  type        = string
  default     = null
}

variable "database" {
  description = "The machine of the cell `main`; see modules/database."
  type = object({
    tier            = string
    edition         = string
    disk_gb         = number
    max_connections = number
    reserved        = number
  })
}

variable "cell" {
  description = "The name of its instance; another one when it was restored as that."
  type        = string
  default     = "billing-main"
}

variable "pooler" {
  description = "Cloud SQL's pooler, where functions could open more than the database has."
  type        = object({ max_client_connections = number, pool_size = number })
  default     = null
}

variable "sizes" {
  description = <<-EOT
    How large functions are: as a rule, those that ask the payment processor and wait for it, those
    that draw documents, those whose answer is too long to be held and is sent piece by piece, and
    by name.
  EOT
  type = object({
    usual     = map(string)
    asking    = optional(map(string), {})
    printing  = optional(map(string), {})
    streaming = optional(map(string), {})
    named     = optional(map(map(string)), {})
  })
}

variable "job_connections" {
  description = "Connections that a run of a job opens at most: its pool, and one beside it."
  type        = number
  default     = 4
}

variable "calls_a_minute" {
  type    = object({ clients = number, public = number })
  default = { clients = 6000, public = 300 }
}

variable "lock_audit" {
  description = "Lock what must be kept for ten years; there is no way back."
  type        = bool
}

variable "people" {
  type = object({ paged = set(string), told = set(string) })
}

variable "runbooks_url" {
  type = string
}

variable "repository" {
  description = "What may deliver: issuer of the builds' tokens, repository and its number, branch."
  type        = object({ issuer = string, name = string, id = string, branch = string })
}

variable "budget" {
  type = object({ billing_account = string, currency = string, units = number })
}
