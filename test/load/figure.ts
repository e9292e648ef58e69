import { table } from "../docs/table.ts";

/** Something that was measured, and what it has to be. */
export interface Figure {
  readonly what: string;
  readonly value: string;
  /** In words; null: it is only told. */
  readonly bound: string | null;
  readonly isWell: boolean;
}

export interface LoadResult {
  readonly options: Readonly<Record<string, string | number>>;
  readonly figures: readonly Figure[];
}

/** A figure without a bound. */
export function told(what: string, value: string): Figure {
  return { what, value, bound: null, isWell: true };
}

export function atMost(
  what: string,
  value: number,
  most: number,
  unit: string,
  digits = 0,
): Figure {
  return {
    what,
    value: `${value.toFixed(digits)} ${unit}`,
    bound: `at most ${most.toFixed(digits)} ${unit}`,
    isWell: value <= most,
  };
}

export function resultText({ options, figures }: LoadResult): string {
  const rows = figures.map(({ what, value, bound, isWell }) => [
    ...[what, value, bound ?? ""],
    bound === null ? "" : isWell ? "ok" : "WRONG",
  ]);
  const wrong = figures.filter(({ isWell }) => !isWell).length;
  return [
    `Options: ${Object.entries(options)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}`,
    "",
    table(["what", "measured", "has to be", ""], rows),
    "",
    wrong === 0 ? "All is well." : `${wrong} of ${figures.length} are not as they have to be.`,
  ].join("\n");
}
