/**
 * Runs generators concurrently and yields what any of them yields. If one throws, all end; a caller that
 * stops early waits for the steps in progress.
 */
export async function* interleave<T>(generators: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const advance = async (generator: AsyncGenerator<T>) => {
    return { generator, step: await generator.next() };
  };
  const pending = new Map(generators.map((generator) => [generator, advance(generator)]));
  try {
    while (pending.size > 0) {
      const { generator, step } = await Promise.race(pending.values());
      if (step.done === true) pending.delete(generator);
      else {
        pending.set(generator, advance(generator));
        yield step.value;
      }
    }
  } finally {
    await Promise.allSettled(pending.values());
  }
}
