import { AUTOMATIC_TOP_UP, REFERENCE, TOP_UP_LOT } from "../../../core/line/reference.ts";
import type { Invariant } from "./invariant.ts";

/** Invariants of top-ups, payments and refunds. */
export const PAYMENT_INVARIANTS: readonly Invariant[] = [
  {
    holds: "one top-up in flight",
    broken: "An account may be charged twice.",
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
  // A line that is full takes no more, or only a part of it.
  {
    holds: "credits that wait for a fee come when it is paid, once, and not before",
    broken: "A fee was paid without its credits, or they came without its payment.",
    accounts: `
      SELECT payment.account_id
      FROM payment
      JOIN account USING (account_id)
      LEFT JOIN lot ON lot.account_id = payment.account_id AND lot.lot_id = brings ->> 'lotId'
      WHERE kind = 'fee' AND brings IS NOT NULL
        AND granted < 9223372036854775807
        AND (status IN ('succeeded', 'invoiced')) <> (lot.credits IS NOT NULL)`,
  },
  // Of a crossing that was restored from the gateway's charges, declined tries are not known.
  {
    holds:
      "an automatic top-up has a published crossing; of its numbered tries at most one is not declined",
    broken: "A top-up was not caused by a low balance, or a crossing was charged twice.",
    accounts: `
      SELECT account_id
      FROM payment JOIN account USING (account_id),
           regexp_match(payment_id, '${REFERENCE.automaticTopUp.pattern}') AS cause
      WHERE kind = 'top_up' AND starts_with(payment_id, '${AUTOMATIC_TOP_UP}')
      GROUP BY account_id, crossings, cause[1]
      HAVING cause[1] IS NULL
          OR cause[1]::bigint > crossings
          OR max(coalesce(cause[2]::integer, 1)) <> count(*) AND count(requested_by) = 0
          OR count(*) FILTER (WHERE status = 'failed') < count(*) - 1`,
  },
  {
    holds: "pending and retrying payments have a next check, and settled ones the instant",
    broken: "A payment is forgotten: it will not be checked again.",
    accounts: `
      SELECT account_id
      FROM payment
      WHERE (status IN ('pending', 'retrying') AND next_try_at IS NULL)
         OR (status IN ('succeeded', 'failed', 'invoiced') AND settled_at IS NULL)`,
  },
  {
    holds: "refunds of a payment do not exceed it, and only paid payments are refunded",
    broken: "More was refunded than was paid.",
    accounts: `
      SELECT refund.account_id
      FROM refund LEFT JOIN payment USING (account_id, payment_id)
      WHERE refund.status = 'posted'
      GROUP BY refund.account_id, refund.payment_id
      HAVING bool_or(payment.status IS DISTINCT FROM 'succeeded')
          OR sum(refund.amount) > min(payment.amount)`,
  },
  {
    holds: "refunds withdrew and reversed what their entries say, and no more than the lot had",
    broken: "The credits of a refund differ from its entries.",
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
];
