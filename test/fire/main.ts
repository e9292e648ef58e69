import { parseArgs } from "node:util";
import type { FireOptions } from "./plan.ts";
import { reportJson, reportText } from "./report.ts";
import { runFire } from "./run-fire.ts";

const HELP = `npm run test:fire -- [--minutes M] [--seed S]

Runs every service as several real processes on servers of their own, under load, with faults drawn from
the seed. Then compares what was published with books, topics and gateway, and prints how long each
service took to make progress again.

  --minutes M   how long faults go on (default 10), at least until every kind has come once; starting
                and comparing take about a minute more
  --seed S      draws load and faults (default: drawn from the clock, and printed)
  --rate R      events a second (default 200)
  --only TEXT   only faults whose name contains it; "--only none" has none
  --json        prints the result as JSON on standard output; progress goes to standard error
  --help        shows this help

Example: npm run test:fire -- --minutes 10 --seed 7
Exit codes: 0 all is well; 1 something was lost, twice, wrong or not back in time; 2 wrong usage.`;

const options = readOptions();
const result = await runFire(options.fire, (line) => console.error(line));
console.log(options.json ? reportJson(result) : reportText(result));
process.exit(result.failures.length === 0 ? 0 : 1);

function readOptions(): { fire: FireOptions; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: "string", default: "10" },
        seed: { type: "string", default: String(Date.now() % 1_000_000) },
        rate: { type: "string", default: "200" },
        only: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const fire = {
      minutes: above0("--minutes", values.minutes),
      seed: above0("--seed", values.seed),
      eventsPerSecond: above0("--rate", values.rate),
      only: values.only ?? null,
    };
    console.error(`seed ${fire.seed}, ${fire.minutes} minutes, ${fire.eventsPerSecond} events/s`);
    return { fire, json: values.json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

function above0(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} must be a number above 0, not ${text}`);
  return value;
}
