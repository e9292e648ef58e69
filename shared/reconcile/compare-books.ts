import type { RecordedUsage } from "../core/history/verify-usage.ts";
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

const MOST_ACCOUNTS_PER_INVARIANT = 1_000;

/**
 * Checks the books on their own: each account's line with its records and entries, entries with lots,
 * lots with payments, and every invariant. `found` are the differences between topics and books; what
 * they explain is not reported again. `isCutOff`: there are more of them than are listed.
 */
export async function compareBooks(
  { transaction, accountId }: { transaction: Transaction; accountId: AccountId | null },
  found: readonly Found[],
  isCutOff: boolean,
): Promise<(BooksDifference | PublicationDifference)[]> {
  const differences: (BooksDifference | PublicationDifference)[] = [];
  const entries = new Set(
    found.flatMap((difference) =>
      difference.kind === "missing_entry" ? [`${difference.accountId}/${difference.sequence}`] : [],
    ),
  );
  for (const missing of await findMissingEntries(transaction, accountId)) {
    if (entries.has(`${missing.accountId}/${missing.sequence}`)) continue;
    const notOnTopic = { published: null, isCounted: true, isContradicted: false };
    differences.push({ kind: "missing_entry", ...missing, ...notOnTopic });
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
    ({ invariant: { holds, broken: means }, accounts }) => {
      for (const account of accounts) {
        if (suspected.has(account)) continue;
        differences.push({ kind: "broken_invariant", accountId: account, holds, means });
      }
    },
    MOST_ACCOUNTS_PER_INVARIANT,
  );
  for (const charge of await listUnmatched(transaction, accountId)) {
    differences.push({ kind: "unmatched_charge", ...charge });
  }
  return differences;
}

/** How far the found differences put each account's position ahead of its records and entries. */
function explainedBy(found: readonly (Found | BooksDifference)[]): Map<string, MicroCredits> {
  const ahead = new Map<string, MicroCredits>();
  for (const { accountId, credits } of found.flatMap(aheadBy)) {
    ahead.set(accountId, (ahead.get(accountId) ?? 0n) + credits);
  }
  return ahead;
}

function aheadBy(found: Found | BooksDifference): { accountId: string; credits: MicroCredits }[] {
  switch (found.kind) {
    case "missing_record":
      if (found.onLine === null) return [];
      return [{ ...found.event, credits: found.onLine.credits - found.onLine.givenBack }];
    case "extra_record":
      return found.isDrawn ? [] : [{ ...found.record, credits: -drawnOf(found.record) }];
    case "other_price":
    case "other_content":
    case "other_account":
      if (found.onLine === null) return [];
      return [
        {
          ...("event" in found ? found.event : found.record),
          credits: found.onLine.credits - found.onLine.givenBack,
        },
        { ...found.record, credits: -drawnOf(found.record) },
      ];
    case "missing_entry":
      return found.published === null ? [] : [{ ...found, credits: drawnBy(found.published) }];
    default:
      return [];
  }
}

/** How many micro-credits of the line a record drew. */
function drawnOf({ credits, givenBack }: RecordedUsage): MicroCredits {
  return credits - givenBack;
}

/** How many micro-credits of the line an entry drew. */
function drawnBy({ kind, credits, lotId }: PublishedEntry): MicroCredits {
  // Credits given back to late usage are behind the position.
  if (kind === "reversal" && credits > 0n) return 0n;
  const draws = kind === "add_on_charge" || kind === "reversal" || kind === "expiry";
  return draws || (kind === "adjustment" && lotId === null) ? -credits : 0n;
}
