import { above0, commandFlags, from1 } from "../support/command-flags.ts";
import { KINDS } from "./nemesis/kinds.ts";
import { reportJson, reportText } from "./report.ts";
import { runFire } from "./run-fire.ts";

const HELP = `npm run test:fire -- [--minutes M] [--seed S]

Runs every service as several real processes on servers of their own, under load, with faults drawn from
the seed. Then compares what was published with books, topics and gateway, and prints how long each
service took to make progress again.

  --minutes M   how long faults go on (default 10), at least until every kind has come once and
                has hit something; starting and comparing take about a minute more
  --seed S      draws load and faults (default: drawn from the clock, and printed)
  --rate R      events a second (default 200)
  --only TEXT   only faults whose name contains it; "--only none" has none
  --json        prints the result as JSON on standard output; progress goes to standard error
  --help        shows this help

Example: npm run test:fire -- --minutes 10 --seed 7
Exit codes: 0 all is well; 1 something was lost, twice, wrong or not back in time; 2 wrong usage.`;

const { json, ...fire } = commandFlags(
  HELP,
  {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(1 + (Date.now() % 1_000_000)) },
    rate: { type: "string", default: "200" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
  ({ minutes, seed, rate, only = null, json }) => {
    const isOfNone = only !== null && !KINDS.some(({ name }) => name.includes(only));
    if (isOfNone && only !== "none") throw new RangeError(`no fault has "${only}" in its name`);
    return {
      minutes: above0("--minutes", minutes),
      seed: from1("--seed", seed),
      eventsPerSecond: above0("--rate", rate),
      ...{ only, json },
    };
  },
);
console.error(`seed ${fire.seed}, ${fire.minutes} minutes, ${fire.eventsPerSecond} events/s`);
const result = await runFire(fire, (line) => console.error(line));
console.log(json ? reportJson(result) : reportText(result));
process.exit(result.failures.length === 0 ? 0 : 1);
