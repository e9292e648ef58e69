import { REFERENCE } from "../../../core/line/reference.ts";
import type { Invariant } from "./invariant.ts";

/** Invariants of subscriptions and add-ons, month by month. */
export const MONTH_INVARIANTS: readonly Invariant[] = [
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
    broken: "An add-on was in use for a month without its charge.",
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
    broken: "A month's credits are missing or were granted twice.",
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
                          AND (kind = 'suspended'
                               OR (kind = 'subscribed' AND detail ? 'waits')))`,
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
  // In a year whose price has risen, the months before were cheaper. A first month may cost its days, also
  // while a suspended subscription has come to later periods.
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
             OR (charged < paid_price AND interval = 'month'
                 AND NOT (paid_until = 1 AND first_days < first_of_days))
             OR (charged = 0 AND paid_price >= 12 * coalesce(first_of_days, 1)))`,
  },
  {
    holds: "every month's credits are charged for",
    broken: "A month's credits were granted without a fee that pays for them.",
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
];
