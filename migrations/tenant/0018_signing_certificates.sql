-- Why: PDFs are signed (PAdES), and such a signature carries a certificate of its key. One that the
--      key issued itself, and those that an authority issued since; none is ever changed.
-- Lock: none on what is there; the table is new.
-- Version before: goes on working, and draws documents that nobody has signed.

-- up
-- Certificates in DER, as hexadecimal text: the key's first, then those above it.
CREATE TABLE signing_certificates (
  tenant_id   uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id          text NOT NULL,
  key_version text NOT NULL,
  sha256      bytea NOT NULL,
  chain       jsonb NOT NULL,
  own         boolean NOT NULL,
  valid_from  timestamptz NOT NULL,
  valid_to    timestamptz NOT NULL,
  kept_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT certificate_is_kept_once UNIQUE (tenant_id, sha256),
  CONSTRAINT certificate_has_a_chain
    CHECK (jsonb_typeof(chain) = 'array' AND jsonb_array_length(chain) BETWEEN 1 AND 10),
  CONSTRAINT certificate_hash_is_of_its_first
    CHECK (sha256 = sha256(decode(chain ->> 0, 'hex'))),
  CONSTRAINT certificate_ends_after_it_begins CHECK (valid_to > valid_from)
);
CREATE UNIQUE INDEX key_version_has_one_certificate_of_its_own
  ON signing_certificates (tenant_id, key_version) WHERE own;

ALTER TABLE signing_certificates ENABLE ROW LEVEL SECURITY;
ALTER TABLE signing_certificates FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON signing_certificates TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT ON signing_certificates TO {tenant_role};

-- down
DROP TABLE signing_certificates;
