-- Proof: what reconciling has verified, and what it has repaired.

-- Up Migration

-- Records are written in the order of their offsets, so that a few ranges of pages hold those of a cut.
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

COMMENT ON TABLE repair IS 'What was repaired: which difference between topic and books, how, and what stood there before.';
COMMENT ON COLUMN repair.line_by IS 'How far position was ahead of all that was drawn (below zero: behind), which an entry has answered.';

CREATE TABLE reconciliation (
  reconciled_at timestamptz PRIMARY KEY,
  places        jsonb NOT NULL,
  messages      bigint NOT NULL,
  verified      bigint NOT NULL,
  credits       bigint NOT NULL,
  differences   bigint NOT NULL,
  listed        jsonb NOT NULL
);

COMMENT ON TABLE reconciliation IS 'What the scheduler has verified, night by night; places: from which offset on the next run goes on, by partition.';

-- Down Migration

DROP TABLE reconciliation, repair;
DROP INDEX usage_record_offsets;
