-- Why: a guest who comes stays as long as the reservation says by then. The nights followed it, the
--      dates of the stay did not: who stays longer was charged a late departure on the old day.
-- Lock: none but that of a right that is given.
-- Version before: goes on working, and leaves the dates as they are.
-- Down: takes the right away; dates that have changed stay.

-- up
GRANT UPDATE (arrival, departure) ON stays TO {tenant_role};

-- down
REVOKE UPDATE (arrival, departure) ON stays FROM {tenant_role};
