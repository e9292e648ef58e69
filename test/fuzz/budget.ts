import type fc from "fast-check";

/**
 * How many cases each property of a fuzzer is given. `npm run test:fuzz` gives more; by default they are
 * few enough to run with every other test.
 */
const USUAL_RUNS = 100;
const RUNS = Number(process.env["FUZZ_RUNS"] ?? USUAL_RUNS);
const SEED = process.env["FUZZ_SEED"];

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
