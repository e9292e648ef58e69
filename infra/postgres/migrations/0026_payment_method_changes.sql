-- The history of payment methods: who set or removed one, and when.

-- Up Migration

CREATE TABLE payment_method_change (
  account_id text COLLATE "C" NOT NULL,
  sequence   integer NOT NULL,
  changed_at timestamptz NOT NULL,
  changed_by text NOT NULL,
  customer   text,
  method     text,
  PRIMARY KEY (account_id, sequence),
  CHECK ((customer IS NULL) = (method IS NULL))
);

COMMENT ON TABLE payment_method_change IS 'Who set an account''s payment method or (method null) removed it. Those set within an hour count as attempts to pay.';

INSERT INTO payment_method_change
SELECT account_id, 1, set_at, set_by, customer, method FROM payment_method;

-- Down Migration

DROP TABLE payment_method_change;
