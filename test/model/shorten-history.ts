import type { MonthHistory } from "./month-history.ts";

/**
 * The shortest history found that still fails: accounts are dropped first, then steps, from half of them
 * at a time down to one, until none can be dropped. `fails` must be true of `history` itself; it is
 * called at most `tries` times.
 */
export async function shorten(
  history: MonthHistory,
  fails: (shorter: MonthHistory) => boolean | Promise<boolean>,
  { tries = 5_000 } = {},
): Promise<MonthHistory> {
  let left = tries;
  const ask = async (shorter: MonthHistory) => {
    left -= 1;
    return left >= 0 && (await fails(shorter));
  };
  const accounts = await fewest(history.accounts, (some) => ask(onlyOf(history, some)));
  const fewer = onlyOf(history, accounts);
  const steps = await fewest(fewer.steps, (some) => ask({ ...fewer, steps: some }));
  return { ...fewer, steps };
}

/** The history as a TypeScript expression to paste into a test. */
export function historyAsCode({ seed, accounts, steps }: MonthHistory): string {
  return [
    "{",
    `  seed: ${seed},`,
    "  accounts: [",
    ...accounts.map((account) => `    ${asCode(account)},`),
    "  ],",
    "  steps: [",
    ...steps.map((step) => `    ${asCode(step)},`),
    "  ],",
    "}",
  ].join("\n");
}

/** The history restricted to some of its accounts. */
export function onlyOf(history: MonthHistory, accounts: MonthHistory["accounts"]): MonthHistory {
  const ids = new Set(accounts.map(({ id }) => id));
  const steps = history.steps.filter((step) => !("account" in step) || ids.has(step.account));
  return { ...history, accounts, steps };
}

async function fewest<T>(
  items: readonly T[],
  fails: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = items;
  for (let size = Math.ceil(items.length / 2); size >= 1; ) {
    const before = kept.length;
    for (let from = 0; from < kept.length; ) {
      const without = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (await fails(without)) kept = without;
      else from += size;
    }
    if (size === 1 && kept.length === before) break;
    size = Math.max(1, Math.floor(size / 2));
  }
  return kept;
}

function asCode(value: object): string {
  const fields = Object.entries(value).map(([name, field]) => {
    if (typeof field === "object" && field !== null) return `${name}: ${asCode(field)}`;
    if (name === "at" || name === "occurredAt") {
      return `${name}: Date.parse("${new Date(Number(field)).toISOString()}")`;
    }
    return `${name}: ${JSON.stringify(field)}`;
  });
  return `{ ${fields.join(", ")} }`;
}
