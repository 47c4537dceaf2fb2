-- Stays, their nights, and the end of the day.

-- invariant: a_charge_goes_on_night_after_night
-- The later stretches of a charge are of its kind and window, and begin where the one before ended.
SELECT id, concat_ws(' ', 'of', charge_id, 'on', service_date, 'after', before)
FROM (
  SELECT id, charge_id, kind, window_name, service_date, external_reference,
         lag(service_date) OVER stretches AS before,
         lag(coalesce((occupancy ->> 'nights')::integer, 1)) OVER stretches AS nights,
         first_value(kind) OVER stretches AS first_kind,
         first_value(window_name) OVER stretches AS first_window
  FROM folio_lines
  WHERE type = 'charge'
  WINDOW stretches AS (PARTITION BY charge_id ORDER BY sequence)
) AS charges
WHERE charge_id <> id
  AND (service_date IS DISTINCT FROM before + nights OR kind <> first_kind
    OR window_name <> first_window OR external_reference IS NOT NULL);

-- invariant: a_night_is_charged_as_it_was_planned
-- A night that was charged is one charge of its folio, of its kind and at its price; and what an
-- audit charged as a night was planned as one.
SELECT coalesce(nights.charge_id, lines.id), concat_ws(' ', 'planned', nights.kind, night,
  nights.amount_micro, 'charged', lines.kind, service_date, price)
FROM (SELECT * FROM planned_charges WHERE charge_id IS NOT NULL) AS nights
FULL JOIN (
  SELECT * FROM folio_lines
  WHERE source = 'pms' AND starts_with(external_reference, 'night:')
) AS lines ON lines.id = nights.charge_id
LEFT JOIN (
  SELECT charge_id, sum(amount_micro) AS price
  FROM folio_lines
  WHERE type IN ('charge', 'tax')
    AND (tax IS NULL OR (tax ->> 'inclusive')::boolean)
  GROUP BY charge_id
) AS charges ON charges.charge_id = lines.id
WHERE (nights.folio_id, nights.kind, night, nights.amount_micro, nights.currency)
        IS DISTINCT FROM
      (lines.folio_id, lines.kind, service_date, price, lines.currency);

-- invariant: a_stay_is_on_its_folio
-- A stay is at its folio's property, and its nights lie between arrival and departure.
SELECT stays.folio_id, concat_ws(' ', arrival, 'to', departure, 'planned', night)
FROM stays
LEFT JOIN folios ON folios.id = stays.folio_id
LEFT JOIN planned_charges AS nights
  ON nights.folio_id = stays.folio_id AND NOT (night >= arrival AND night < departure)
WHERE stays.property_id IS DISTINCT FROM folios.property_id
   OR nights.night IS NOT NULL;

-- invariant: days_end_in_their_order
-- Of each property every business day ends, once, from the first that was audited to the last.
SELECT property_id::text, concat_ws(' ', business_date, 'follows', before)
FROM (
  SELECT property_id, business_date,
         lag(business_date) OVER (PARTITION BY property_id ORDER BY business_date) AS before
  FROM night_audits
) AS days
WHERE business_date <> before + 1;

-- invariant: a_days_report_is_what_was_booked
-- What a day moved the guests' accounts by is what is booked for it, whenever that was.
WITH reported AS (
  SELECT id, each ->> 'account' AS account, each ->> 'currency' AS currency,
         (each ->> 'amountMicro')::bigint AS micro
  FROM night_audits
  CROSS JOIN LATERAL jsonb_array_elements(report -> 'guestLedger') AS each
), booked AS (
  SELECT night_audits.id, regexp_replace(CASE debit_account WHEN 'guest_ledger'
           THEN credit_account ELSE debit_account END, '^(cash|city_ledger):.*', '\1') AS account,
         currency,
         sum(CASE debit_account WHEN 'guest_ledger' THEN amount_micro ELSE -amount_micro END)
           AS micro
  FROM night_audits
  JOIN ledger_entries USING (property_id, business_date)
  WHERE 'guest_ledger' IN (debit_account, credit_account)
  GROUP BY night_audits.id, account, currency
)
SELECT coalesce(reported.id, booked.id), concat_ws(' ', coalesce(reported.account, booked.account),
  'reported', reported.micro, 'booked', booked.micro)
FROM reported
FULL JOIN booked USING (id, account, currency)
WHERE coalesce(reported.micro, 0) <> coalesce(booked.micro, 0);

-- invariant: a_days_report_is_what_its_trail_digested
-- The report of an ended day is the one that its trail digested, to the last account.
SELECT id, concat('the report of ', business_date)
FROM night_audits
CROSS JOIN LATERAL (
  SELECT string_agg(concat('{"account":', each -> 'account', ',"amountMicro":',
           each -> 'amountMicro', ',"currency":', each -> 'currency', '}'), ','
           ORDER BY place) AS moved
  FROM jsonb_array_elements(report -> 'guestLedger') WITH ORDINALITY AS rows (each, place)
) AS movements
CROSS JOIN LATERAL (
  SELECT encode(sha256(convert_to(concat('{"guestLedger":[', moved, '],"inHouse":',
    report -> 'inHouse', ',"noShows":', report -> 'noShows', '}'), 'UTF8')), 'hex') AS hashed
) AS reports
WHERE state_digest <> sha256(convert_to(concat('{"businessDate":', to_json(business_date::text),
  ',"id":', to_json(id), ',"propertyId":', to_json(property_id),
  ',"reportSha256":', to_json(hashed), '}'), 'UTF8'));
