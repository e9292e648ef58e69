-- Rates that were made from a price table keep its list price and markup, and the import the table's name
-- and its terms. A version may have rates of several imports, since later ones may keep or complete what they find.

-- Up Migration

CREATE TABLE rate_source (
  meter       text COLLATE "C" NOT NULL,
  imported_at timestamptz NOT NULL,
  file        text NOT NULL,
  format      text NOT NULL,
  sha256      bytea NOT NULL CHECK (octet_length(sha256) = 32),
  currency    text NOT NULL,
  per_credit  numeric NOT NULL CHECK (per_credit > 0),
  markups     text[] NOT NULL,
  PRIMARY KEY (meter, imported_at)
);

COMMENT ON TABLE rate_source IS 'A price table that rates of a meter were imported from, and the terms.';
COMMENT ON COLUMN rate_source.sha256 IS 'Of the file.';
COMMENT ON COLUMN rate_source.per_credit IS 'What a credit is worth, in the currency.';
COMMENT ON COLUMN rate_source.markups IS 'As they were stated: 1.3, openai/gpt-5*=1.2; the last one that matches holds.';

ALTER TABLE rate_by_dimensions
  ADD COLUMN list_price  numeric CHECK (list_price >= 0),
  ADD COLUMN list_per    bigint CHECK (list_per > 0),
  ADD COLUMN markup      numeric CHECK (markup > 0),
  ADD COLUMN imported_at timestamptz,
  ADD CHECK (num_nonnulls(list_price, list_per, markup, imported_at) IN (0, 4)),
  ADD FOREIGN KEY (meter, imported_at) REFERENCES rate_source;

COMMENT ON COLUMN rate_by_dimensions.list_price IS 'In rate_source.currency, for list_per units; null: not imported.';
COMMENT ON COLUMN rate_by_dimensions.markup IS 'The factor on the list price.';
COMMENT ON COLUMN rate_by_dimensions.imported_at IS 'When, perhaps for an earlier version, and from which rate_source.';

-- Down Migration

ALTER TABLE rate_by_dimensions
  DROP COLUMN list_price,
  DROP COLUMN list_per,
  DROP COLUMN markup,
  DROP COLUMN imported_at;
DROP TABLE rate_source;
