import type { Account } from "../line/account.ts";
import { isDue } from "../month/account-book.ts";
import { type ColumnContext, ColumnDrawing, type DrawnColumns } from "./draw-columns.ts";
import type { Metering } from "./events-in-batch.ts";
import { type AccountGroups, forEachAccount } from "./group-columns.ts";
import { type MeteringContext, meterUsage } from "./meter-usage.ts";
import { eventAt, firstLines } from "./usage-columns.ts";
import type { ReceivedEvent } from "./usage-event.ts";

/** Everything that events in columns do to the books. */
export interface ColumnMetering extends Metering<ReceivedEvent> {
  /** What was drawn besides `drawn`, by accounts to which nothing else happened; null: nothing. */
  readonly columns: DrawnColumns | null;
}

/** What events in columns are metered with. */
export type ColumnMeteringContext = MeteringContext & Pick<ColumnContext, "mayRepeat">;

/** Meters events as `meterUsage` does. */
export function meterColumns(
  groups: AccountGroups,
  context: ColumnMeteringContext,
): ColumnMetering {
  const { now } = context;
  const drawing = { ...context, mayPost: (account: Account) => isDue(account, now) };
  return inColumns(groups, drawing, (events) => meterUsage(events, context));
}

/**
 * Every step of metering depends on an event and its account alone, so each account is metered by itself: in
 * columns where it only draws, and by `meterRest`, event by event, where more may happen.
 */
export function inColumns(
  groups: AccountGroups,
  context: ColumnContext,
  meterRest: (events: readonly ReceivedEvent[]) => Metering<ReceivedEvent>,
): ColumnMetering {
  const drawing = new ColumnDrawing(groups, context);
  const others: number[] = [];
  forEachAccount(groups, (accountId, ofAccount, from) => {
    if (drawing.draw(accountId, from, from + ofAccount.length)) return;
    for (const place of ofAccount) others.push(place);
  });
  const places = firstLines(groups.columns, Int32Array.from(others).sort());
  const events = Array.from(places, (place) => eventAt(groups.columns, place));
  const metering = meterRest(events);
  return {
    ...metering,
    repeats: drawing.repeats + metering.repeats,
    columns: drawing.drawn,
    accounts: [...drawing.accounts, ...metering.accounts],
    spends: [...drawing.spends, ...metering.spends],
    carried: [...drawing.carried, ...metering.carried],
  };
}
