import { randomInt } from "node:crypto";
import { above0, commandFlags, from0, from1 } from "../support/command-flags.ts";
import { runVitest } from "../support/stack/run-vitest.ts";

const HELP = `npm run test:fuzz -- [--minutes M] [--seed S] [--runs R]

Runs the fuzzers for some minutes, each round with a seed of its own, which it prints.

  --minutes M   a round that begins before then is finished (default 5)
  --seed S      of the first round (default: drawn)
  --runs R      cases of a property in a round (default 1000)
  --help        shows this help

Exit codes: 0 every property held; 1 one failed; 2 wrong usage.`;
const FUZZERS = [
  "test/fuzz",
  "test/kafka/codec/hostile-values",
  "test/kafka/consume/decode-columns",
  "test/kafka/records/unpack",
];
const flags = commandFlags(
  HELP,
  {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(someSeed()) },
    runs: { type: "string", default: "1000" },
  },
  ({ minutes, seed, runs }) => ({
    minutes: above0("--minutes", minutes),
    seed: from0("--seed", seed),
    runs: from1("--runs", runs),
  }),
);

const endsAt = performance.now() + flags.minutes * 60_000;
let { seed } = flags;
let round = 1;
do {
  const environment = { FUZZ_SEED: String(seed), FUZZ_RUNS: String(flags.runs) };
  console.log(`round ${round}: --seed ${seed} --runs ${flags.runs}`);
  if (runVitest(["--testTimeout=0", "--reporter=dot", ...FUZZERS], environment) !== 0) {
    console.log(`failed with FUZZ_SEED=${seed} FUZZ_RUNS=${flags.runs}`);
    process.exit(1);
  }
  seed = someSeed();
  round += 1;
} while (performance.now() < endsAt);

function someSeed(): number {
  return randomInt(2 ** 31 - 1);
}
