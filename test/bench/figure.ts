import { styleText } from "node:util";
import type { Run } from "./consume.ts";
import type { CpuSeconds } from "./cpu.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/** A figure's target: for its ratio where it has one, unless the value itself is meant. */
type Target = ({ readonly atLeast: number } | { readonly atMost: number }) & {
  readonly of?: "value";
};

/** One line of the bench: what was measured, beside its floor and against its target. */
export interface Figure {
  readonly name: string;
  /** The subject's own measure, median of the rounds, with its unit. */
  readonly value: number;
  readonly unit: string;
  /** What it is compared to in the same run, median of the rounds. */
  readonly beside?: { readonly name: string; readonly value: number };
  /** Subject to floor, round by round. */
  readonly ratio?: Spread;
  readonly target?: Target;
  readonly cpuPerMillion?: { readonly subject: CpuSeconds; readonly floor?: CpuSeconds };
}

/** Whether a figure reaches its target; null when it has none. */
export function isReached({ target, ratio, value }: Figure): boolean | null {
  if (target === undefined) return null;
  const measured = target.of === "value" ? value : (ratio?.median ?? value);
  return "atLeast" in target ? measured >= target.atLeast : measured <= target.atMost;
}

/** A figure from rounds of subject and floor in turn. */
export function figureBeside(
  what: Pick<Figure, "name" | "unit">,
  pairs: readonly { readonly subject: number; readonly floor: number }[],
  floorName: string,
  target?: Target,
): Figure {
  return {
    ...what,
    value: spreadOf(pairs.map(({ subject }) => subject)).median,
    beside: { name: floorName, value: spreadOf(pairs.map(({ floor }) => floor)).median },
    ratio: spreadOf(pairs.map(({ subject, floor }) => subject / floor)),
    ...(target === undefined ? {} : { target }),
  };
}

/** CPU seconds of all processes a million events, from rounds of subject and floor in turn. */
export function cpuFigure(
  name: string,
  pairs: readonly { readonly subject: Run; readonly floor: Run }[],
  floorName: string,
  target?: Target,
): Figure {
  const of = ({ cpuPerMillion: { node, postgres, kafka } }: Run) => node + postgres + kafka;
  const sums = pairs.map(({ subject, floor }) => ({ subject: of(subject), floor: of(floor) }));
  return figureBeside({ name, unit: "CPU s/million" }, sums, floorName, target);
}

/** A figure of events per second from rounds of subject and floor in turn. */
export function rateFigure(
  name: string,
  pairs: readonly { readonly subject: Run; readonly floor: Run }[],
  floorName: string,
  target?: Target,
): Figure {
  const rates = pairs.map(({ subject, floor }) => ({
    subject: subject.eventsPerSecond,
    floor: floor.eventsPerSecond,
  }));
  return {
    ...figureBeside({ name, unit: "events/s" }, rates, floorName, target),
    cpuPerMillion: {
      subject: medianCpu(pairs.map(({ subject }) => ({ cpu: subject.cpuPerMillion }))),
      floor: medianCpu(pairs.map(({ floor }) => ({ cpu: floor.cpuPerMillion }))),
    },
  };
}

/** The figures as a table, a line each. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${number(figure.value)} ${figure.unit}`,
    figure.beside === undefined ? "" : `${figure.beside.name} ${number(figure.beside.value)}`,
    figure.ratio === undefined ? "" : spreadText(figure.ratio),
    targetText(figure),
    cpuText(figure),
  ]);
  const head = [
    "",
    "measured",
    "beside",
    "ratio (least to most)",
    "target",
    "CPU s per million events",
  ];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [styleText("bold", line(head)), ...rows.map(line)].join("\n");
}

export function medianCpu(runs: readonly { readonly cpu: CpuSeconds }[]): CpuSeconds {
  const of = (part: keyof CpuSeconds) => spreadOf(runs.map(({ cpu }) => cpu[part])).median;
  return { node: of("node"), postgres: of("postgres"), kafka: of("kafka") };
}

function cpuText({ cpuPerMillion }: Figure): string {
  if (cpuPerMillion === undefined) return "";
  const text = (cpu: CpuSeconds) =>
    `${cpu.node.toFixed(1)} + ${cpu.postgres.toFixed(1)} + ${cpu.kafka.toFixed(1)}`;
  const { subject, floor } = cpuPerMillion;
  return floor === undefined ? text(subject) : `${text(subject)}, floor ${text(floor)}`;
}

function targetText(figure: Figure): string {
  if (figure.target === undefined) return "";
  const wanted =
    "atLeast" in figure.target
      ? `at least ${figure.target.atLeast}`
      : `at most ${figure.target.atMost}`;
  const unit = figure.target.of === "value" ? ` ${figure.unit}` : "";
  return `${wanted}${unit}: ${isReached(figure) ? "reached" : "missed"}`;
}

function spreadText({ median, least, most }: Spread): string {
  return `${ratio(median)} (${ratio(least)} to ${ratio(most)})`;
}

function ratio(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}
