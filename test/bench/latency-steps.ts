import type { Figure } from "./figure.ts";
import { quantile } from "./statistics.ts";
import type { Breakdown } from "./trace.ts";

/** A line a step of the latency: p99 over the events, beside p50 and the mean of the slowest events. */
export function stepFigures({ steps, total, busy, collecting }: Breakdown): Figure[] {
  const slowest = slowestOf(total);
  const line = (name: string, ms: readonly number[]): Figure => {
    const sorted = [...ms].sort((a, b) => a - b);
    const mean = slowest.reduce((sum, at) => sum + (ms[at] ?? 0), 0) / slowest.length;
    return {
      name,
      value: quantile(sorted, 0.99),
      unit: "ms",
      beside: {
        name: `in the slowest 1 % ${mean.toFixed(1)}, p50`,
        value: quantile(sorted, 0.5),
      },
    };
  };
  return [
    line("traced, publish to commit", total),
    ...[...steps].map(([name, ms]) => line(`  of it ${name}`, ms)),
    line("  meanwhile, thread busy from hand-over on", busy),
    line("  meanwhile, garbage collection", collecting),
  ];
}

function slowestOf(total: readonly number[]): number[] {
  const order = total.map((_, at) => at).sort((a, b) => (total[b] ?? 0) - (total[a] ?? 0));
  return order.slice(0, Math.max(1, Math.round(total.length / 100)));
}
