import { AUTOMATIC_TOP_UP, REFERENCE, TOP_UP_LOT } from "../../core/line/reference.ts";
import { WHAT_IS_SET } from "../books/setting-changes.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { allowWholeTables, readSnapshot } from "../postgres/read-snapshot.ts";

/** What must hold in any books at any time; the query finds the accounts where it does not. */
export interface Invariant {
  readonly holds: string;
  /** What it means when it does not hold. */
  readonly broken: string;
  readonly accounts: string;
}

export const INVARIANTS: readonly Invariant[] = [
  {
    holds: "the lots tile the line from 0 to granted",
    broken: "A lot is missing, doubled or out of place: balances cannot be explained.",
    accounts: `
      SELECT account_id FROM (
        SELECT account_id, granted, end_position, start_position,
               lag(end_position, 1, 0) OVER line AS before,
               lead(start_position) OVER line AS next
        FROM account LEFT JOIN (SELECT * FROM lot WHERE start_position < end_position) AS standing
          USING (account_id)
        WINDOW line AS (PARTITION BY account_id ORDER BY start_position, end_position)
      ) AS tiled
      WHERE coalesce(start_position, 0) <> before
         OR (next IS NULL AND coalesce(end_position, 0) <> granted)`,
  },
  {
    holds: "what remains of the lots is the balance, or nothing in debt",
    broken: "What the dashboard shows as left is not what the lots hold.",
    accounts: `
      SELECT account_id
      FROM account LEFT JOIN lot USING (account_id)
      GROUP BY account_id
      HAVING coalesce(sum(greatest(0, end_position - greatest(start_position, position))), 0)
             <> greatest(0, granted - position)`,
  },
  {
    holds: "usage, expiries, charges, reversals and deductions tile the line from 0 to position",
    broken: "Something was drawn that no record or entry tells of, or the other way round.",
    accounts: `
      SELECT account_id FROM (
        SELECT account_id, position, start_at, end_at,
               lag(end_at, 1, 0::numeric) OVER line AS before,
               lead(start_at) OVER line AS next
        FROM account LEFT JOIN (
          SELECT account_id, start_position::numeric AS start_at,
                 start_position::numeric + credits AS end_at
          FROM usage_record
          UNION ALL
          SELECT account_id, entry.position + entry.credits, entry.position
          FROM entry JOIN lot USING (account_id, lot_id)
          WHERE kind = 'expiry' AND start_position < end_position
          UNION ALL
          SELECT account_id, position + credits, position
          FROM entry
          WHERE kind IN ('add_on_charge', 'reversal') OR (kind = 'adjustment' AND lot_id IS NULL)
        ) AS drawn USING (account_id)
        WINDOW line AS (PARTITION BY account_id ORDER BY start_at, end_at)
      ) AS tiled
      LEFT JOIN (SELECT account_id, sum(line_by) AS line_by FROM repair
                 WHERE line_by <> 0 GROUP BY account_id) AS answered USING (account_id)
      GROUP BY account_id, position, line_by
      HAVING CASE
        WHEN line_by IS NULL THEN bool_or(
          coalesce(start_at, 0) <> before OR (next IS NULL AND coalesce(end_at, 0) <> position))
        ELSE position - sum(end_at - start_at) <> line_by
      END`,
  },
  {
    holds: "entries count up from 1",
    broken: "An entry is missing or was added behind the account's back.",
    accounts: `
      SELECT account_id
      FROM account LEFT JOIN entry USING (account_id)
      GROUP BY account_id
      HAVING count(sequence) <> account.entries
          OR coalesce(max(sequence), 0) <> account.entries`,
  },
  {
    holds: "each entry carries the line on from the one before it, the last one to granted",
    broken: "An entry does not follow from the one before it: history was changed.",
    accounts: `
      SELECT account_id FROM (
        SELECT account_id, kind, lot_id, credits, entry.granted, entry.position, entry.version,
               entry.granted - lag(entry.granted, 1, 0::bigint) OVER line AS added,
               entry.position - lag(entry.position, 1, 0::bigint) OVER line AS drawn,
               lag(entry.version, 1, 0::bigint) OVER line AS before,
               lead(sequence) OVER line IS NULL AND entry.granted <> account.granted AS is_short,
               account.version AS newest
        FROM entry JOIN account USING (account_id)
        WINDOW line AS (PARTITION BY account_id ORDER BY sequence)
      ) AS carried
      WHERE drawn < 0
         OR version < before
         OR version > newest
         OR ((kind = 'grant' OR (kind = 'adjustment' AND lot_id IS NOT NULL)) AND added <> credits)
         OR ((kind IN ('add_on_charge', 'reversal') OR (kind = 'adjustment' AND lot_id IS NULL))
             AND (added <> 0 OR drawn < -credits))
         OR (kind = 'expiry' AND added <> credits AND (added <> 0 OR drawn < -credits))
         OR is_short`,
  },
  {
    holds: "each lot was granted by one entry, of its credits",
    broken: "Credits stand that nobody granted, or a grant has no lot.",
    accounts: `
      SELECT coalesce(lot.account_id, entry.account_id) AS account_id
      FROM lot FULL JOIN (SELECT * FROM entry WHERE kind = 'grant') AS entry USING (account_id, lot_id)
      GROUP BY coalesce(lot.account_id, entry.account_id), coalesce(lot.lot_id, entry.lot_id)
      HAVING count(lot.lot_id) <> 1 OR count(entry.lot_id) <> 1 OR min(lot.credits) <> min(entry.credits)`,
  },
  {
    holds: "no expiry and no charge is posted twice",
    broken: "An expiry or a charge was posted twice.",
    accounts: `
      SELECT account_id
      FROM entry
      WHERE kind IN ('expiry', 'add_on_charge')
      GROUP BY account_id, reference
      HAVING count(*) > 1`,
  },
  {
    holds: "no unit of an add-on is charged twice in a period",
    broken: "A unit of an add-on was charged twice in a month.",
    accounts: `
      SELECT account_id FROM (
        SELECT account_id, units[4]::integer AS owed,
               lag(units[5]::integer, 1, 0) OVER (
                 PARTITION BY account_id, units[1], units[2], units[3] ORDER BY units[4]::integer
               ) AS charged
        FROM entry,
             regexp_match(reference, '${REFERENCE.addOnCharge.pattern}') AS units
        WHERE kind = 'add_on_charge'
      ) AS ranges
      WHERE charged > owed`,
  },
  {
    holds: "each unit of an add-on in use is charged for the period, or its charge waits for usage",
    broken: "An add-on was had for a month without its charge.",
    accounts: `
      SELECT schedule.account_id
      FROM schedule
      CROSS JOIN jsonb_to_recordset(add_ons) AS in_use ("addOnId" text, quantity integer)
      LEFT JOIN LATERAL (
        SELECT sum(units[5]::integer - units[4]::integer) AS units
        FROM entry,
             regexp_match(reference, '${REFERENCE.addOnCharge.pattern}') AS units
        WHERE entry.account_id = schedule.account_id AND kind = 'add_on_charge'
          AND units[1] = "addOnId"
          AND units[2]::integer = subscriptions AND units[3]::integer = schedule.period
      ) AS charged ON true
      LEFT JOIN LATERAL (
        SELECT sum(units) AS units
        FROM jsonb_to_recordset(due_charges)
          AS due ("addOnId" text, number integer, period integer, units integer)
        WHERE due."addOnId" = in_use."addOnId"
          AND number = subscriptions AND due.period = schedule.period
      ) AS waiting ON true
      WHERE plan_id IS NOT NULL
        AND schedule.period <> ALL (coalesce(withheld, '{}'))
        AND quantity <> coalesce(charged.units, 0) + coalesce(waiting.units, 0)`,
  },
  {
    holds: "a subscription has one month's lot for each period begun",
    broken: "A month's credits are missing or came twice.",
    accounts: `
      SELECT account_id FROM (
        SELECT account_id, period[1]::integer AS number, count(*) AS lots,
               max(period[2]::integer) + 1 AS periods
        FROM lot, regexp_match(lot_id, '${REFERENCE.monthLot.pattern}') AS period
        WHERE source = 'plan'
        GROUP BY account_id, period[1]
      ) AS months
      FULL JOIN (SELECT account_id, subscriptions AS number, period FROM schedule
                 WHERE plan_id IS NOT NULL) AS running USING (account_id, number)
      WHERE (lots IS NULL OR lots <> periods OR (period IS NOT NULL AND periods <> period + 1))
        AND NOT EXISTS (SELECT FROM subscription_change AS change
                        WHERE change.account_id = coalesce(months.account_id, running.account_id)
                          AND kind = 'suspended')`,
  },
  {
    holds: "no two paid stretches of a subscription overlap",
    broken: "A period of a subscription was charged twice.",
    accounts: `
      SELECT account_id FROM (
        SELECT account_id, period, lag(period + periods, 1, 0) OVER stretches AS before
        FROM payment
        WHERE kind = 'fee' AND payment_id ~ '${REFERENCE.fee.pattern}'
        WINDOW stretches AS (PARTITION BY account_id, subscription ORDER BY period)
      ) AS stretch
      WHERE period < before`,
  },
  // Of a year in which the price has risen, the months before that were cheaper.
  {
    holds: "the paid stretch that runs has its fees, of a month the price exactly",
    broken: "A running subscription was charged too little or too much.",
    accounts: `
      SELECT account_id
      FROM schedule
      LEFT JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS charged
        FROM payment
        WHERE payment.account_id = schedule.account_id AND payment.kind = 'fee'
          AND subscription = subscriptions AND payment.period + periods = paid_until
      ) AS fees ON true
      WHERE plan_id IS NOT NULL
        AND (charged > paid_price
             OR (charged < paid_price AND interval = 'month')
             OR (charged = 0 AND paid_price >= 12))`,
  },
  {
    holds: "no month is given that nobody was charged for",
    broken: "A month's credits came that no fee pays for.",
    accounts: `
      SELECT lot.account_id
      FROM lot, regexp_match(lot_id, '${REFERENCE.monthLot.pattern}') AS month
      WHERE source = 'plan' AND month IS NOT NULL
        AND NOT EXISTS (
          SELECT FROM lot AS free JOIN plan_price ON plan_id = reference
          WHERE free.account_id = lot.account_id AND source = 'plan' AND monthly = 0)
        AND NOT EXISTS (
          SELECT FROM payment
          WHERE payment.account_id = lot.account_id AND kind = 'fee'
            AND subscription = month[1]::integer
            AND month[2]::integer >= period AND month[2]::integer < period + periods)`,
  },
  {
    holds: "one top-up in flight",
    broken: "An account may be charged twice at once.",
    accounts: `
      SELECT account_id
      FROM payment
      WHERE kind = 'top_up' AND status = 'pending'
      GROUP BY account_id
      HAVING count(*) > 1`,
  },
  {
    holds: "a succeeded top-up has its lot, of its credits, and each top-up's lot has its payment",
    broken: "Money was taken without credits, or credits came without money.",
    accounts: `
      SELECT coalesce(paid.account_id, bought.account_id) AS account_id
      FROM (SELECT account_id, '${TOP_UP_LOT}' || payment_id AS lot_id, credits FROM payment
            WHERE kind = 'top_up' AND status = 'succeeded') AS paid
      FULL JOIN (SELECT account_id, lot_id, credits FROM lot
                 WHERE starts_with(lot_id, '${TOP_UP_LOT}')) AS bought USING (account_id, lot_id)
      WHERE paid.credits IS DISTINCT FROM bought.credits`,
  },
  {
    holds:
      "an automatic top-up has a crossing that was said; of its tries, which count up, one at most is not declined",
    broken: "A top-up stands that no low balance caused, or a crossing was charged twice.",
    accounts: `
      SELECT account_id
      FROM payment JOIN account USING (account_id),
           regexp_match(payment_id, '${REFERENCE.automaticTopUp.pattern}') AS cause
      WHERE kind = 'top_up' AND starts_with(payment_id, '${AUTOMATIC_TOP_UP}')
      GROUP BY account_id, crossings, cause[1]
      HAVING cause[1] IS NULL
          OR cause[1]::bigint > crossings
          OR max(coalesce(cause[2]::integer, 1)) <> count(*)
          OR count(*) FILTER (WHERE status = 'failed') < count(*) - 1`,
  },
  {
    holds: "what is pending or to be tried again will be looked at, and what is settled says when",
    broken: "A payment is forgotten: nobody will ask about it again.",
    accounts: `
      SELECT account_id
      FROM payment
      WHERE (status IN ('pending', 'retrying') AND next_try_at IS NULL)
         OR (status IN ('succeeded', 'failed') AND settled_at IS NULL)`,
  },
  {
    holds: "refunds of a payment come to no more than it, and only what was paid goes back",
    broken: "More went back than was paid.",
    accounts: `
      SELECT refund.account_id
      FROM refund LEFT JOIN payment USING (account_id, payment_id)
      WHERE refund.status = 'posted'
      GROUP BY refund.account_id, refund.payment_id
      HAVING bool_or(payment.status IS DISTINCT FROM 'succeeded')
          OR sum(refund.amount) > min(payment.amount)`,
  },
  {
    holds: "refunds took of a lot what their entries say, and no more than it had",
    broken: "A refund took other credits than its entries say.",
    accounts: `
      SELECT account_id FROM (
        SELECT refund.account_id, refund.payment_id, payment.credits,
               refund.withdrawn, refund.owed,
               coalesce(-sum(entry.credits) FILTER (WHERE entry.kind = 'adjustment'), 0) AS cut,
               coalesce(-sum(entry.credits) FILTER (WHERE entry.kind = 'reversal'), 0) AS drawn
        FROM refund
        JOIN payment USING (account_id, payment_id)
        LEFT JOIN entry ON entry.account_id = refund.account_id
                       AND entry.lot_id = '${TOP_UP_LOT}' || refund.payment_id
                       AND entry.reference = refund.kind || ':' || refund.refund_id
        GROUP BY refund.account_id, refund.payment_id, refund.refund_id, payment.credits
      ) AS taken
      GROUP BY account_id, payment_id, credits
      HAVING bool_or(withdrawn <> cut OR owed <> drawn)
          OR sum(withdrawn + owed) > coalesce(credits, 0)`,
  },
  {
    holds: "what falls due is found: no turn and no expiry lies before the account's own instants",
    broken: "Something falls due that nobody will look at.",
    accounts: `
      SELECT account_id
      FROM account LEFT JOIN schedule USING (account_id)
      WHERE (next_period_at IS NOT NULL
             AND (settle_at > next_period_at OR settle_at IS NULL
                  OR next_due_at > next_period_at OR next_due_at IS NULL))
      UNION ALL
      SELECT account_id
      FROM account JOIN lot USING (account_id)
      WHERE end_position > greatest(start_position, position)
        AND (next_due_at > expires_at OR (expires_at IS NOT NULL AND next_due_at IS NULL)
             OR settle_at > expires_at + interval '15 minutes')`,
  },
  {
    holds: "changes of a subscription count up from 1",
    broken: "A change of a subscription is missing from its history.",
    accounts: `
      SELECT account_id
      FROM schedule LEFT JOIN subscription_change USING (account_id)
      GROUP BY account_id
      HAVING count(sequence) <> schedule.changes
          OR coalesce(max(sequence), 0) <> schedule.changes`,
  },
  {
    holds: "changes of settings count up from 1, and the last one says what is set",
    broken: "A setting was changed and nobody is told by whom and when.",
    accounts: `
      SELECT account_id
      FROM account LEFT JOIN auto_top_up USING (account_id)
      JOIN (SELECT account_id, count(*) AS changes, max(sequence) AS last,
                   (array_agg(detail ORDER BY sequence DESC))[1] AS said
            FROM setting_change GROUP BY account_id) AS history USING (account_id)
      WHERE changes <> last OR said <> ${WHAT_IS_SET}`,
  },
  {
    holds: "the account row knows what falls due",
    broken: "The account row does not know when to settle: credits may come late.",
    accounts: `
      SELECT account_id
      FROM account
      LEFT JOIN schedule USING (account_id)
      LEFT JOIN LATERAL (
        SELECT min(expires_at) AS at
        FROM lot
        WHERE lot.account_id = account.account_id
          AND end_position > greatest(start_position, account.position)
      ) AS lot_end ON true
      LEFT JOIN LATERAL (
        SELECT to_timestamp(min((charge->>'dueAt')::bigint) / 1000.0) AS at
        FROM jsonb_array_elements(due_charges) AS charge
      ) AS charge ON true
      WHERE coalesce(next_due_at, 'infinity') > least(next_period_at, lot_end.at, charge.at)
         OR coalesce(settle_at, 'infinity')
            > least(next_period_at, lot_end.at + interval '15 min', charge.at + interval '15 min')`,
  },
  {
    holds: "no message is metered twice",
    broken: "A message of Kafka was metered twice.",
    accounts: `
      SELECT min(account_id) AS account_id
      FROM usage_record
      GROUP BY kafka_partition, kafka_offset
      HAVING count(*) > 1`,
  },
  {
    holds: "no message is both metered and a dead letter",
    broken: "A message was metered and is a dead letter as well.",
    accounts: `
      SELECT usage_record.account_id
      FROM usage_record JOIN dead_letter USING (kafka_partition, kafka_offset)`,
  },
  {
    holds: "nothing is metered ahead of the books' place",
    broken: "Usage is in the books that their place in Kafka has not reached.",
    accounts: `
      SELECT account_id
      FROM usage_record LEFT JOIN consumer_offset AS place
        ON place.kafka_partition = usage_record.kafka_partition AND consumer = 'metering'
      WHERE next_offset IS NULL OR kafka_offset >= next_offset`,
  },
  {
    holds: "a balance at or below the threshold was said to be low",
    broken: "An account ran low and nobody was told.",
    accounts: `
      SELECT account_id
      FROM account
      WHERE granted - position <= threshold AND NOT low_balance AND position > 0`,
  },
  {
    holds: "spend sums up the usage records, by meter",
    broken: "Charts and totals do not show what was drawn.",
    accounts: `
      SELECT coalesce(used.account_id, summed.account_id) AS account_id
      FROM (SELECT account_id, meter, count(*) AS events, sum(quantity) AS quantity,
                   sum(credits) AS credits
            FROM usage_record GROUP BY account_id, meter) AS used
      FULL JOIN (SELECT account_id, meter, sum(events) AS events, sum(quantity) AS quantity,
                        sum(credits) AS credits
                 FROM spend GROUP BY account_id, meter) AS summed USING (account_id, meter)
      WHERE (used.events, used.quantity, used.credits)
            IS DISTINCT FROM (summed.events, summed.quantity, summed.credits)`,
  },
  {
    holds: "each record that drew is named by one draw",
    broken: "An event's usage cannot be found from the account that paid for it.",
    accounts: `
      SELECT record.account_id
      FROM usage_record AS record
      LEFT JOIN (SELECT account_id, unnest(event_ids) AS event_id FROM draw) AS drawn
        ON drawn.account_id = record.account_id AND drawn.event_id = record.event_id
      WHERE record.credits > 0
      GROUP BY record.account_id, record.event_id
      HAVING count(drawn.event_id) <> 1`,
  },
];

/** What was found of one invariant. */
export interface Finding {
  readonly invariant: Invariant;
  /** Accounts where it does not hold, so many at most; none: it holds. */
  readonly accounts: readonly string[];
}

const MOST_NAMED = 5;

/**
 * Holds the books against each invariant, one after another, all on one state of them: metering may go
 * on meanwhile. `onFinding` hears of each as it was found.
 */
export async function checkInvariants(
  database: Database,
  onFinding: (finding: Finding) => void,
): Promise<Finding[]> {
  return readSnapshot(database, async (transaction) => {
    await allowWholeTables(transaction);
    return findBroken(transaction, "%", onFinding);
  });
}

/**
 * The same on what a connection sees. `accounts` is a pattern of LIKE for those to look at; of those
 * where one does not hold, so many are named at most.
 */
export async function findBroken(
  transaction: Transaction,
  accounts: string,
  onFinding: (finding: Finding) => void,
  mostNamed = MOST_NAMED,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const invariant of INVARIANTS) {
    const broken = await brokenIn(transaction, invariant, accounts, mostNamed);
    const finding = { invariant, accounts: broken };
    findings.push(finding);
    onFinding(finding);
  }
  return findings;
}

async function brokenIn(
  transaction: Transaction,
  { accounts: query }: Invariant,
  accounts: string,
  mostNamed: number,
): Promise<string[]> {
  const { rows } = await transaction.query<{ account: string }>(
    `SELECT DISTINCT account_id AS account
     FROM (${query}) AS broken
     WHERE account_id LIKE $1
     LIMIT $2`,
    [accounts, mostNamed],
  );
  return rows.map(({ account }) => account);
}
