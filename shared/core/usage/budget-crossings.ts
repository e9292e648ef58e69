import { valueIn } from "../budgets/budget-value.ts";
import { readCounted } from "../budgets/counted.ts";
import { windowAt } from "../budgets/window.ts";
import type { Account, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { Dimensions } from "../offer/value-tree.ts";
import type { BudgetSpend } from "./budget-spend.ts";
import type { ColumnMetering } from "./meter-columns.ts";
import { eventIdAt, NO_DIMENSIONS } from "./usage-columns.ts";

/** Something that is reached once a batch has spent `after` (above 0, at most all) of what it spends there. */
export interface SpendMark {
  readonly spend: BudgetSpend;
  readonly after: MicroCredits;
}

/** The event that reaches a mark, and what the batch has spent there after it. */
export type MarkReached<M extends SpendMark> = M & {
  readonly eventId: string;
  readonly occurredAt: Instant;
  readonly sum: MicroCredits;
};

/** An event as far as budgets know it. */
interface SpentEvent {
  readonly dimensions: Dimensions;
  readonly occurredAt: Instant;
  readonly credits: MicroCredits;
  readonly eventId: () => string;
}

type Drawn = Pick<ColumnMetering, "drawn" | "columns" | "accounts">;

/**
 * Which event of a batch reaches each mark, in the order of the events: the same one however events are batched.
 * The marks of a spend come in ascending order.
 */
export function findReaching<M extends SpendMark>(
  metering: Drawn,
  marks: readonly M[],
): MarkReached<M>[] {
  const accounts = new Map(metering.accounts.map((account) => [account.accountId, account]));
  const byAccount = Map.groupBy(marks, ({ spend }) => spend.accountId);
  return [...byAccount].flatMap(([accountId, ofAccount]) => {
    const account = accounts.get(accountId);
    return account === undefined
      ? []
      : reachedBy(account, eventsOf(metering, accountId), ofAccount);
  });
}

function reachedBy<M extends SpendMark>(
  { budgets, timeZone }: Account,
  events: Iterable<SpentEvent>,
  marks: readonly M[],
): MarkReached<M>[] {
  const sums = new Map<string, { sum: MicroCredits; left: readonly M[] }>();
  for (const [key, left] of Map.groupBy(marks, ({ spend }) => keyOf(spend))) {
    sums.set(key, { sum: 0n, left });
  }
  const counted = readCounted(budgets);
  const reached: MarkReached<M>[] = [];
  for (const { dimensions, occurredAt, credits, eventId } of events) {
    for (const { dimension, window, from } of counted) {
      if (occurredAt < from) continue;
      const value = valueIn(dimensions, dimension);
      const startsAt = windowAt(window, occurredAt, timeZone).start;
      const of = sums.get(keyOf({ dimension, window, startsAt, value }));
      if (of === undefined) continue;
      of.sum += credits;
      const { sum } = of;
      const now = of.left.filter(({ after }) => after <= sum);
      of.left = of.left.slice(now.length);
      for (const mark of now) reached.push({ ...mark, eventId: eventId(), occurredAt, sum });
    }
  }
  return reached;
}

function keyOf({
  dimension,
  window,
  startsAt,
  value,
}: Pick<BudgetSpend, "dimension" | "window" | "startsAt" | "value">): string {
  return JSON.stringify([dimension, window, startsAt, value]);
}

/** An account's events in the order in which they were drawn. */
function* eventsOf({ columns, drawn }: Drawn, accountId: string): Generator<SpentEvent> {
  for (const { event, credits } of drawn) {
    if (event.accountId !== accountId) continue;
    const { dimensions, occurredAt, eventId } = event;
    yield { dimensions, occurredAt, credits, eventId: () => eventId };
  }
  const stretch = columns?.stretches.find(({ account }) => account.accountId === accountId);
  if (columns === null || stretch === undefined) return;
  const { columns: of, order, credits } = columns;
  for (let index = stretch.from; index < stretch.to; ) {
    const place = order[index] ?? 0;
    let sum = 0;
    do {
      sum += credits[index] ?? 0;
      index += 1;
    } while (index < stretch.to && of.goesOn[order[index] ?? 0] === 1);
    yield {
      dimensions: of.names.dimensions.valueOf(of.dimensions[place] ?? NO_DIMENSIONS),
      occurredAt: of.occurredAt[place] ?? 0,
      credits: BigInt(sum),
      eventId: () => eventIdAt(of, place),
    };
  }
}
