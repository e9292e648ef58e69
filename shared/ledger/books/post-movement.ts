import type { Instant } from "../../core/line/account.ts";
import type { Movement } from "../../core/month/movement.ts";
import { queueBalanceChanges } from "../outbox/balance-changes.ts";
import { putInOutbox } from "../outbox/outbox.ts";
import { creditsPostedRecord, lowBalanceRecord } from "../outbox/records.ts";
import type { Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { insertLots } from "./granted-lots.ts";
import { insertFees } from "./insert-fees.ts";
import { moveLots } from "./move-lots.ts";
import { postEntries } from "./post-entries.ts";
import { recordChanges, writeSchedules } from "./schedules.ts";
import { type AccountsRead, type HoldsTaken, updateAccounts } from "./update-accounts.ts";

/**
 * Writes the movement of a transaction and the records to publish. Null: an account had moved since it
 * was read, and the transaction has failed; roll back and run again. Where most accounts only draw, `read`
 * makes that cheaper; `taken` and what is returned: see `updateAccounts`.
 *
 * The account rows are written first, so that a second writer of an account waits there: writers of
 * other rows could otherwise wait for each other. The rest is sent without waiting for that answer.
 */
export async function postMovement(
  transaction: Transaction,
  movement: Movement,
  now: Instant,
  read?: AccountsRead,
  taken?: HoldsTaken,
): Promise<readonly string[] | null> {
  const updated = updateAccounts(transaction, movement.accounts, read, taken);
  const written = writeRest(transaction, movement, now);
  written.catch(() => undefined);
  const otherHolds = await updated;
  if (otherHolds === null) return null;
  await written;
  return otherHolds;
}

async function writeRest(
  transaction: Transaction,
  movement: Movement,
  now: Instant,
): Promise<void> {
  const { accounts, entries, lowBalances } = movement;
  await together([
    insertLots(transaction, movement.granted),
    moveLots(transaction, movement.movedLots),
    postEntries(transaction, entries, accounts, ({ postedBy = null }) => ({
      ...{ at: now, by: postedBy },
    })),
    writeSchedules(transaction, movement.schedules),
    recordChanges(transaction, movement.changes),
    insertFees(transaction, movement.fees, now),
    putInOutbox(transaction, [
      ...entries.map((entry) => creditsPostedRecord(entry, now)),
      ...lowBalances.map(lowBalanceRecord),
    ]),
    queueBalanceChanges(transaction, accounts),
  ]);
}
