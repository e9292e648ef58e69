import { noShortage, type Recorded } from "../../core/history/post-recorded.ts";
import { replayColumns } from "../../core/history/replay-usage.ts";
import type { ColumnContext } from "../../core/usage/draw-columns.ts";
import { readBooks } from "../books/read-books.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import type { DebitOutcome, UsageBatch } from "../usage/batch.ts";
import { readCarried } from "../usage/carried.ts";
import { type ReadRates, readUsage } from "../usage/debit-usage.ts";
import { exactlyOnce } from "../usage/exactly-once.ts";
import { findRecorded } from "../usage/records.ts";
import { postReplayed } from "./post-replayed.ts";
import type { RecordedEntries } from "./recorded-entries.ts";

/**
 * Meters a batch again, exactly once, into a database that `beginReplay` has prepared. Before each event
 * it posts the recorded entries instead of settling. Nothing is published again.
 */
export function replayBatch(
  target: Database,
  { readRates, recorded }: { readonly readRates: ReadRates; readonly recorded: RecordedEntries },
  batch: UsageBatch,
): Promise<DebitOutcome> {
  return exactlyOnce(target, batch, async (transaction, once) => {
    const usage = await readUsage(transaction, readRates, once);
    let context: Context = {
      ...usage,
      carried: await readCarried(transaction, usage.rates, once.groups),
      books: new Map(),
      histories: await recorded.next(usage.accounts.values()),
      starts: new Map(),
      short: noShortage(),
    };
    let { lookUp } = once;
    for (;;) {
      const metering = replayColumns(once.groups, context);
      const { ofEntries, ofLots, ofStarts } = context.short;
      if (ofEntries.size + ofLots.size + ofStarts.size > 0) {
        context = await readMore(transaction, recorded, context);
      } else if (!lookUp && metering.rejected.length > 0) {
        // Rejected events never reach the unique key, so whether one is a repeat is looked up.
        const rejected = metering.rejected.map(({ event }) => event);
        const found = await findRecorded(transaction, rejected);
        context = { ...context, recorded: new Map([...context.recorded, ...found]) };
        lookUp = true;
      } else {
        const { histories } = context;
        const isPosted = await postReplayed(transaction, metering, histories, usage.accounts);
        // Holds are copied as they were, with what was used of them.
        return isPosted ? { ...metering, holdsUsed: null, written: null } : null;
      }
    }
  });
}

type Context = Omit<ColumnContext, "expired" | "mayPost"> & Recorded;

/** Reads what the last try at the batch found missing. */
async function readMore(
  transaction: Transaction,
  recorded: RecordedEntries,
  context: Context,
): Promise<Context> {
  const { ofEntries, ofLots, ofStarts } = context.short;
  const { accounts, books, histories, starts } = context;
  return {
    ...context,
    histories: ofEntries.size > 0 ? await recorded.next(accounts.values(), ofEntries) : histories,
    books: new Map([...books, ...(await readBooks(transaction, [...ofLots]))]),
    starts: new Map([...starts, ...(await recorded.starts([...ofStarts]))]),
    short: noShortage(),
  };
}
