import { parseArgs } from "node:util";

/** What can be measured by itself. */
const SCENARIOS: readonly string[] = [
  ...["random", "hot", "repeats", "many", "latency", "month", "turn", "topup", "ingest"],
  ...["reconcile", "replay", "balance", "stream"],
];

interface BenchFlags {
  readonly quick: boolean;
  readonly json: boolean;
  /** Null: all of them. */
  readonly only: string | null;
  readonly rounds: number;
}

type ReadFlags =
  | { readonly kind: "run"; readonly flags: BenchFlags }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string };

export function readFlags(args: readonly string[]): ReadFlags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string" },
        rounds: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const { quick, json, only = null } = values;
    if (only !== null && !SCENARIOS.includes(only)) {
      throw new RangeError(`--only must be one of ${SCENARIOS.join(", ")}, not "${only}"`);
    }
    const rounds = roundsOf(values.rounds ?? (quick ? "3" : "5"));
    return { kind: "run", flags: { quick, json, only, rounds } };
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
}

function roundsOf(text: string): number {
  const rounds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (rounds > 0) return rounds;
  throw new RangeError(`--rounds must be a whole number from 1 on, not "${text}"`);
}
