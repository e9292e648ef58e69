/**
 * Runs generators side by side and yields what any of them yields, as it comes. One that throws ends
 * all; whoever stops early waits for what is under way.
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
