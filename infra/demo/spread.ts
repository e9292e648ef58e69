/**
 * Deals requests out to accounts unevenly, as customers are: the account of rank r gets a share in
 * proportion to 1 / r (Zipf), drawn by a generator with a fixed seed, so that every run deals alike.
 * Answers with the account's number, from 0, of each request.
 */
export function spreadRequests(requests: number, accounts: number): number[] {
  const bounds = cumulativeWeights(accounts);
  const total = bounds.at(-1) ?? 0;
  const random = randomIntegers(SEED);
  return Array.from({ length: requests }, () => indexOf(bounds, random(total)));
}

/** Any number would do. */
const SEED = 20_231_116;
/** The weight of rank 1; large, so that the weights of high ranks still differ in whole numbers. */
const LARGEST_WEIGHT = 1_000_000;

/** Where each account's stretch ends when their weights are laid end to end. */
function cumulativeWeights(accounts: number): number[] {
  let end = 0;
  return Array.from({ length: accounts }, (_, index) => {
    end += Math.ceil(LARGEST_WEIGHT / (index + 1));
    return end;
  });
}

/** The first stretch that ends after `point`. */
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
 * Whole numbers from 0 to below a limit (at most 2^32). SplitMix32: a counter and a mixing function
 * of 32-bit integers; what lies beyond the last whole multiple of the limit is drawn again, so that
 * no number is favoured.
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
