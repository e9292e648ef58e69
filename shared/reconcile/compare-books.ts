import type { AccountId } from "../core/line/account.ts";
import type { MicroCredits } from "../core/line/credit-line.ts";
import { listUnmatched } from "../ledger/payments/charges-at-gateway.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import { findBroken } from "../ledger/proof/invariants.ts";
import {
  findMissingEntries,
  findMissingLots,
  findMovedPositions,
  findUngrantedTopUps,
} from "../ledger/proof/verify-books.ts";
import type { PublishedEntry } from "../ledger/proof/verify-published.ts";
import {
  accountsOf,
  type BooksDifference,
  type Found,
  type PublicationDifference,
} from "./difference.ts";

/** Accounts named of each invariant that does not hold. */
const MOST_NAMED = 1_000;

/**
 * Holds the books against themselves: each account's line against its records and entries, entries
 * against lots, lots against payments, and every invariant. `found` are the differences of usage and of
 * what was told: what they explain is not said again. `isCutOff`: there are more than are listed.
 */
export async function compareBooks(
  { transaction, accountId }: { transaction: Transaction; accountId: AccountId | null },
  found: readonly Found[],
  isCutOff: boolean,
): Promise<(BooksDifference | PublicationDifference)[]> {
  const differences: (BooksDifference | PublicationDifference)[] = [];
  const entries = new Set(
    found.flatMap((one) =>
      one.kind === "missing_entry" ? [`${one.accountId}/${one.sequence}`] : [],
    ),
  );
  for (const missing of await findMissingEntries(transaction, accountId)) {
    if (entries.has(`${missing.accountId}/${missing.sequence}`)) continue;
    differences.push({ kind: "missing_entry", ...missing, told: null });
  }
  for (const lot of await findMissingLots(transaction, accountId)) {
    differences.push({ kind: "missing_lot", ...lot });
  }
  for (const topUp of await findUngrantedTopUps(transaction, accountId)) {
    differences.push({ kind: "ungranted_top_up", ...topUp });
  }
  const explained = explainedBy([...found, ...differences]);
  for (const moved of isCutOff ? [] : await findMovedPositions(transaction, accountId)) {
    const by = moved.by - (explained.get(moved.accountId) ?? 0n);
    if (by !== 0n) differences.push({ kind: "position_moved", ...moved, by });
  }
  const suspected = new Set([...found, ...differences].flatMap(accountsOf));
  await findBroken(
    transaction,
    accountId === null ? "%" : accountId.replaceAll(/[\\%_]/g, "\\$&"),
    ({ invariant, accounts }) => {
      for (const account of accounts) {
        if (suspected.has(account)) continue;
        const { holds, broken: means } = invariant;
        differences.push({ kind: "broken_invariant", accountId: account, holds, means });
      }
    },
    MOST_NAMED,
  );
  for (const charge of await listUnmatched(transaction, accountId)) {
    differences.push({ kind: "unmatched_charge", ...charge });
  }
  return differences;
}

/** How far the found differences put each account's position ahead of its records and entries. */
function explainedBy(found: readonly (Found | BooksDifference)[]): Map<string, MicroCredits> {
  const ahead = new Map<string, MicroCredits>();
  for (const one of found) {
    for (const { accountId, credits } of aheadBy(one)) {
      ahead.set(accountId, (ahead.get(accountId) ?? 0n) + credits);
    }
  }
  return ahead;
}

function aheadBy(one: Found | BooksDifference): { accountId: string; credits: MicroCredits }[] {
  switch (one.kind) {
    case "missing_record":
      return one.onLine === null ? [] : [{ ...one.event, credits: one.credits }];
    case "extra_record":
      return one.isDrawn ? [] : [{ ...one.record, credits: -one.record.credits }];
    case "other_price":
    case "other_content":
    case "other_account":
      if (one.onLine === null || one.credits === null) return [];
      return [
        { ...("event" in one ? one.event : one.record), credits: one.credits },
        { ...one.record, credits: -one.record.credits },
      ];
    case "missing_entry":
      return one.told === null ? [] : [{ ...one, credits: drawnBy(one.told) }];
    default:
      return [];
  }
}

/** What an entry drew of the line. */
function drawnBy({ kind, credits, lotId }: PublishedEntry): MicroCredits {
  const draws = kind === "add_on_charge" || kind === "reversal" || kind === "expiry";
  return draws || (kind === "adjustment" && lotId === null) ? -credits : 0n;
}
