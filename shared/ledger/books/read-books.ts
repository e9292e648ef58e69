import type { AccountBook } from "../../core/month/account-book.ts";
import { EMPTY_SCHEDULE } from "../../core/month/subscription.ts";
import type { Queryable } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { readLiveLots } from "./read-lots.ts";
import { readSchedules } from "./schedules.ts";

/** The lots and schedules of accounts, by account. */
export async function readBooks(
  transaction: Queryable,
  accountIds: readonly string[],
): Promise<Map<string, Omit<AccountBook, "account">>> {
  const [lots, schedules] = await together([
    readLiveLots(transaction, accountIds),
    readSchedules(transaction, accountIds),
  ]);
  return new Map(
    accountIds.map((id) => [
      id,
      { lots: lots.get(id) ?? [], schedule: schedules.get(id) ?? EMPTY_SCHEDULE },
    ]),
  );
}
