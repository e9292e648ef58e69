import { type Limits, type Run, usedOf } from "./naive-runs.ts";

/** A record of billing.alerts. */
export interface ToldAlert {
  readonly sequence: bigint;
  readonly kind: string;
  readonly subject: string;
  readonly level: number;
  readonly used: bigint | null;
  readonly cause: string;
}

/**
 * What cannot be of the alerts of agents' budgets, by what runs have used in all: each level that is used was told
 * once, by an event of the agent that brought its sum there; and no other.
 */
export function alertProblems(
  { budgetOf }: Pick<Limits, "budgetOf">,
  runs: readonly Run[],
  percents: readonly number[],
  told: readonly ToldAlert[],
): string[] {
  const problems: string[] = [];
  const records = new Map(told.map((record) => [record.sequence, record]));
  const alerts = [...records.values()];
  if (alerts.some(({ sequence }) => sequence < 1n || sequence > BigInt(alerts.length))) {
    problems.push(`${alerts.length} alerts do not count up from 1`);
  }
  const wanted = [...Map.groupBy(runs, ({ agent }) => agent)].flatMap(([agent, ofAgent]) =>
    percents
      .filter((percent) => usedOf(ofAgent) * 100n >= budgetOf(agent) * BigInt(percent))
      .map((percent) => `budget of agent=${agent} at ${percent} %`),
  );
  const found = alerts.map(({ kind, subject, level }) => `${kind} of ${subject} at ${level} %`);
  if (found.toSorted().join() !== wanted.toSorted().join()) {
    problems.push(`told of ${found.toSorted().join()}, not ${wanted.toSorted().join()}`);
  }
  for (const alert of alerts) {
    const agent = alert.subject.replace("agent=", "");
    const event = alert.cause.replace("event:", "");
    const by = runs.find(({ used }) => used.has(event));
    const credits = by?.used.get(event) ?? 0n;
    const [after, mark] = [(alert.used ?? 0n) * 100n, budgetOf(agent) * BigInt(alert.level)];
    const isReached = after >= mark && after - credits * 100n < mark;
    if (by?.agent !== agent || !isReached) problems.push(`${event} is not what reaches ${mark}`);
  }
  return problems;
}
