-- What a hold sets aside counts against the budgets of the values that it names.

-- Up Migration

ALTER TABLE hold ADD COLUMN dimensions jsonb;

COMMENT ON COLUMN hold.dimensions IS 'Of the usage to come: budgets of these values count what is set aside. null: none were named.';

-- Down Migration

ALTER TABLE hold DROP COLUMN dimensions;
