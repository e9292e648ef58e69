/**
 * Assigns requests to accounts as unevenly as customers use a product: the account of rank r gets a
 * share in proportion to 1 / r (Zipf). The seed is fixed, so every run is the same. Returns the index
 * of each request's account.
 */
export function spreadRequests(requests: number, accounts: number): number[] {
  const bounds = cumulativeWeights(accounts);
  const total = bounds.at(-1) ?? 0;
  const random = randomIntegers(SEED);
  return Array.from({ length: requests }, () => indexOf(bounds, random(total)));
}

const SEED = 20_231_116;
/** The weight of rank 1; large, so that the integer weights of high ranks still differ. */
const LARGEST_WEIGHT = 1_000_000;

/** The running sum of the accounts' weights. */
function cumulativeWeights(accounts: number): number[] {
  let end = 0;
  return Array.from({ length: accounts }, (_, index) => {
    end += Math.ceil(LARGEST_WEIGHT / (index + 1));
    return end;
  });
}

/** The first account whose running sum exceeds `point`. */
function indexOf(bounds: readonly number[], point: number): number {
  let low = 0;
  let high = bounds.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bounds[middle] ?? 0) > point) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Random integers from 0 to below a limit (at most 2^32) by SplitMix32. Numbers beyond the last
 * multiple of the limit are drawn again, so that all results are equally likely.
 */
export function randomIntegers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return (limit) => {
    const fair = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const drawn = next();
      if (drawn < fair) return drawn % limit;
    }
  };
}
