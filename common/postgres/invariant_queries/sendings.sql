-- Documents that were handed over to be sent.

-- invariant: a_sending_is_what_its_document_told
-- Each sending is told once by its document, and each told one is there: which copy, in which
-- language, to how many, by whom, and when.
SELECT coalesce(id, fact ->> 'sendingId'), concat_ws(' ', document_id, copy, language,
  recipient_count, sent_by, sent_at, 'told', aggregate_id, fact)
FROM sendings
FULL JOIN (
  SELECT aggregate_id, actor, occurred_at, CAST(detail AS jsonb) AS fact
  FROM audit_entries
  WHERE action IN ('invoice.sent', 'credit_note.sent')
) AS told ON fact ->> 'sendingId' = id
WHERE (document_id, copy::text, language, recipient_count::text, encode(recipients_sha256, 'hex'),
       sent_by, sent_at)
        IS DISTINCT FROM
      (aggregate_id, fact ->> 'copyNumber', fact ->> 'language', fact ->> 'recipientCount',
       fact ->> 'recipientsSha256', actor, occurred_at);

-- invariant: a_sending_binds_its_addresses
-- The addresses of a sending, until they are erased, are those that it was made with.
SELECT sendings.id, concat('has ', count, ' of ', recipient_count, ' addresses')
FROM sendings
LEFT JOIN (
  SELECT sending_id, erased_at, salt,
         (SELECT count(*) FROM jsonb_array_elements(addresses)),
         (SELECT string_agg(address::text, ',' ORDER BY place)
          FROM jsonb_array_elements(addresses) WITH ORDINALITY AS each (address, place)) AS listed
  FROM sending_recipients
) AS written ON sending_id = sendings.id
WHERE sending_id IS NULL
   OR (erased_at IS NULL
       AND (recipient_count, recipients_sha256)
             IS DISTINCT FROM
           (count, sha256(salt || convert_to(concat('[', listed, ']'), 'UTF8'))));
