-- The comparison of the gateway's charges with the books, and the charges without a payment.

-- Up Migration

CREATE TABLE charge_check (
  gateway     text PRIMARY KEY,
  compared_to timestamptz NOT NULL
);

COMMENT ON TABLE charge_check IS 'Up to when a gateway''s charges were compared with the payments in the books.';

CREATE TABLE unmatched_charge (
  gateway         text NOT NULL,
  gateway_payment text NOT NULL,
  account_id      text COLLATE "C" NOT NULL,
  payment_id      text COLLATE "C" NOT NULL,
  amount          bigint NOT NULL CHECK (amount > 0),
  currency        text NOT NULL,
  charged_at      timestamptz NOT NULL,
  PRIMARY KEY (gateway, gateway_payment)
);

COMMENT ON TABLE unmatched_charge IS 'Charges at the gateway without a matching payment; deleted when one matches, or when the money went back.';

-- Down Migration

DROP TABLE unmatched_charge, charge_check;
