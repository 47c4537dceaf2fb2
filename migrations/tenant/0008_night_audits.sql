-- Why: night audits. Stays and what is planned for their nights, and the end of each business day;
--      the database refuses a night that is charged twice, and a day that ends twice.
-- Lock: none on what is there; the tables are new.
-- Version before: goes on working, and plans no stay; an audit charges those planned since.

-- up
-- A stay as night audits see it; its folio says whose it is.
CREATE TABLE stays (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  folio_id      text NOT NULL,
  property_id   uuid NOT NULL,
  arrival       date NOT NULL,
  departure     date NOT NULL,
  checked_in_at timestamptz,
  no_show_on    date,
  late_on       date,
  CONSTRAINT stay_is_planned_once PRIMARY KEY (tenant_id, folio_id),
  CONSTRAINT stay_is_on_a_folio FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT guest_leaves_after_arriving CHECK (departure >= arrival)
);

-- What a night was promised at, and the charge that it became.
CREATE TABLE planned_charges (
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  folio_id     text NOT NULL,
  night        date NOT NULL,
  place        integer NOT NULL,
  kind         text NOT NULL,
  description  jsonb NOT NULL,
  amount_micro bigint NOT NULL,
  currency     text NOT NULL,
  persons      integer NOT NULL,
  ages         jsonb NOT NULL,
  charge_id    text,
  CONSTRAINT night_is_planned_once PRIMARY KEY (tenant_id, folio_id, night, place),
  CONSTRAINT night_is_of_a_stay
    FOREIGN KEY (tenant_id, folio_id) REFERENCES stays (tenant_id, folio_id),
  CONSTRAINT charged_night_is_a_charge
    FOREIGN KEY (tenant_id, charge_id) REFERENCES folio_lines (tenant_id, id),
  CONSTRAINT night_costs_something CHECK (amount_micro > 0)
);
CREATE UNIQUE INDEX night_is_charged_once ON planned_charges (tenant_id, charge_id);
CREATE INDEX nights_to_charge ON planned_charges (tenant_id, night, folio_id)
  WHERE charge_id IS NULL;

-- The end of a property's business day, and what it came to; written once.
CREATE TABLE night_audits (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id            text NOT NULL,
  property_id   uuid NOT NULL,
  business_date date NOT NULL,
  report        jsonb NOT NULL,
  finished_at   timestamptz NOT NULL,
  version       bigint NOT NULL,
  trail         bytea NOT NULL,
  state_digest  bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT day_ends_once UNIQUE (tenant_id, property_id, business_date)
);

ALTER TABLE stays ENABLE ROW LEVEL SECURITY;
ALTER TABLE stays FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON stays TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE planned_charges ENABLE ROW LEVEL SECURITY;
ALTER TABLE planned_charges FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON planned_charges TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE night_audits ENABLE ROW LEVEL SECURITY;
ALTER TABLE night_audits FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON night_audits TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (checked_in_at, no_show_on, late_on) ON stays TO {tenant_role};
GRANT SELECT, INSERT, DELETE, UPDATE (charge_id) ON planned_charges TO {tenant_role};
GRANT SELECT, INSERT ON night_audits TO {tenant_role};

-- down
DROP TABLE night_audits;
DROP TABLE planned_charges;
DROP TABLE stays;
