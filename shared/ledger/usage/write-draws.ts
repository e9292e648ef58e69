import type { Account, Instant } from "../../core/line/account.ts";
import type { Draw } from "../../core/usage/account-in-batch.ts";
import type { EventName } from "../../core/usage/usage-event.ts";
import type { Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";

const INTO = {
  table: "draw",
  columns: "account_id, start_position, version, end_position, event_ids, sources, drawn_at",
};

/**
 * Writes what a transaction drew from each account. `accounts` are the accounts before it: a draw has
 * the version that the transaction gives its account.
 */
export async function writeDraws(
  transaction: Transaction,
  draws: readonly Draw[],
  accounts: readonly Account[],
  drawnAt: Instant,
): Promise<void> {
  const versions = new Map(accounts.map((account) => [account.accountId, account.version + 1n]));
  await insertRows(transaction, INTO, draws, (rows, { accountId, start, end, events }) => {
    rows.text(accountId);
    rows.int8(start);
    rows.int8(versions.get(accountId) ?? 0n);
    rows.int8(end);
    rows.textArray(events.map(({ eventId }) => eventId));
    rows.textArray(sourcesOf(events));
    rows.timestamptz(drawnAt);
  });
}

/** The source of each event, or one for all of them, as is usual. */
function sourcesOf(events: readonly EventName[]): string[] {
  const sources = events.map(({ source }) => source);
  const [first] = sources;
  return first !== undefined && sources.every((source) => source === first) ? [first] : sources;
}
