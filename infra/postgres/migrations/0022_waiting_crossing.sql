-- Auto top-up waits after a crossing that left no need of credits.

-- Up Migration

ALTER TABLE account ADD COLUMN waiting_crossing bigint;

COMMENT ON COLUMN account.waiting_crossing IS 'The last crossing that only expiries, deductions or withdrawals caused; null: none. While it is the newest crossing of a low account, auto top-up waits until usage or an add-on needs credits.';

-- Down Migration

ALTER TABLE account DROP COLUMN waiting_crossing;
