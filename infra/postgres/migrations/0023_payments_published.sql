-- The number of records that each account has on billing.payments.

-- Up Migration

CREATE TABLE payments_published (
  account_id text COLLATE "C" PRIMARY KEY,
  records    bigint NOT NULL CHECK (records > 0)
) WITH (fillfactor = 70);

COMMENT ON TABLE payments_published IS 'The number of an account''s records for billing.payments, which is the sequence of the last one. An account whose payments have not changed since migration 0023 has no row.';

-- Down Migration

DROP TABLE payments_published;
