-- Why: attempts to pay are weighed before the processor is asked (FRD-1): by how often and how much
--      a buyer, a card, an address and the whole house have paid of late. What looks odd waits for
--      a person (FRD-2), and a payment knows for which review it has waited, and whether the bank
--      is to be asked for 3-D Secure.
-- Lock: ACCESS EXCLUSIVE on payment_intents for a moment: two columns without a rewrite, and checks
--      over a table that was made with the version before.
-- Version before: goes on working; it weighs nothing, and asks for a payment that waits for a
--      review when it is confirmed again.

-- up
-- What waits for a person's decision; it is decided once, by somebody else, or expires.
CREATE TABLE reviews (
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id           text NOT NULL,
  property_id  uuid NOT NULL,
  subject_kind text NOT NULL,
  subject_id   text NOT NULL,
  amount_micro bigint NOT NULL,
  currency     text NOT NULL,
  score        integer NOT NULL,
  reasons      jsonb NOT NULL,
  requested_by text NOT NULL,
  prepared_by  text NOT NULL,
  opened_at    timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  status       text NOT NULL,
  decided_by   text,
  reason       text,
  decided_at   timestamptz,
  version      bigint NOT NULL,
  trail        bytea NOT NULL,
  state_digest bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT review_subject_is_known CHECK (subject_kind IN ('payment_intent', 'payout')),
  CONSTRAINT review_status_is_known CHECK (status IN ('open', 'approved', 'refused', 'expired')),
  CONSTRAINT review_score_is_of_a_hundred CHECK (score BETWEEN 0 AND 100),
  CONSTRAINT review_is_about_something CHECK (amount_micro > 0),
  CONSTRAINT review_is_decided_as_a_whole CHECK
    (num_nonnulls(decided_by, reason, decided_at) = CASE status WHEN 'open' THEN 0 ELSE 3 END),
  CONSTRAINT reviewer_is_another_person CHECK (decided_by NOT IN (requested_by, prepared_by)),
  CONSTRAINT review_is_decided_in_time CHECK
    ((status = 'expired') = (decided_at >= expires_at))
);
CREATE UNIQUE INDEX one_open_review_per_subject ON reviews (tenant_id, subject_kind, subject_id)
  WHERE status = 'open';
CREATE INDEX open_reviews_by_expiry ON reviews (tenant_id, expires_at) WHERE status = 'open';

ALTER TABLE payment_intents
  ADD COLUMN review_id text,
  ADD COLUMN is_challenged boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT intent_waits_for_a_review_of_this_house
    FOREIGN KEY (tenant_id, review_id) REFERENCES reviews (tenant_id, id),
  ADD CONSTRAINT intent_that_names_its_method_is_asked_for_or_waits CHECK
    (status <> 'requires_payment_method' OR payment_method_id IS NULL OR review_id IS NOT NULL);

-- What each attempt to pay was found to be. The origin is the caller's address as an HMAC under a
-- key of the tenant. Never changed.
CREATE TABLE risk_checks (
  tenant_id         uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                text NOT NULL,
  stage             text NOT NULL,
  intent_id         text,
  customer_id       text NOT NULL,
  payment_method_id text,
  fingerprint       text,
  origin            bytea,
  amount_micro      bigint NOT NULL,
  currency          text NOT NULL,
  score             integer NOT NULL,
  reasons           jsonb NOT NULL,
  course            text NOT NULL,
  is_challenged     boolean NOT NULL,
  actor             text NOT NULL,
  checked_at        timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT checked_intent_exists
    FOREIGN KEY (tenant_id, intent_id) REFERENCES payment_intents (tenant_id, id),
  CONSTRAINT checked_buyer_is_a_customer
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
  CONSTRAINT checked_method_is_kept
    FOREIGN KEY (tenant_id, payment_method_id) REFERENCES payment_methods (tenant_id, id),
  CONSTRAINT check_is_about_something CHECK (amount_micro > 0),
  CONSTRAINT check_stage_is_known CHECK (stage IN ('made', 'confirmed')),
  CONSTRAINT check_course_is_known CHECK (course IN ('pass', 'challenge', 'review', 'refuse')),
  CONSTRAINT check_score_is_of_a_hundred CHECK (score BETWEEN 0 AND 100),
  CONSTRAINT check_of_a_card_names_it
    CHECK ((stage = 'confirmed') = (payment_method_id IS NOT NULL)),
  CONSTRAINT only_what_was_refused_as_it_was_made_has_no_intent
    CHECK (intent_id IS NOT NULL OR (stage = 'made' AND course = 'refuse')),
  CONSTRAINT origin_is_an_hmac CHECK (octet_length(origin) = 32)
);
CREATE UNIQUE INDEX payment_is_weighed_once
  ON risk_checks (tenant_id, intent_id, stage, coalesce(payment_method_id, ''))
  WHERE course <> 'refuse';
CREATE INDEX risk_checks_by_time ON risk_checks (tenant_id, stage, checked_at)
  WHERE course <> 'refuse';
CREATE INDEX risk_checks_by_buyer ON risk_checks (tenant_id, stage, customer_id, checked_at)
  WHERE course <> 'refuse';
CREATE INDEX risk_checks_by_card ON risk_checks (tenant_id, stage, fingerprint, checked_at)
  WHERE course <> 'refuse' AND fingerprint IS NOT NULL;
CREATE INDEX risk_checks_by_origin ON risk_checks (tenant_id, stage, origin, checked_at)
  WHERE course <> 'refuse' AND origin IS NOT NULL;

ALTER TABLE reviews ENABLE ROW LEVEL SECURITY;
ALTER TABLE reviews FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reviews TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE risk_checks ENABLE ROW LEVEL SECURITY;
ALTER TABLE risk_checks FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON risk_checks TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (status, decided_by, reason, decided_at, version, trail, state_digest)
  ON reviews TO {tenant_role};
GRANT SELECT, INSERT ON risk_checks TO {tenant_role};
GRANT UPDATE (review_id, is_challenged) ON payment_intents TO {tenant_role};

-- down
DROP TABLE risk_checks;
REVOKE UPDATE (review_id, is_challenged) ON payment_intents FROM {tenant_role};
ALTER TABLE payment_intents
  DROP CONSTRAINT intent_that_names_its_method_is_asked_for_or_waits,
  DROP CONSTRAINT intent_waits_for_a_review_of_this_house,
  DROP COLUMN is_challenged,
  DROP COLUMN review_id;
DROP TABLE reviews;
