-- Endpoints to which events are delivered by HTTP, and what is delivered to them.

-- Up Migration

CREATE TABLE webhook_endpoint (
  endpoint_id      text COLLATE "C" PRIMARY KEY,
  url              text NOT NULL,
  types            text[] NOT NULL,
  secret           text NOT NULL,
  old_secret       text,
  old_secret_until timestamptz,
  created_by       text NOT NULL,
  created_at       timestamptz NOT NULL,
  failing_since    timestamptz,
  paused_at        timestamptz,
  paused_by        text,
  problem          text,
  CHECK ((old_secret IS NULL) = (old_secret_until IS NULL)),
  CHECK (paused_by IS NULL OR paused_at IS NOT NULL)
);

COMMENT ON TABLE webhook_endpoint IS 'Where events are delivered by HTTP. The secrets sign what is delivered, so they are stored as they are; old_secret signs beside the new one until old_secret_until.';
COMMENT ON COLUMN webhook_endpoint.failing_since IS 'The first failure since the last success; null: the last attempt succeeded.';
COMMENT ON COLUMN webhook_endpoint.paused_by IS 'Who paused it; null while paused_at is set: it failed for too long.';
COMMENT ON COLUMN webhook_endpoint.problem IS 'What was wrong with the last attempt; null: it succeeded.';

CREATE TABLE webhook_delivery (
  account_id    text COLLATE "C" NOT NULL,
  endpoint_id   text COLLATE "C" NOT NULL,
  type          text COLLATE "C" NOT NULL,
  sequence      bigint NOT NULL,
  webhook_id    text COLLATE "C" NOT NULL,
  body          text NOT NULL,
  created_at    timestamptz NOT NULL,
  delivered_at  timestamptz,
  attempts      integer NOT NULL DEFAULT 0,
  tried_at      timestamptz,
  took_ms       integer,
  answer_status integer,
  answer_start  text,
  problem       text,
  PRIMARY KEY (account_id, endpoint_id, type, sequence)
) WITH (fillfactor = 80);

COMMENT ON TABLE webhook_delivery IS 'An event for an endpoint, once however often it is read. Delivered in the order of sequence for an account and type; what was tried last is kept. Deleted by housekeeping, delivered or not.';

CREATE INDEX webhook_delivery_waiting ON webhook_delivery (account_id, endpoint_id, type, sequence)
  WHERE delivered_at IS NULL;
CREATE INDEX webhook_delivery_recent ON webhook_delivery (endpoint_id, created_at, webhook_id);
CREATE INDEX webhook_delivery_id ON webhook_delivery (endpoint_id, webhook_id);
CREATE INDEX webhook_delivery_age ON webhook_delivery (created_at);

CREATE TABLE webhook_queue (
  account_id  text COLLATE "C" NOT NULL,
  endpoint_id text COLLATE "C" NOT NULL,
  type        text COLLATE "C" NOT NULL,
  next_try_at timestamptz NOT NULL,
  tries       integer NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, endpoint_id, type)
) WITH (fillfactor = 70);

COMMENT ON TABLE webhook_queue IS 'Accounts of which deliveries of a type to an endpoint wait; whoever claims one sends the oldest first. next_try_at is when it is due, or when a claim ends; tries counts the failures of its first delivery.';

CREATE INDEX webhook_queue_due ON webhook_queue (endpoint_id, next_try_at);

-- Down Migration

DROP TABLE webhook_queue, webhook_delivery, webhook_endpoint;
