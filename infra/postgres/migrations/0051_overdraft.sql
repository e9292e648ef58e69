-- How far below zero holds and allowances of an account may go. Usage is metered in any case.

-- Up Migration

ALTER TABLE account ADD COLUMN overdraft bigint CHECK (overdraft >= 0);

COMMENT ON COLUMN account.overdraft IS 'How far below zero holds and allowances may go, in micro-credits; 9223372036854775807: without a limit. Null: the default.';

-- Down Migration

ALTER TABLE account DROP COLUMN overdraft;
