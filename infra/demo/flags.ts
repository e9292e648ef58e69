import { parseArgs } from "node:util";

export interface DemoFlags {
  readonly exit: boolean;
  readonly kill: boolean;
  readonly json: boolean;
  readonly speedUp: number;
  readonly accounts: number;
}

export const HELP = `npm run demo [-- --exit] [--speed-up N] [--accounts N] [--kill] [--json]

Starts a fresh stack, opens accounts with credits and plays an hour of real usage through metering:
8,819 requests to a language model, two events each. Then it checks that the books equal the file,
shows auto top-up on two other accounts, one of them with a declined card, the usage of three models
whose list prices are imported with a markup, and two turns of the month on another account, with the
clock moved ahead. No money is charged: the payment gateway is simulated.

  --exit         end after the check, with 0 if the books equal the file, else 1. Without it the
                 demo stays up until Ctrl-C
  --speed-up N   play the recorded 57 minutes N times as fast (default 90: 38 seconds)
  --accounts N   spread the requests over N accounts, 1 to 10,000 (default 300)
  --kill         kill -9 the metering process half-way; it restarts and the books are the same.
                 Kafka waits ten seconds before it reassigns the partitions
  --json         print the result as JSON; everything else goes to standard error
  --help         show this help

With DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL set, the demo uses those servers, with
accounts of its own.

Example:
  npm run demo -- --exit --kill --speed-up 180`;

type ReadFlags =
  | { readonly kind: "run"; readonly flags: DemoFlags }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string };

export function readFlags(args: readonly string[]): ReadFlags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        exit: { type: "boolean", default: false },
        kill: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        "speed-up": { type: "string", default: "90" },
        accounts: { type: "string", default: "300" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const { exit, kill, json } = values;
    const speedUp = wholeNumber("--speed-up", values["speed-up"], 100_000);
    const accounts = wholeNumber("--accounts", values.accounts, 10_000);
    return { kind: "run", flags: { exit, kill, json, speedUp, accounts } };
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new RangeError(`${name} must be a whole number from 1 to ${most}, not "${text}"`);
}
