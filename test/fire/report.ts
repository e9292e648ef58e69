import type { FireResult } from "./run-fire.ts";
import { seconds } from "./run-fire.ts";

const SERVICES = ["metering", "top-up", "scheduler", "api"];

/** The result as text: options, what was published, faults with their recoveries, and what was compared. */
export function reportText(result: FireResult): string {
  const { plan, published, checked, failures } = result;
  const options = { ...plan.options, only: plan.options.only ?? "all kinds" };
  return [
    "",
    `Options: ${Object.entries(options)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}`,
    `Published: ${[...published].map(([kind, count]) => `${kind} ${count}`).join(", ")}`,
    "",
    ...recoveryTable(result),
    "",
    ...countedLines(result),
    "",
    ...checked.map(({ what, looked, findings }) => {
      return `${findings.length === 0 ? "ok    " : "WRONG "} ${what} (${looked})`;
    }),
    "",
    ...failures.map((failure) => `FAILED ${failure}`),
    failures.length === 0
      ? "Nothing lost, nothing twice, always back by itself."
      : `${failures.length} failures. Run it again with --seed ${plan.options.seed}.`,
  ].join("\n");
}

/**
 * The longest recovery of each service after each kind. In a round of several faults each of them
 * counts with the recovery of all.
 */
function recoveries({ rounds }: FireResult) {
  const kinds = new Map<string, { times: number; bound: number; longest: Map<string, number> }>();
  for (const { round, recovery } of rounds) {
    for (const { kind } of round) {
      const known = kinds.get(kind.name) ?? {
        ...{ times: 0, bound: kind.backWithin, longest: new Map<string, number>() },
      };
      known.times += 1;
      for (const [service, ms] of recovery.byService) {
        known.longest.set(service, Math.max(ms, known.longest.get(service) ?? 0));
      }
      kinds.set(kind.name, known);
    }
  }
  return kinds;
}

function recoveryTable(result: FireResult): string[] {
  const rows = [...recoveries(result)].map(([name, { times, bound, longest }]) => [
    ...[name, String(times), `${bound} s`],
    ...SERVICES.map((service) => seconds(longest.get(service) ?? 0)),
  ]);
  const table = [["fault", "times", "back within", ...SERVICES], ...rows];
  const widths = table[0]?.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  return table.map((row) => row.map((cell, at) => cell.padEnd(widths?.[at] ?? 0)).join("  "));
}

/** What was hit, of the kinds that count it. */
function countedLines({ counted }: FireResult): string[] {
  return [...counted].flatMap(([{ name, counts }, count]) =>
    counts === undefined ? [] : [`${name}: ${counts}: ${count}`],
  );
}

/** The same for machines. */
export function reportJson(result: FireResult): string {
  const { plan, published, counted, checked, failures, history } = result;
  return JSON.stringify(
    {
      options: plan.options,
      published: Object.fromEntries(published),
      faults: [...recoveries(result)].map(([name, { times, bound, longest }]) => ({
        ...{ fault: name, times, back_within_seconds: bound },
        longest_recovery_ms: Object.fromEntries(
          [...longest].map(([service, ms]) => [
            service,
            Number.isFinite(ms) ? Math.round(ms) : null,
          ]),
        ),
      })),
      counted: [...counted].flatMap(([{ name: fault, counts: what }, count]) =>
        what === undefined ? [] : [{ fault, what, count }],
      ),
      ...{ checked, failures, history },
    },
    null,
    2,
  );
}
