import type fc from "fast-check";
import { from1 } from "../support/command-flags.ts";

/**
 * How many cases each property of a fuzzer is given. `npm run test:fuzz` gives more; by default they are
 * few enough to run with every other test.
 */
const USUAL_RUNS = 100;
const { FUZZ_RUNS: asked = String(USUAL_RUNS), FUZZ_SEED: SEED } = process.env;
const RUNS = from1("FUZZ_RUNS", asked);

/** Cases of a property, each of which costs `cost` times as much as reading a few hundred bytes. */
export function fuzzRuns(cost = 1): number {
  return Math.ceil(RUNS / cost);
}

/** The parameters of `fc.assert`, which prints the seed and the shortest case of a failure. */
export function fuzzing(cost = 1): fc.Parameters<unknown> & { readonly seed?: number } {
  return { numRuns: fuzzRuns(cost), ...(SEED === undefined ? {} : { seed: Number(SEED) }) };
}

/** After so long, what reads in a worker of its own hangs. */
export function hangsAfterMs(): number {
  return 50_000 * Math.max(1, RUNS / USUAL_RUNS);
}
