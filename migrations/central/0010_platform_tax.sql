-- Why: what the platform bills bears tax: who sells, what the rates are, how an invoice was taxed,
--      and what of that is declared through the one-stop shop.
-- Lock: ACCESS EXCLUSIVE on subscription_invoices for two columns and a constraint; it holds an
--       invoice a subscription and month, and is read through once. The other tables are new.
-- Version before: goes on working. What it invoices has no tax, which is what the columns say then.

-- up
ALTER TABLE subscription_invoices
  ADD COLUMN tax_micro bigint NOT NULL DEFAULT 0,
  ADD COLUMN taxed_as jsonb,
  ADD CONSTRAINT invoice_with_tax_says_whose CHECK (tax_micro = 0 OR taxed_as IS NOT NULL);

-- Like a version of a plan: everybody's to read, never changed, in the trail of who published it.
CREATE TABLE platform_tax_rules (
  id            text PRIMARY KEY,
  number        integer NOT NULL,
  seller        jsonb NOT NULL,
  one_stop_shop boolean NOT NULL,
  rates         jsonb NOT NULL,
  in_force_from timestamptz NOT NULL,
  published_at  timestamptz NOT NULL,
  CONSTRAINT platform_tax_rules_are_consecutive UNIQUE (number),
  CONSTRAINT platform_tax_rules_are_numbered_from_one CHECK (number >= 1),
  CONSTRAINT platform_tax_rules_look_ahead CHECK (in_force_from >= published_at)
);

-- What is to be declared of a quarter, over all tenants: a sum, and nobody's rows. It moves with
-- the numbers of the platform's invoices, which all tenants stand in line for in any case.
CREATE TABLE one_stop_shop_totals (
  year      smallint NOT NULL,
  quarter   smallint NOT NULL,
  country   text NOT NULL,
  rate_ppm  integer NOT NULL,
  currency  text NOT NULL,
  net_micro bigint NOT NULL,
  tax_micro bigint NOT NULL,
  CONSTRAINT declared_once_a_country_and_rate
    PRIMARY KEY (year, quarter, country, rate_ppm, currency),
  CONSTRAINT quarter_is_one_of_four CHECK (quarter BETWEEN 1 AND 4)
);

ALTER TABLE platform_tax_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_tax_rules FORCE ROW LEVEL SECURITY;
ALTER TABLE one_stop_shop_totals ENABLE ROW LEVEL SECURITY;
ALTER TABLE one_stop_shop_totals FORCE ROW LEVEL SECURITY;
CREATE POLICY shared ON platform_tax_rules TO billing_tenant USING (true) WITH CHECK (true);
CREATE POLICY shared ON one_stop_shop_totals TO billing_tenant USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON platform_tax_rules TO billing_tenant;
GRANT SELECT, INSERT, UPDATE (net_micro, tax_micro) ON one_stop_shop_totals TO billing_tenant;

-- down
DROP TABLE one_stop_shop_totals;
DROP TABLE platform_tax_rules;
ALTER TABLE subscription_invoices DROP COLUMN tax_micro, DROP COLUMN taxed_as;
