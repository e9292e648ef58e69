import { parseArgs } from "node:util";

/** What can be measured by itself. */
const SCENARIOS: readonly string[] = [
  ...["random", "hot", "repeats", "models", "many", "latency", "month", "turn", "topup", "ingest"],
  ...["reconcile", "replay", "balance", "allowance", "stream", "grown", "ids", "lines", "holds"],
  ...["webhook", "budgets", "headers", "soak"],
];

interface BenchFlags {
  readonly quick: boolean;
  readonly json: boolean;
  /** Null: all of them. */
  readonly only: string | null;
  readonly rounds: number;
  /** Millions of events in grown books. */
  readonly grownMillions: number;
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
        grown: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const { quick, json, only = null } = values;
    if (only !== null && !SCENARIOS.includes(only)) {
      throw new RangeError(`--only must be one of ${SCENARIOS.join(", ")}, not "${only}"`);
    }
    const rounds = numberOf("--rounds", values.rounds ?? (quick ? "3" : "5"));
    const grownMillions = numberOf("--grown", values.grown ?? (quick ? "1" : "10"));
    return { kind: "run", flags: { quick, json, only, rounds, grownMillions } };
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
}

function numberOf(flag: string, text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw new RangeError(`${flag} must be a whole number from 1 on, not "${text}"`);
}
