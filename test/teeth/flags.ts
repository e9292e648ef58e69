import { parseArgs } from "node:util";

interface TeethFlags {
  /** Null: all bugs. */
  readonly only: readonly string[] | null;
  /** Do not run the tests without a bug first. */
  readonly trust: boolean;
  readonly write: boolean;
  readonly json: boolean;
}

type ReadFlags =
  | { readonly kind: "run"; readonly flags: TeethFlags }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string };

export function readFlags(args: readonly string[], names: readonly string[]): ReadFlags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string", multiple: true },
        trust: { type: "boolean", default: false },
        write: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const { only = null, trust, write, json } = values;
    const unknown = only?.find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new RangeError(`there is no bug "${unknown}"; the bugs are ${names.join(", ")}`);
    }
    return { kind: "run", flags: { only, trust, write, json } };
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
}
