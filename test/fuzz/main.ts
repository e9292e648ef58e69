/**
 * Runs the fuzzers for some minutes: `npm run test:fuzz -- --minutes 10`, each round with a seed of its own,
 * which it prints; `--seed S` begins with that one. Ends with 1 as soon as a property fails.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { runVitest } from "../support/stack/run-vitest.ts";

/** Of a round, in cases of a property; FUZZ_RUNS sets others. */
const RUNS = process.env["FUZZ_RUNS"] ?? "1000";
const FUZZERS = [
  "test/fuzz",
  "test/kafka/codec/hostile-values",
  "test/kafka/consume/decode-columns",
  "test/kafka/records/unpack",
];
const { values } = parseArgs({
  options: { minutes: { type: "string", default: "5" }, seed: { type: "string" } },
});
const endsAt = performance.now() + Number(values.minutes) * 60_000;
let seed = values.seed ?? someSeed();
let round = 1;
do {
  console.log(`round ${round}: FUZZ_SEED=${seed} FUZZ_RUNS=${RUNS}`);
  const environment = { FUZZ_SEED: seed, FUZZ_RUNS: RUNS };
  if (runVitest(["--testTimeout=0", "--reporter=dot", ...FUZZERS], environment) !== 0) {
    console.log(`failed with FUZZ_SEED=${seed} FUZZ_RUNS=${RUNS}`);
    process.exit(1);
  }
  seed = someSeed();
  round += 1;
} while (performance.now() < endsAt);

function someSeed(): string {
  return String(randomInt(2 ** 31 - 1));
}
