import { ColumnDrawing, type DrawnColumns } from "./draw-columns.ts";
import type { Metering } from "./events-in-batch.ts";
import { type AccountGroups, forEachAccount, groupByAccount } from "./group-columns.ts";
import { type MeteringContext, meterUsage } from "./meter-usage.ts";
import { eventAt } from "./usage-columns.ts";
import { identityOf, isSameEvent, type ReceivedEvent } from "./usage-event.ts";

/** Everything that events in columns do to the books. */
export interface ColumnMetering extends Metering<ReceivedEvent> {
  /** What was drawn besides `drawn`, by accounts to which nothing else happened; null: nothing. */
  readonly columns: DrawnColumns | null;
}

/**
 * Meters events as `meterUsage` does: every step depends on an event and its account alone, so each account
 * is metered by itself, in columns where it only draws, and event by event where more may happen.
 */
export function meterColumns(groups: AccountGroups, context: MeteringContext): ColumnMetering {
  const { fresh, repeats, conflicting } = withoutRepeats(groups, context.recorded);
  const drawing = new ColumnDrawing(fresh, context, conflicting);
  const others: number[] = [];
  forEachAccount(fresh, (accountId, ofAccount, from) => {
    if (drawing.draw(accountId, from, from + ofAccount.length)) return;
    for (const place of ofAccount) others.push(place);
  });
  const places = Int32Array.from(others).sort();
  const events = Array.from(places, (place) => eventAt(groups.columns, place));
  const metering = meterUsage(events, context);
  return {
    ...metering,
    repeats: repeats + metering.repeats,
    columns: drawing.drawn,
    accounts: [...drawing.accounts, ...metering.accounts],
    spends: [...drawing.spends, ...metering.spends],
    carried: [...drawing.carried, ...metering.carried],
  };
}

/** The events without those that are metered already, and the accounts that have a conflict with one. */
function withoutRepeats(
  groups: AccountGroups,
  recorded: MeteringContext["recorded"],
): {
  readonly fresh: AccountGroups;
  readonly repeats: number;
  readonly conflicting: ReadonlySet<string> | null;
} {
  if (recorded === null) return { fresh: groups, repeats: 0, conflicting: null };
  const conflicting = new Set<string>();
  if (recorded.size === 0) return { fresh: groups, repeats: 0, conflicting };
  const { columns, order } = groups;
  const accounts = new Set(recorded.values().map(({ accountId }) => accountId));
  const left: number[] = [];
  forEachAccount(groups, (accountId, places) => {
    for (const place of places) {
      const event = accounts.has(accountId) ? eventAt(columns, place) : null;
      const before = event === null ? undefined : recorded.get(identityOf(event));
      if (event === null || before === undefined) left.push(place);
      else if (!isSameEvent(before, event)) {
        conflicting.add(accountId);
        left.push(place);
      }
    }
  });
  const repeats = order.length - left.length;
  const fresh = repeats === 0 ? groups : groupByAccount(columns, Int32Array.from(left));
  return { fresh, repeats, conflicting };
}
