import type { MicroCredits } from "../line/credit-line.ts";
import type { ColumnMetering } from "./meter-columns.ts";
import { NO_HOLD } from "./usage-columns.ts";
import type { UsageEvent } from "./usage-event.ts";

/** What the events of a batch that name a hold of their account cost. */
export interface HoldCredits extends Pick<UsageEvent, "accountId"> {
  readonly holdId: string;
  readonly credits: MicroCredits;
}

/** What a batch drew under the names of holds, once for each of them, in the order in which they were first named. */
export function holdCredits({
  drawn,
  columns,
}: Pick<ColumnMetering, "drawn" | "columns">): HoldCredits[] {
  const named = new Map<string, HoldCredits>();
  for (const { event, credits } of drawn) {
    const { accountId, holdId } = event;
    if (holdId === null) continue;
    const key = `${accountId}\0${holdId}`;
    const before = named.get(key)?.credits ?? 0n;
    named.set(key, { accountId, holdId, credits: before + credits });
  }
  return [...named.values(), ...creditsInColumns(columns)];
}

function creditsInColumns(drawn: ColumnMetering["columns"]): HoldCredits[] {
  if (drawn === null || !drawn.columns.isAnyHold) return [];
  const { order, credits, stretches } = drawn;
  const { names, hold } = drawn.columns;
  return stretches.flatMap(({ account: { accountId }, from, to }) => {
    const sums = new Map<number, number>();
    for (let index = from; index < to; index += 1) {
      const number = hold[order[index] ?? 0] ?? NO_HOLD;
      if (number !== NO_HOLD) sums.set(number, (sums.get(number) ?? 0) + (credits[index] ?? 0));
    }
    return Array.from(sums, ([number, sum]) => {
      return { accountId, holdId: names.holds.valueOf(number), credits: BigInt(sum) };
    });
  });
}
