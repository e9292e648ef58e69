import { GIVES_BACK, LATE_REFERENCE } from "../../books/expired-lots.ts";
import type { Invariant } from "./invariant.ts";

/** All usage: records, and sums of what is past retention. */
const USAGE = `
  SELECT account_id, meter, 1 AS events, quantity, credits FROM usage_record
  UNION ALL
  SELECT account_id, meter, events, quantity, credits FROM usage_past`;

/**
 * The same in sums with prices, by account, meter and the version that priced it. `which`: a condition on the
 * records. `card` is the account whose versions of meters these are: empty for the list. `exact` is the price in
 * micro-credits, times the version's `per`. Usage that names the same and reaches the same bands has one price,
 * which is looked up once; each event of it that begins as many packages costs the same. `month`: of usage that
 * is priced by the month's, which is compared month by month.
 */
const priced = (which: string) => `
  WITH term AS MATERIALIZED (
    SELECT account_id AS card, meter, valid_from, valid_to, list_from, own_meter, own_from, dimensions,
           bands_of, bands_from, packages, counts, per
    FROM usage_terms()
  ), own AS MATERIALIZED (
    SELECT DISTINCT account_id FROM own_terms
  ), used AS MATERIALIZED (
    SELECT record.account_id, coalesce(own.account_id, '') AS card, record.meter,
           coalesce(valid_from, '-infinity') AS valid_from,
           CASE WHEN term.dimensions IS NULL THEN '{}'
             ELSE ARRAY(SELECT record.dimensions ->> name FROM unnest(term.dimensions) AS name)
           END AS named,
           CASE WHEN term.bands_from IS NULL THEN '{}'
             ELSE ARRAY(SELECT CASE WHEN counted IS NULL THEN quantity
                               ELSE whole_number(record.dimensions ->> counted) END >= begins
                        FROM unnest(term.bands_of, term.bands_from) AS band (counted, begins))
           END AS reached,
           CASE WHEN packages IS NULL THEN '{}'
             ELSE ARRAY(SELECT div(quantity::numeric + size - 1, size) FROM unnest(packages) AS size)
           END AS begun,
           CASE WHEN counts IS NOT NULL THEN date_trunc('month', occurred_at, 'UTC') END AS month,
           any_value(CASE WHEN term.dimensions IS NOT NULL THEN record.dimensions END) AS dimensions,
           any_value(quantity) AS like_this,
           count(*) AS events, sum(quantity::numeric) AS quantity, sum(record.credits::numeric) AS credits
    FROM usage_record AS record
    LEFT JOIN own USING (account_id)
    LEFT JOIN term
      ON term.card = coalesce(own.account_id, '') AND term.meter = record.meter
      AND occurred_at >= valid_from AND occurred_at < valid_to
    WHERE ${which}
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
  ), met AS MATERIALIZED (
    SELECT card, meter, valid_from, named, reached,
           any_value(dimensions) AS dimensions, any_value(like_this) AS like_this
    FROM used
    GROUP BY 1, 2, 3, 4, 5
  ), priced AS MATERIALIZED (
    SELECT card, meter, valid_from, named, reached,
           price_of_usage(card, own_meter, own_from, meter, list_from, met.dimensions, like_this) AS price,
           per, counts
    FROM met LEFT JOIN term USING (card, meter, valid_from)
  )
  SELECT account_id, card, meter, valid_from, events, quantity, credits,
         CASE WHEN is_counted THEN credits * per ELSE exact_price(price, events, quantity, like_this) END
           AS exact,
         CASE WHEN is_counted THEN month END AS month
  FROM (
    SELECT *, coalesce(counts = 'all' OR counts = 'rest' AND (price).credits IS NULL, false) AS is_counted
    FROM used JOIN priced USING (card, meter, valid_from, named, reached)
  ) AS each
  UNION ALL
  SELECT account_id, coalesce(own.account_id, ''), meter, valid_from, events, quantity, past.credits,
         coalesce(exact, quantity * rate.credits), NULL
  FROM usage_past AS past
  LEFT JOIN own USING (account_id)
  LEFT JOIN rate USING (meter, valid_from)`;

/** In HAVING: the rows are not the lines of one event. */
const SEVERAL_MESSAGES =
  "(min(kafka_partition), min(kafka_offset)) <> (max(kafka_partition), max(kafka_offset))";

/** Invariants of usage records and of spend. */
export const USAGE_INVARIANTS: readonly Invariant[] = [
  {
    holds: "no message is metered twice",
    broken: "A message of Kafka was metered twice.",
    accounts: `
      SELECT min(account_id) AS account_id
      FROM usage_record
      GROUP BY kafka_partition, kafka_offset, meter
      HAVING count(*) > 1
      UNION ALL
      SELECT min(account_id)
      FROM usage_record
      GROUP BY kafka_partition, kafka_offset
      HAVING (min(account_id), min(event_id), min(source)) <> (max(account_id), max(event_id), max(source))`,
  },
  {
    holds: "no event is metered twice",
    broken: "Two messages of one event were metered, so the account paid twice for it.",
    // Another event may have the id of one whose identity may be forgotten. A day more, since clocks differ.
    accounts: `
      SELECT account_id
      FROM usage_record
      GROUP BY account_id, source, event_id, occurred_at
      HAVING ${SEVERAL_MESSAGES}
      UNION ALL
      SELECT account_id
      FROM usage_record
      WHERE metered_at >= (SELECT coalesce(complete_since + interval '1 day', '-infinity') FROM usage_generation)
      GROUP BY account_id, source, event_id
      HAVING ${SEVERAL_MESSAGES}`,
  },
  {
    holds: "no message is both metered and a dead letter",
    broken: "A message was metered and is a dead letter as well.",
    accounts: `
      SELECT usage_record.account_id
      FROM usage_record JOIN dead_letter USING (kafka_partition, kafka_offset)`,
  },
  {
    holds: "nothing is metered beyond the stored offset",
    broken: "Usage was metered from messages that the books have not read.",
    accounts: `
      SELECT account_id
      FROM usage_record LEFT JOIN consumer_offset AS place
        ON place.kafka_partition = usage_record.kafka_partition AND consumer = 'metering'
      WHERE next_offset IS NULL OR kafka_offset >= next_offset`,
  },
  {
    holds: "a balance at or below the threshold is marked as low",
    broken: "A low balance was not published.",
    accounts: `
      SELECT account_id
      FROM account
      WHERE granted - position <= threshold AND NOT low_balance AND position > 0`,
  },
  {
    holds: "spend sums up the usage records, by meter",
    broken: "Charts and totals differ from the usage.",
    accounts: `
      SELECT coalesce(used.account_id, summed.account_id) AS account_id
      FROM (SELECT account_id, meter, sum(events) AS events, sum(quantity) AS quantity,
                   sum(credits) AS credits
            FROM (${USAGE}) AS usage GROUP BY account_id, meter) AS used
      FULL JOIN (SELECT account_id, meter, sum(events) AS events, sum(quantity) AS quantity,
                        sum(credits) AS credits
                 FROM spend GROUP BY account_id, meter) AS summed USING (account_id, meter)
      WHERE (used.events, used.quantity, used.credits)
            IS DISTINCT FROM (summed.events, summed.quantity, summed.credits)`,
  },
  {
    holds: "what late usage got back is what entries give back to it",
    broken: "Late usage got other credits of expired lots than the entries say.",
    accounts: `
      SELECT account_id
      FROM (
        SELECT coalesce(late.account_id, given.account_id) AS account_id, late.reference IS NULL AS is_past,
               given.credits,
               late.given_back IS DISTINCT FROM given.credits OR late.exceeds AS differs
        FROM (SELECT record.account_id, ${LATE_REFERENCE} AS reference, sum(given_back) AS given_back,
                     bool_or(given_back > credits) AS exceeds
              FROM usage_record AS record WHERE given_back IS NOT NULL GROUP BY 1, 2) AS late
        FULL JOIN (SELECT account_id, reference, sum(credits) AS credits
                   FROM entry WHERE ${GIVES_BACK} GROUP BY account_id, reference) AS given
          USING (account_id, reference)
      ) AS compared
      FULL JOIN (SELECT account_id, sum(given_back) AS given_back
                 FROM usage_past GROUP BY account_id) AS past USING (account_id)
      GROUP BY account_id, past.given_back
      HAVING bool_or(differs) FILTER (WHERE NOT is_past)
          OR coalesce(sum(credits) FILTER (WHERE is_past), 0) <> coalesce(past.given_back, 0)`,
  },
  {
    holds: "usage past retention cost what it drew of the line and got back",
    broken: "The sums that are kept of dropped months were changed.",
    accounts: `
      SELECT account_id
      FROM (SELECT account_id, sum(credits - given_back) AS drew FROM usage_past GROUP BY account_id) AS past
      FULL JOIN (SELECT account_id, sum(end_position - start_position) AS drew
                 FROM usage_past_stretch GROUP BY account_id) AS line USING (account_id)
      WHERE past.drew IS DISTINCT FROM line.drew`,
  },
  {
    holds: "a lot gives back no more than expired, and to no usage after its end",
    broken: "Late usage got credits back that had not expired, or that its time did not allow.",
    accounts: `
      SELECT account_id
      FROM entry
      WHERE kind = 'expiry' OR (${GIVES_BACK})
      GROUP BY account_id, lot_id
      HAVING sum(credits) > 0
      UNION ALL
      SELECT record.account_id
      FROM usage_record AS record
      JOIN entry ON entry.account_id = record.account_id AND ${GIVES_BACK}
                AND entry.reference = ${LATE_REFERENCE}
      JOIN lot ON lot.account_id = entry.account_id AND lot.lot_id = entry.lot_id
      WHERE given_back IS NOT NULL AND occurred_at >= coalesce(expires_at, 'infinity')`,
  },
  {
    holds: "what is carried is what the usage records leave of their exact price",
    broken:
      "An account drew more or less than the exact price of its usage, by a micro-credit or more.",
    accounts: `
      SELECT coalesce(used.account_id, carried.account_id) AS account_id
      FROM (
        SELECT used.account_id, meter, valid_from, sum(exact) - sum(used.credits) * per AS left_over
        FROM (${priced("true")}) AS used
        JOIN (SELECT account_id AS card, meter, valid_from, per, carries FROM price_terms()) AS term
          USING (card, meter, valid_from)
        WHERE carries
        GROUP BY used.account_id, meter, valid_from, per
      ) AS used
      FULL JOIN carried USING (account_id, meter, valid_from)
      WHERE coalesce(left_over, 0) <> coalesce(remainder, 0)`,
  },
  {
    holds: "what is counted of a month is its usage, which costs what the tiers or packages say",
    broken: "An account drew more or less than a month's usage costs.",
    accounts: `
      SELECT coalesce(used.account_id, counted.account_id) AS account_id
      FROM (SELECT account_id, meter, valid_from, month, sum(quantity) AS quantity, sum(credits) AS credits
            FROM (${priced("counts IS NOT NULL")}) AS by_rate
            WHERE month IS NOT NULL
            GROUP BY account_id, meter, valid_from, month) AS used
      FULL JOIN month_usage AS counted USING (account_id, meter, valid_from, month)
      LEFT JOIN (SELECT DISTINCT account_id AS card FROM own_terms) AS own
        ON own.card = coalesce(used.account_id, counted.account_id)
      LEFT JOIN usage_terms() AS term
        ON term.account_id = coalesce(own.card, '') AND term.meter = coalesce(used.meter, counted.meter)
        AND term.valid_from = coalesce(used.valid_from, counted.valid_from)
      WHERE coalesce(used.quantity, 0) + coalesce(past_quantity, 0) <> coalesce(counted.quantity, 0)
         OR coalesce(used.credits, 0) + coalesce(past_credits, 0) <> coalesce(
              price_of_month(term.account_id, own_meter, own_from, term.meter, list_from, counted.quantity), 0)`,
  },
  {
    holds: "the usage of a page ends where its stretch ends",
    broken: "A usage record was changed, added or taken away.",
    accounts: `
      SELECT account_id
      FROM usage_page AS page
      WHERE end_position IS DISTINCT FROM
        CASE
          WHEN starts IS NULL
            THEN start_position + (SELECT sum(each) FROM unnest(credits) AS each)
                 - coalesce((SELECT sum(each) FROM unnest(given_back) AS each), 0)
          ELSE starts[cardinality(starts)]
               + credits[cardinality(credits)] - coalesce(given_back[cardinality(credits)], 0)
        END`,
  },
];
