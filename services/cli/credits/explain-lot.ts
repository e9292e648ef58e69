import type { AccountId } from "../../../shared/core/line/account.ts";
import type { MicroCredits, Stretch } from "../../../shared/core/line/credit-line.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { findLot, readLosses, useOf } from "../../../shared/ledger/books/granted-lots.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { totalsAcross, usageAcross } from "../../../shared/ledger/usage/explain.ts";
import { chargesAcross, chargeTotalsAcross } from "../../../shared/ledger/usage/explain-charges.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";
import { type Drawn, explainedJson, explainedText } from "./explain-lot-text.ts";

/** Which of the usage records and charges to list. */
export interface Page {
  readonly limit: number;
  /** Only those whose stretch starts after this position. */
  readonly after: MicroCredits;
}

/** The `after` of the first page: positions start at 0. */
export const FIRST_PAGE = -1n;

/** What a lot paid for: by meter, add-on and refund, and one by one. */
export async function explainLot(
  settings: Settings,
  accountId: AccountId,
  lotId: string,
  page: Page,
): Promise<Result> {
  return withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) => {
      const details = await readAccountDetails(transaction, accountId);
      if (details === null) return noAccount(accountId);
      const lot = await findLot(transaction, accountId, lotId);
      if (lot === null) return refused({ kind: "unknown_lot", lotId });
      const losses = await readLosses(transaction, accountId);
      const explained = {
        accountId,
        lot,
        use: useOf(lot, details.account.position, losses),
        meters: await totalsAcross(transaction, accountId, lot),
        charged: await chargeTotalsAcross(transaction, accountId, lot),
        ...(await readDrawn(transaction, accountId, lot, page)),
      };
      return shown(explainedJson(explained), explainedText(explained));
    }),
  );
}

/** Usage and charges draw one line, so a page of both is what starts first of either. */
async function readDrawn(
  transaction: Transaction,
  accountId: AccountId,
  lot: GrantedLot,
  page: Page,
): Promise<Drawn> {
  const oneMore = { ...page, limit: page.limit + 1 };
  const usage = await usageAcross(transaction, accountId, lot, oneMore);
  const charges = await chargesAcross(transaction, accountId, lot, oneMore);
  const starts = [...usage, ...charges]
    .map(({ drawn }) => drawn.start)
    .sort((a, b) => (a < b ? -1 : 1));
  const last = starts.length > page.limit ? (starts[page.limit - 1] ?? null) : null;
  const isOn = ({ drawn }: { readonly drawn: Stretch }) => last === null || drawn.start <= last;
  return { usage: usage.filter(isOn), charges: charges.filter(isOn), nextAfter: last };
}
