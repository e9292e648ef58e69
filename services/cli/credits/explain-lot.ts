import { cursorsOf, type PageRequest, WHOLE } from "../../../shared/contract/cursor.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Stretch } from "../../../shared/core/line/credit-line.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { findLot, readLosses, useOf } from "../../../shared/ledger/books/granted-lots.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import {
  type MeterTotal,
  totalsAcross,
  usageAcross,
} from "../../../shared/ledger/usage/explain.ts";
import { chargesAcross, chargeTotalsAcross } from "../../../shared/ledger/usage/explain-charges.ts";
import {
  lateUsageOf,
  type PaidUsage,
  paidOnLine,
  pastOfLot,
} from "../../../shared/ledger/usage/explain-late.ts";
import { withGrantedBy } from "../../../shared/ledger/usage/granted-by.ts";
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
    const late = await lateUsageOf(transaction, accountId, lotId);
    const [paying] = await withGrantedBy(transaction, accountId, [lot]);
    const explained = {
      accountId,
      lot: { ...lot, grantedBy: paying?.grantedBy ?? null },
      use: useOf(lot, { ...account, at: Date.now() }, losses),
      meters: withLate(await totalsAcross(transaction, accountId, lot), late.usage),
      past: await pastOfLot(transaction, accountId, lot, late),
      charged: await chargeTotalsAcross(transaction, accountId, lot),
      ...(await readDrawn(transaction, accountId, lot, late.usage, page)),
    };
    return shown(explainedLot, toExplainedLot(explained), explainedText(explained));
  });
}

/** Late usage that got the lot's expiry back is not on its stretch. */
function withLate(totals: readonly MeterTotal[], late: readonly PaidUsage[]): MeterTotal[] {
  const byMeter = new Map(totals.map((total) => [total.meter, total]));
  for (const { meter, paid } of late) {
    const { events, credits } = byMeter.get(meter) ?? { events: 0, credits: 0n };
    byMeter.set(meter, { meter, events: events + 1, credits: credits + paid });
  }
  return [...byMeter.values()];
}

/** Usage and charges draw on the same line: a page has the first of both, by where they start. */
async function readDrawn(
  transaction: Transaction,
  accountId: AccountId,
  lot: GrantedLot,
  late: readonly PaidUsage[],
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
  const onLine = usage.filter(isOn).map((record) => paidOnLine(lot, record));
  return {
    ...{ usage: last === null ? [...onLine, ...late] : onLine, charges: charges.filter(isOn) },
    nextCursor: last === null ? null : cursors.of(last),
  };
}
