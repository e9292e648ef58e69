import { parseArgs } from "node:util";
import { resultText } from "./figure.ts";
import { idle } from "./idle.ts";
import { overload } from "./overload.ts";
import { steady } from "./steady.ts";

const HELP = `npm run test:load -- <overload | steady | idle> [--minutes M]

Runs every service as real processes on servers of their own, measures, and judges.

  overload      ten times as many events as metering can keep up with, its database being far away, for
                5 minutes; then, with the database near, all of them are metered: memory stays bounded,
                health answers, nothing is lost
  steady        half of what it can keep up with, for 30 minutes: memory, connections and disk stay flat
  idle          nothing to do, for a minute: all services together take less than 5 % of a core

  --minutes M   how long
  --seed S      draws the load (default: drawn from the clock, and printed)
  --json        prints the result as JSON on standard output; progress goes to standard error
  --help        shows this help

Example: npm run test:load -- overload --minutes 1
Exit codes: 0 all is well; 1 something is not as it has to be; 2 wrong usage.`;

const LOADS = {
  overload: { run: overload, minutes: 5 },
  steady: { run: steady, minutes: 30 },
  idle: { run: idle, minutes: 1 },
} as const;

const { run, json, ...options } = readOptions();
const result = await run(options, (line) => console.error(line));
console.log(json ? JSON.stringify(result, null, 2) : `\n${resultText(result)}`);
process.exit(result.figures.every(({ isWell }) => isWell) ? 0 : 1);

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        minutes: { type: "string" },
        seed: { type: "string", default: String(Date.now() % 1_000_000) },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const [name = "", ...others] = positionals;
    if (!isLoad(name) || others.length > 0) throw new Error(`which load: ${list()}?`);
    const { run, minutes: usual } = LOADS[name];
    const minutes = above0("--minutes", values.minutes ?? String(usual));
    return { run, minutes, seed: above0("--seed", values.seed), json: values.json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

function isLoad(name: string): name is keyof typeof LOADS {
  return Object.hasOwn(LOADS, name);
}

function list(): string {
  return Object.keys(LOADS).join(", ");
}

function above0(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} must be a number above 0, not ${text}`);
  return value;
}
