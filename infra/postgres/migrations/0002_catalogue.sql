-- The catalogue over time. Versions are only ever added, so anything that fell due at an instant can be
-- posted at any later time.

-- Up Migration

CREATE TABLE plan (
  plan_id     text COLLATE "C" NOT NULL,
  valid_from  timestamptz NOT NULL,
  credits     bigint NOT NULL CHECK (credits > 0),
  life        text NOT NULL CHECK (life IN ('usual', 'months', 'never')),
  life_months integer CHECK (life_months > 0),
  PRIMARY KEY (plan_id, valid_from),
  CHECK ((life = 'months') = (life_months IS NOT NULL))
);

COMMENT ON TABLE plan IS 'A plan''s credits a month, in micro-credits, and how long its lots live, from an instant on.';

CREATE TABLE plan_price (
  plan_id    text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  currency   text COLLATE "C" NOT NULL,
  monthly    bigint NOT NULL CHECK (monthly >= 0),
  yearly     bigint NOT NULL CHECK (yearly >= 0),
  PRIMARY KEY (plan_id, valid_from, currency),
  FOREIGN KEY (plan_id, valid_from) REFERENCES plan
);

COMMENT ON TABLE plan_price IS 'What a version of a plan costs, in the currency''s minor unit; written with the version.';

CREATE TABLE add_on (
  add_on_id  text COLLATE "C" NOT NULL,
  valid_from timestamptz NOT NULL,
  credits    bigint NOT NULL CHECK (credits > 0),
  PRIMARY KEY (add_on_id, valid_from)
);

COMMENT ON TABLE add_on IS 'What a unit of an add-on costs a month, in micro-credits, from an instant on.';

CREATE TABLE credit_price (
  currency    text COLLATE "C" NOT NULL,
  valid_from  timestamptz NOT NULL,
  credits     bigint NOT NULL CHECK (credits > 0),
  life        text NOT NULL CHECK (life IN ('usual', 'months', 'never')),
  life_months integer CHECK (life_months > 0),
  PRIMARY KEY (currency, valid_from),
  CHECK ((life = 'months') = (life_months IS NOT NULL))
);

COMMENT ON TABLE credit_price IS 'The micro-credits that one unit of a currency buys (1 USD, not 1 cent), from an instant on.';

-- Down Migration

DROP TABLE credit_price, add_on, plan_price, plan;
