-- The results of reconciliations, and repairs.

-- Up Migration

-- Records are written in the order of their offsets, so a range of offsets is in a few ranges of pages.
CREATE INDEX usage_record_offsets ON usage_record USING brin (kafka_offset)
  WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE repair (
  account_id  text COLLATE "C" NOT NULL,
  difference  text COLLATE "C" NOT NULL,
  repaired_at timestamptz NOT NULL,
  repaired_by text NOT NULL,
  what        text NOT NULL,
  line_by     bigint NOT NULL,
  detail      jsonb NOT NULL,
  PRIMARY KEY (account_id, difference, repaired_at)
);

COMMENT ON TABLE repair IS 'Repairs: the difference between topic and books, how it was repaired, and what was there before.';
COMMENT ON COLUMN repair.line_by IS 'How far position was ahead of all draws (below zero: behind), corrected by an entry.';

CREATE TABLE reconciliation (
  reconciled_at timestamptz PRIMARY KEY,
  places        jsonb NOT NULL,
  messages      bigint NOT NULL,
  verified      bigint NOT NULL,
  credits       bigint NOT NULL,
  differences   bigint NOT NULL,
  listed        jsonb NOT NULL
);

COMMENT ON TABLE reconciliation IS 'The scheduler''s nightly reconciliations; places: the next run''s first offset, by partition.';

-- Down Migration

DROP TABLE reconciliation, repair;
DROP INDEX usage_record_offsets;
