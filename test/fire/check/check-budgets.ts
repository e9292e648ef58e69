import { type FireAccount, hasBudgets } from "../load/accounts.ts";
import type { Usage } from "../load/event.ts";
import type { Books } from "./books.ts";
import { type ExpectedUsage, identityOf } from "./expected-usage.ts";
import { type Checked, openFindings } from "./findings.ts";
import { isWholePriced, priceOf } from "./prices.ts";

/** What values have spent in each window, by `account dimension=value window`. */
export type Spent = ReadonlyMap<string, bigint>;

/**
 * What was spent of each budget, from the messages of the topic: each event once, in the window in which it
 * occurred. What leaves parts of a micro-credit costs what the books say of the event. They are believed since
 * when a window counts, too.
 */
export function spentOn(
  { usage, counted }: Pick<Books, "usage" | "counted">,
  { events }: Pick<ExpectedUsage, "events">,
  accounts: readonly FireAccount[],
): Spent {
  const limited = new Set(accounts.filter(hasBudgets).map(({ id }) => id));
  const booked = new Map(usage.map((record) => [identityOf(record), record.credits]));
  const spent = new Map<string, bigint>();
  for (const [identity, [message]] of events) {
    if (message === undefined || !limited.has(message.usage.account_id)) continue;
    const { account_id, meter, quantity, occurred_at, dimensions } = message.usage;
    const credits = isWholePriced(meter) ? priceOf(meter, quantity) : (booked.get(identity) ?? 0n);
    for (const { dimension, window, since } of counted.filter(
      (one) => one.account_id === account_id,
    )) {
      const value = dimensions[dimension] ?? "";
      if (value === "" || occurred_at < since) continue;
      const key = `${account_id} ${dimension}=${value} ${windowOf(window, message.usage)}`;
      spent.set(key, (spent.get(key) ?? 0n) + credits);
    }
  }
  return spent;
}

/** All accounts are in UTC. */
function windowOf(window: string, { occurred_at }: Usage): string {
  if (window === "all") return window;
  return `${window}:${new Date(Number(occurred_at)).toISOString().slice(0, 10)}`;
}

/** What is counted for budgets is what was spent, to the micro-credit. */
export function checkBudgets({ spends }: Pick<Books, "spends">, spent: Spent): Checked {
  const findings = openFindings("what budgets have counted is what was spent");
  const booked = new Map<string, bigint>(
    spends.map(({ account_id, dimension, value, window, starts_on, spent: sum }) => {
      const name = window === "all" ? window : `${window}:${starts_on}`;
      return [`${account_id} ${dimension}=${value} ${name}`, sum];
    }),
  );
  for (const key of new Set([...booked.keys(), ...spent.keys()])) {
    const [is, was] = [booked.get(key) ?? 0n, spent.get(key) ?? 0n];
    if (is !== was) findings.add(`${key} has counted ${is}, not ${was}`);
  }
  return findings.done(spent.size);
}
