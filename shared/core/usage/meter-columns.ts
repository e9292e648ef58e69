import { type ColumnContext, ColumnDrawing, type DrawnColumns } from "./draw-columns.ts";
import type { Metering } from "./events-in-batch.ts";
import { type AccountGroups, forEachAccount } from "./group-columns.ts";
import { meterUsage } from "./meter-usage.ts";
import { eventAt } from "./usage-columns.ts";
import type { ReceivedEvent } from "./usage-event.ts";

/** Everything that events in columns do to the books. */
export interface ColumnMetering extends Metering<ReceivedEvent> {
  /** What was drawn besides `drawn`, by accounts to which nothing else happened; null: nothing. */
  readonly columns: DrawnColumns | null;
}

/**
 * Meters events as `meterUsage` does: every step depends on an event and its account alone, so each account
 * is metered by itself, in columns where it only draws, and event by event where more may happen.
 */
export function meterColumns(groups: AccountGroups, context: ColumnContext): ColumnMetering {
  const drawing = new ColumnDrawing(groups, context);
  const others: number[] = [];
  forEachAccount(groups, (accountId, ofAccount, from) => {
    if (drawing.draw(accountId, from, from + ofAccount.length)) return;
    for (const place of ofAccount) others.push(place);
  });
  const places = Int32Array.from(others).sort();
  const events = Array.from(places, (place) => eventAt(groups.columns, place));
  const metering = meterUsage(events, context);
  return {
    ...metering,
    repeats: drawing.repeats + metering.repeats,
    columns: drawing.drawn,
    accounts: [...drawing.accounts, ...metering.accounts],
    spends: [...drawing.spends, ...metering.spends],
    carried: [...drawing.carried, ...metering.carried],
  };
}
