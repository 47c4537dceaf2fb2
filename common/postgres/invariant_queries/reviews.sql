-- Attempts to pay as they were weighed, and what waits for a person.

-- invariant: what_is_asked_for_was_weighed
-- A payment that the processor was asked for was weighed with the card that it is taken from, and
-- not refused, since there are such checks; where a person was to look at it, that has approved it.
-- The bank is asked as it was found.
SELECT intents.id, concat_ws(' ', intents.status, 'was found to', coalesce(course, 'be nothing'),
  'and the review is', coalesce(reviews.status, 'none'))
FROM payment_intents AS intents
LEFT JOIN risk_checks AS checks
  ON intent_id = intents.id AND stage = 'confirmed' AND course <> 'refuse'
     AND checks.payment_method_id = intents.payment_method_id
LEFT JOIN reviews ON reviews.id = intents.review_id
WHERE confirmed_at >= (SELECT min(checked_at) FROM risk_checks)
  AND (course IS NULL
    OR checks.is_challenged <> intents.is_challenged
    OR course = 'review' AND reviews.status IS DISTINCT FROM 'approved');

-- invariant: a_payment_waits_for_its_review
-- What waits for a review names it, and nobody was asked for it until it is approved; what was
-- refused, and what nobody decided in time, has failed for that.
SELECT coalesce(reviews.id, intents.id), concat_ws(' ', coalesce(reviews.status, 'no review'),
  'of a payment that is', coalesce(intents.status, 'not there'), failure_code)
FROM (SELECT * FROM reviews WHERE subject_kind = 'payment_intent') AS reviews
FULL JOIN (
  SELECT *
  FROM payment_intents
  WHERE review_id IS NOT NULL OR failure_code = 'not_approved'
) AS intents ON subject_id = intents.id AND review_id = reviews.id
WHERE (intents.property_id, intents.amount_micro, intents.currency)
        IS DISTINCT FROM (reviews.property_id, reviews.amount_micro, reviews.currency)
   OR CASE reviews.status
        WHEN 'open' THEN intents.status <> 'requires_payment_method' OR payment_method_id IS NULL
        WHEN 'approved' THEN failure_code = 'not_approved'
        ELSE (intents.status, failure_code) IS DISTINCT FROM ('failed', 'not_approved')
      END;

-- invariant: a_review_is_decided_by_another_person
-- Who decided a review neither asked for what waits nor made it out; who did so is as the checks
-- say. Nobody but the job decides one that is over.
SELECT reviews.id, concat_ws(' ', reviews.status, 'by', decided_by, 'asked for by', requested_by,
  'and', asked.actor, 'prepared by', prepared_by, 'and', made.actor)
FROM reviews
LEFT JOIN payment_intents AS intents ON intents.id = subject_id
LEFT JOIN risk_checks AS asked
  ON asked.intent_id = subject_id AND asked.stage = 'confirmed' AND asked.course = 'review'
     AND asked.payment_method_id = intents.payment_method_id
LEFT JOIN risk_checks AS made
  ON made.intent_id = subject_id AND made.stage = 'made' AND made.course <> 'refuse'
WHERE decided_by IN (requested_by, prepared_by)
   OR (reviews.status = 'expired') <> (decided_by = 'system:expire_reviews')
   OR subject_kind = 'payment_intent'
      AND (requested_by <> asked.actor OR asked.actor IS NULL
        OR prepared_by <> coalesce(made.actor, asked.actor)
        OR (reviews.score, reviews.reasons) IS DISTINCT FROM (asked.score, asked.reasons));

-- invariant: a_score_is_the_sum_of_its_reasons
-- The points of the reasons make the score, and no more than a hundred.
SELECT id, concat_ws(' ', 'has', score, 'of', points)
FROM (
  SELECT id, score, reasons FROM risk_checks
  UNION ALL
  SELECT id, score, reasons FROM reviews
) AS scored
CROSS JOIN LATERAL (
  SELECT coalesce(sum((value ->> 'points')::bigint), 0) AS points
  FROM jsonb_array_elements(reasons)
) AS summed
WHERE score <> least(points, 100);

-- invariant: a_payment_is_weighed_once_a_card
-- A payment was weighed once as it was made, and once with each card that it was to be taken from;
-- with its own amount and buyer.
SELECT intent_id, concat_ws(' ', 'was weighed', count(*), 'times')
FROM risk_checks
WHERE course <> 'refuse'
GROUP BY intent_id, stage, payment_method_id
HAVING count(*) > 1
UNION ALL
SELECT checks.id, concat_ws(' ', 'weighs', checks.amount_micro, checks.currency, 'of',
  intents.amount_micro, intents.currency)
FROM risk_checks AS checks
JOIN payment_intents AS intents ON intents.id = intent_id
WHERE (checks.amount_micro, checks.currency, checks.customer_id)
        IS DISTINCT FROM (intents.amount_micro, intents.currency, intents.customer_id);

-- invariant: a_review_is_what_its_trail_digested
-- What waits, its score, who asked for it and who decided are what its trail digested.
SELECT id, concat_ws(' ', 'is', status, 'over', amount_micro, currency)
FROM reviews
WHERE state_digest <> sha256(convert_to(concat('{"amountMicro":', amount_micro, ',"currency":',
  to_json(currency), ',"decidedBy":', coalesce(to_json(decided_by)::text, 'null'),
  ',"id":', to_json(id), ',"preparedBy":', to_json(prepared_by),
  ',"requestedBy":', to_json(requested_by), ',"score":', score, ',"status":', to_json(status),
  ',"subjectId":', to_json(subject_id), ',"subjectKind":', to_json(subject_kind), '}'), 'UTF8'));
