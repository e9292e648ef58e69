import type { Instant } from "../../core/line/account.ts";
import type { Movement } from "../../core/month/movement.ts";
import { queueBalanceChanges } from "../outbox/balance-changes.ts";
import { putInOutbox } from "../outbox/outbox.ts";
import { creditsPostedRecord, lowBalanceRecord } from "../outbox/records.ts";
import type { Transaction } from "../postgres/database.ts";
import { insertLots } from "./granted-lots.ts";
import { insertFees } from "./insert-fees.ts";
import { moveLots } from "./move-lots.ts";
import { postEntries } from "./post-entries.ts";
import { recordChanges, writeSchedules } from "./schedules.ts";
import { updateAccounts } from "./update-accounts.ts";

/**
 * Writes the movement of a transaction and the records to publish. False: an account had moved since it
 * was read; roll back and run again.
 *
 * The account rows are written first, so that a second writer of an account waits there: writers of
 * other rows could otherwise wait for each other.
 */
export async function postMovement(
  transaction: Transaction,
  movement: Movement,
  now: Instant,
): Promise<boolean> {
  const { accounts, entries, lowBalances } = movement;
  if (!(await updateAccounts(transaction, accounts))) return false;
  await insertLots(transaction, movement.granted);
  await moveLots(transaction, movement.movedLots);
  await postEntries(transaction, entries, accounts, ({ postedBy = null }) => ({
    ...{ at: now, by: postedBy },
  }));
  await writeSchedules(transaction, movement.schedules);
  await recordChanges(transaction, movement.changes);
  await insertFees(transaction, movement.fees, now);
  await putInOutbox(transaction, [
    ...entries.map((entry) => creditsPostedRecord(entry, now)),
    ...lowBalances.map(lowBalanceRecord),
  ]);
  await queueBalanceChanges(transaction, accounts);
  return true;
}
