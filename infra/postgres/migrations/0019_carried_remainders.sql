-- What is left of a micro-credit is carried along, so that tiny quantities add up to their exact price.

-- Up Migration

CREATE TABLE carried (
  account_id text COLLATE "C" NOT NULL,
  meter      text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  remainder  bigint NOT NULL,
  PRIMARY KEY (account_id, meter, valid_from)
) WITH (fillfactor = 50);

COMMENT ON TABLE carried IS 'What an account''s usage under one rate is owed beyond the credits drawn: remainder / rate.per micro-credits, below 1.';

-- Rates set before keep their meaning, so that what was metered keeps its price.
ALTER TABLE rate ADD COLUMN rounds_each boolean NOT NULL DEFAULT true;

COMMENT ON COLUMN rate.rounds_each IS 'True: each event is rounded to a micro-credit, halves up. False: what is left is carried along.';

-- Down Migration

ALTER TABLE rate DROP COLUMN rounds_each;
DROP TABLE carried;
