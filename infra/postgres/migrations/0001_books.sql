-- Every table about accounts carries account_id, and every key of one contains it, so that the
-- tables can be distributed by account. A debit never changes an indexed column. No table has a foreign
-- key to account: everything about an account is written together with its row, by compare-and-set, and
-- checking a foreign key per row would double the cost.

-- Up Migration

CREATE TABLE account (
  account_id  text COLLATE "C" PRIMARY KEY,
  granted     bigint NOT NULL DEFAULT 0,
  position    bigint NOT NULL DEFAULT 0,
  version     bigint NOT NULL DEFAULT 1,
  crossings   bigint NOT NULL DEFAULT 0,
  entries     bigint NOT NULL DEFAULT 0,
  threshold   bigint NOT NULL DEFAULT 0,
  next_due_at timestamptz,
  low_balance boolean NOT NULL DEFAULT false,
  time_zone   text NOT NULL,
  currency    text NOT NULL,
  created_at  timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.5);

COMMENT ON TABLE account IS 'An account as a credit line; balance = granted - position, in micro-credits.';

CREATE TABLE lot (
  account_id     text COLLATE "C" NOT NULL,
  lot_id         text COLLATE "C" NOT NULL,
  start_position bigint NOT NULL,
  end_position   bigint NOT NULL,
  credits        bigint NOT NULL CHECK (credits > 0),
  source         text NOT NULL,
  reference      text NOT NULL,
  granted_at     timestamptz NOT NULL,
  expires_at     timestamptz,
  PRIMARY KEY (account_id, lot_id),
  CHECK (start_position <= end_position)
);

CREATE INDEX lot_line ON lot (account_id, end_position);

COMMENT ON TABLE lot IS 'Credits added together: the stretch [start_position, end_position) of the line. Drawing never writes here.';

CREATE TABLE entry (
  account_id text COLLATE "C" NOT NULL,
  sequence   bigint NOT NULL,
  kind       text NOT NULL,
  credits    bigint NOT NULL,
  granted    bigint NOT NULL,
  position   bigint NOT NULL,
  version    bigint NOT NULL,
  lot_id     text COLLATE "C",
  reference  text NOT NULL,
  due_at     timestamptz NOT NULL,
  posted_at  timestamptz NOT NULL,
  PRIMARY KEY (account_id, sequence)
);

COMMENT ON TABLE entry IS 'A posted change of the line that is not usage, with the line after it.';

CREATE TABLE rate (
  meter      text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  credits    bigint NOT NULL CHECK (credits >= 0),
  per        bigint NOT NULL CHECK (per > 0),
  PRIMARY KEY (meter, valid_from)
);

COMMENT ON TABLE rate IS 'A meter''s price from an instant on: credits micro-credits for every per units.';

-- The event id comes first, since ids that grow with time keep the index warm.
CREATE TABLE usage_record (
  event_id        text COLLATE "C" NOT NULL,
  account_id      text COLLATE "C" NOT NULL,
  meter           text COLLATE "C" NOT NULL,
  quantity        bigint NOT NULL,
  occurred_at     timestamptz NOT NULL,
  source          text NOT NULL,
  dimensions      jsonb,
  credits         bigint NOT NULL,
  start_position  bigint NOT NULL,
  kafka_partition integer NOT NULL,
  kafka_offset    bigint NOT NULL,
  metered_at      timestamptz NOT NULL,
  PRIMARY KEY (event_id, account_id)
) WITH (autovacuum_vacuum_insert_scale_factor = 1.0);

COMMENT ON TABLE usage_record IS 'A metered event: it drew [start_position, start_position + credits) of the account''s line.';

-- Finds the usage records of an account, or of a stretch of its line: one row per transaction, which
-- costs a tenth of an index on every record.
CREATE TABLE draw (
  account_id     text COLLATE "C" NOT NULL,
  start_position bigint NOT NULL,
  version        bigint NOT NULL,
  end_position   bigint NOT NULL,
  event_ids      text[] COLLATE "C" NOT NULL,
  drawn_at       timestamptz NOT NULL,
  PRIMARY KEY (account_id, start_position, version)
) WITH (autovacuum_vacuum_insert_scale_factor = 1.0);

COMMENT ON TABLE draw IS 'What one transaction drew from an account''s line, and the events that drew it, in order.';

CREATE TABLE spend (
  account_id text COLLATE "C" NOT NULL,
  hour       timestamptz NOT NULL,
  meter      text COLLATE "C" NOT NULL,
  events     bigint NOT NULL,
  quantity   numeric NOT NULL,
  credits    bigint NOT NULL,
  PRIMARY KEY (account_id, hour, meter)
) WITH (fillfactor = 70);

COMMENT ON TABLE spend IS 'Usage per account, meter and hour of the account''s time zone, written with the usage records.';

CREATE TABLE dead_letter (
  topic           text COLLATE "C" NOT NULL,
  kafka_partition integer NOT NULL,
  kafka_offset    bigint NOT NULL,
  account_id      text COLLATE "C",
  reason          text NOT NULL,
  detail          text NOT NULL,
  key             bytea,
  payload         bytea NOT NULL,
  recorded_at     timestamptz NOT NULL,
  published_at    timestamptz,
  PRIMARY KEY (topic, kafka_partition, kafka_offset)
);

CREATE INDEX dead_letter_unpublished ON dead_letter (topic, kafka_partition, kafka_offset)
  WHERE published_at IS NULL;

COMMENT ON TABLE dead_letter IS 'A message that cannot be metered, kept with its reason until it is retried or dismissed; published to usage.dead-letters once.';

CREATE TABLE outbox (
  account_id text COLLATE "C" NOT NULL,
  topic      text COLLATE "C" NOT NULL,
  sequence   bigint NOT NULL,
  record     text NOT NULL,
  PRIMARY KEY (account_id, topic, sequence)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

COMMENT ON TABLE outbox IS 'Records to publish, written in the transaction that they are about; deleted when Kafka has acknowledged them.';

CREATE TABLE balance_change (
  change_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_ids text[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

COMMENT ON TABLE balance_change IS 'Accounts whose newest state is not on billing.balances yet.';

CREATE TABLE consumer_offset (
  consumer        text NOT NULL,
  topic           text NOT NULL,
  kafka_partition integer NOT NULL,
  next_offset     bigint NOT NULL,
  PRIMARY KEY (consumer, topic, kafka_partition)
) WITH (fillfactor = 50);

COMMENT ON TABLE consumer_offset IS 'The next offset of each consumer: lock, fence and cursor. Kafka''s own committed offsets are only for tools.';

-- Down Migration

DROP TABLE consumer_offset, balance_change, outbox, dead_letter, spend, draw, usage_record, rate, entry, lot, account;
