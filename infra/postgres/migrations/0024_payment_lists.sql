-- Lists of payments across accounts. While the indexes are built, which takes about a second for a million
-- payments, none can be written.

-- Up Migration

-- Lists payments newest first.
CREATE INDEX payment_created ON payment (created_at, account_id, payment_id);

-- Lists those of a status, which may be few of many.
CREATE INDEX payment_by_status ON payment (status, created_at);

-- Finds the payment that the gateway shows.
CREATE INDEX payment_at_gateway ON payment (gateway_payment) WHERE gateway_payment IS NOT NULL;

-- Down Migration

DROP INDEX payment_at_gateway, payment_by_status, payment_created;
