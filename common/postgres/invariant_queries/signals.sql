-- What was pointed out.

-- invariant: a_signal_is_what_its_trail_digested
-- Whom a signal is about, what it says and what was made of it are what its trail digested.
SELECT id, concat_ws(' ', pattern, 'of', actor, subject, verdict)
FROM ai_signals
WHERE state_digest <> sha256(convert_to(concat('{"actor":',
  coalesce(to_json(actor)::text, 'null'), ',"businessDate":',
  to_json(business_date::text), ',"id":', to_json(id), ',"pattern":', to_json(pattern),
  ',"propertyId":', to_json(property_id), ',"scorePpm":', score_ppm,
  CASE WHEN subject IS NOT NULL THEN concat(',"subject":', to_json(subject)) END,
  ',"verdict":', coalesce(to_json(verdict)::text, 'null'), '}'), 'UTF8'));
