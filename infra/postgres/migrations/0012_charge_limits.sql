-- The minimum charges of the payment gateway, for all who decide on amounts.

-- Up Migration

CREATE TABLE charge_limit (
  currency text COLLATE "C" PRIMARY KEY,
  minimum  bigint NOT NULL CHECK (minimum > 0)
);

COMMENT ON TABLE charge_limit IS 'The minimum that the payment gateway charges in a currency, in its minor unit; a currency without a row: 1.';

-- Down Migration

DROP TABLE charge_limit;
