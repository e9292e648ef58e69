-- An account's usage of its newest hour is on its row, which a debit writes anyway. It goes to the table when
-- a newer hour begins. `spend` shows both.

-- Up Migration

ALTER TABLE spend RENAME TO spend_hour;
ALTER TABLE spend_hour RENAME CONSTRAINT spend_pkey TO spend_hour_pkey;

ALTER TABLE account ADD COLUMN spent json;

COMMENT ON TABLE spend_hour IS 'Usage per account, meter and hour of the account''s time zone, without what is on the account''s row; read it as spend.';
COMMENT ON COLUMN account.spent IS 'Usage of the newest hour that has any: [hour in milliseconds, [meter, events, quantity, credits], ...]; null: none.';

CREATE VIEW spend AS
SELECT account_id, hour, meter, sum(events)::bigint AS events, sum(quantity) AS quantity,
       sum(credits)::bigint AS credits
FROM (
  SELECT account_id, hour, meter, events, quantity, credits
  FROM spend_hour
  UNION ALL
  SELECT account_id, to_timestamp((spent ->> 0)::bigint / 1000.0), sums ->> 0,
         (sums ->> 1)::bigint, (sums ->> 2)::numeric, (sums ->> 3)::bigint
  FROM account
  CROSS JOIN LATERAL json_array_elements(spent) WITH ORDINALITY AS listed (sums, place)
  WHERE place > 1
) AS hours
GROUP BY account_id, hour, meter;

COMMENT ON VIEW spend IS 'Usage per account, meter and hour of the account''s time zone, written with the usage.';

-- Down Migration

DROP VIEW spend;

INSERT INTO spend_hour AS known (account_id, hour, meter, events, quantity, credits)
SELECT account_id, to_timestamp((spent ->> 0)::bigint / 1000.0), sums ->> 0,
       (sums ->> 1)::bigint, (sums ->> 2)::numeric, (sums ->> 3)::bigint
FROM account
CROSS JOIN LATERAL json_array_elements(spent) WITH ORDINALITY AS listed (sums, place)
WHERE place > 1
ON CONFLICT (account_id, hour, meter) DO UPDATE
SET events = known.events + excluded.events,
    quantity = known.quantity + excluded.quantity,
    credits = known.credits + excluded.credits;

ALTER TABLE account DROP COLUMN spent;
ALTER TABLE spend_hour RENAME CONSTRAINT spend_hour_pkey TO spend_pkey;
ALTER TABLE spend_hour RENAME TO spend;
