/**
 * Joins items that arrive while `work` is busy into its next call. Under low load one transaction then
 * covers the messages of all partitions, so latency does not grow with their number. At most `atOnce`
 * calls run concurrently. A call gets items of a total size up to `most()` (a larger item goes alone), and
 * no two with the same key.
 */
export function joinBatches<T, R>(
  work: (items: readonly T[]) => Promise<readonly R[]>,
  limits: {
    readonly atOnce: number;
    most(): number;
    sizeOf(item: T): number;
    keyOf(item: T): unknown;
  },
): (item: T) => Promise<R> {
  const waiting: { item: T; resolve(result: R): void; reject(error: unknown): void }[] = [];
  let running = 0;
  let planned = false;

  return (item) => {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    waiting.push({ item, resolve, reject });
    // Items of the same turn of the event loop, those of one fetch, go together.
    if (!planned) setImmediate(start);
    planned = true;
    return promise;
  };

  function start(): void {
    planned = false;
    while (running < limits.atOnce && waiting.length > 0) void run(take());
  }

  function take(): typeof waiting {
    let size = 0;
    const most = limits.most();
    const keys = new Set<unknown>();
    const rest = waiting.findIndex(({ item }, index) => {
      size += limits.sizeOf(item);
      const isAgain = keys.has(limits.keyOf(item));
      keys.add(limits.keyOf(item));
      return index > 0 && (size > most || isAgain);
    });
    return waiting.splice(0, rest === -1 ? waiting.length : rest);
  }

  async function run(taken: typeof waiting): Promise<void> {
    running += 1;
    try {
      const results = await work(taken.map(({ item }) => item));
      for (const [index, result] of results.entries()) taken[index]?.resolve(result);
    } catch (error) {
      for (const { reject } of taken) reject(error);
    } finally {
      running -= 1;
      start();
    }
  }
}
