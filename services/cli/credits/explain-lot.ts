import { cursorsOf, type PageRequest, WHOLE } from "../../../shared/contract/cursor.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Stretch } from "../../../shared/core/line/credit-line.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { findLot, readLosses, useOf } from "../../../shared/ledger/books/granted-lots.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { totalsAcross, usageAcross } from "../../../shared/ledger/usage/explain.ts";
import { chargesAcross, chargeTotalsAcross } from "../../../shared/ledger/usage/explain-charges.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { type Drawn, explainedLot, explainedText, toExplainedLot } from "./explain-lot-text.ts";

const cursors = cursorsOf("lot_draws", [WHOLE]);

/** Shows what a lot paid for: totals by meter, add-on and refund, and a page of single draws. */
export function explainLot(
  settings: Settings,
  accountId: AccountId,
  lotId: string,
  page: PageRequest,
): Promise<Result> {
  return readAccountBooks(settings, accountId, async (transaction, { account }) => {
    const lot = await findLot(transaction, accountId, lotId);
    if (lot === null) return refused({ kind: "unknown_lot", lotId });
    const losses = await readLosses(transaction, accountId);
    const explained = {
      accountId,
      lot,
      use: useOf(lot, { ...account, at: Date.now() }, losses),
      meters: await totalsAcross(transaction, accountId, lot),
      charged: await chargeTotalsAcross(transaction, accountId, lot),
      ...(await readDrawn(transaction, accountId, lot, page)),
    };
    return shown(explainedLot, toExplainedLot(explained), explainedText(explained));
  });
}

/** Usage and charges draw on the same line: a page has the first of both, by where they start. */
async function readDrawn(
  transaction: Transaction,
  accountId: AccountId,
  lot: GrantedLot,
  { limit, cursor }: PageRequest,
): Promise<Drawn> {
  // Positions start at 0.
  const [after = "-1"] = cursors.read(cursor) ?? [];
  const oneMore = { after: BigInt(after), limit: limit + 1 };
  const usage = await usageAcross(transaction, accountId, lot, oneMore);
  const charges = await chargesAcross(transaction, accountId, lot, oneMore);
  const starts = [...usage, ...charges]
    .map(({ drawn }) => drawn.start)
    .sort((a, b) => (a < b ? -1 : 1));
  const last = starts.length > limit ? (starts[limit - 1] ?? null) : null;
  const isOn = ({ drawn }: { readonly drawn: Stretch }) => last === null || drawn.start <= last;
  return {
    ...{ usage: usage.filter(isOn), charges: charges.filter(isOn) },
    nextCursor: last === null ? null : cursors.of(last),
  };
}
