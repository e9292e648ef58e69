import type { AccountId, Instant } from "../../core/line/account.ts";
import { type Shortage, shortageOf } from "../../core/payments/shortage.ts";
import { queryRow, type Transaction } from "../postgres/database.ts";
import { readAutoTopUpState } from "./auto-top-up-state.ts";
import { readPaymentMethod } from "./methods.ts";
import { readSubscription } from "./read-subscription.ts";

const IN_FLIGHT = `
  SELECT FROM payment
  WHERE account_id = $1 AND kind = 'top_up' AND status = 'pending'
  LIMIT 1`;

/** Why an account has too few credits; null: there is no such account. */
export async function readShortage(
  transaction: Transaction,
  accountId: AccountId,
  now: Instant,
): Promise<Shortage | null> {
  const details = await readSubscription(transaction, accountId);
  if (details === null) return null;
  const { auto, charged } = await readAutoTopUpState(transaction, details.account, now);
  const method = await readPaymentMethod(transaction, accountId);
  const pending = await queryRow(transaction, IN_FLIGHT, [accountId]);
  return shortageOf({
    ...details,
    ...{ auto, spent: charged, now },
    ...{ hasMethod: method !== null, inFlight: pending !== null },
  });
}
