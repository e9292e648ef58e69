-- Publishes all balances once more: their records have what holds and allowances may go below zero.

-- Up Migration

INSERT INTO balance_change (account_ids)
SELECT array_agg(account_id)
FROM (SELECT account_id, (row_number() OVER (ORDER BY account_id) - 1) / 5000 AS portion FROM account) AS numbered
GROUP BY portion;

-- Down Migration

-- What is published stays.
