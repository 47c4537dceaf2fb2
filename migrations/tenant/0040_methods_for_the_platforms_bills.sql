-- Why: the platform's bills are charged to a method that was left for them, and to no guest's
--      card: that is a purpose of its own.
-- Lock: ACCESS EXCLUSIVE on payment_methods for a moment (a constraint that is not held against the
--       rows before).
-- Version before: goes on working; it leaves no method for this purpose, and cannot show one.
-- Down: is refused while a method was left for the platform's bills.

-- up
ALTER TABLE payment_methods DROP CONSTRAINT payment_method_purpose_is_known;
ALTER TABLE payment_methods
  ADD CONSTRAINT payment_method_purpose_is_known CHECK
    (purpose IN ('this_stay', 'later_stays', 'platform_bills')) NOT VALID;

-- down
ALTER TABLE payment_methods DROP CONSTRAINT payment_method_purpose_is_known;
ALTER TABLE payment_methods
  ADD CONSTRAINT payment_method_purpose_is_known CHECK (purpose IN ('this_stay', 'later_stays'));
