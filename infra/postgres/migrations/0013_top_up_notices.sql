-- What was published on billing.top-ups, so that the API can show it from the books.

-- Up Migration

CREATE TABLE top_up_notice (
  account_id text COLLATE "C" NOT NULL,
  sequence   bigint NOT NULL,
  top_up_id  text COLLATE "C" NOT NULL,
  status     text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'paused', 'stopped')),
  amount     bigint NOT NULL,
  currency   text COLLATE "C" NOT NULL,
  credits    bigint NOT NULL,
  reason     text NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, sequence)
);

COMMENT ON TABLE top_up_notice IS 'Changes of top-ups as published on billing.top-ups; sequence counts up per account from 1.';

-- Down Migration

DROP TABLE top_up_notice;
