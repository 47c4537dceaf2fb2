# Routes are tried in an order in which none hides another.

variables {
  region         = "europe-west3"
  domain         = "billing.example"
  calls_a_minute = { clients = 100, public = 10 }
  routes = {
    any_folio = {
      method  = "GET"
      path    = "/folios/{folio_id}"
      public  = false
      service = "any-folio"
    }
    a_charge = {
      method  = "GET"
      path    = "/folios/{folio_id}/charges/{charge_id}"
      public  = false
      service = "a-charge"
    }
    the_last = {
      method  = "GET"
      path    = "/folios/last"
      public  = true
      service = "the-last"
    }
  }
}

run "a_word_stands_before_a_parameter" {
  command = plan

  assert {
    condition = [
      for rule in google_compute_url_map.billing.path_matcher[0].route_rules :
      rule.match_rules[0].path_template_match
    ] == ["/folios/last", "/folios/*", "/folios/*/charges/*"]
    error_message = "/folios/last has to be tried before /folios/{folio_id}."
  }
}
