-- Access to the API: keys, dashboard tokens created with them, and idempotent requests.

-- Up Migration

CREATE TABLE api_key (
  key_id       text COLLATE "C" PRIMARY KEY,
  name         text NOT NULL,
  secret_hash  bytea NOT NULL,
  scopes       text[] NOT NULL,
  created_by   text NOT NULL,
  created_at   timestamptz NOT NULL,
  revoked_at   timestamptz,
  last_used_at timestamptz
) WITH (fillfactor = 70);

COMMENT ON TABLE api_key IS 'Keys of the API. The secret is shown once, when the key is created; only its SHA-256 is stored.';

CREATE TABLE dashboard_token (
  account_id  text COLLATE "C" NOT NULL,
  secret_hash bytea NOT NULL,
  key_id      text COLLATE "C" NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (account_id, secret_hash)
);

CREATE INDEX dashboard_token_end ON dashboard_token (expires_at);

COMMENT ON TABLE dashboard_token IS 'Short-lived tokens for one account; they end with the key that created them.';

CREATE TABLE api_request (
  caller          text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  request_hash    bytea NOT NULL,
  status          integer,
  answer          text,
  requested_at    timestamptz NOT NULL,
  PRIMARY KEY (caller, idempotency_key),
  CHECK ((status IS NULL) = (answer IS NULL))
);

CREATE INDEX api_request_age ON api_request (requested_at);

COMMENT ON TABLE api_request IS 'Requests with an Idempotency-Key and their answers; null status: in progress, or its process ended.';

-- Down Migration

DROP TABLE api_request, dashboard_token, api_key;
