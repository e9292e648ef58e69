import { expect, test } from "vitest";
import { forEachConcurrently } from "../../shared/runtime/for-each-concurrently.ts";

/** Work that lasts until it is released. */
function held() {
  const under: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const end = (item: string) => ends.get(item);
  return {
    under,
    end,
    async work(item: string): Promise<void> {
      under.push(item);
      const until = Promise.withResolvers<void>();
      ends.set(item, until);
      await until.promise;
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("at most the limit are under way, and each item runs once, in order", async () => {
  const { work, under, end } = held();
  const all = forEachConcurrently(["a", "b", "c", "d"], 2, work);
  await settled();
  expect(under).toEqual(["a", "b"]);
  end("b")?.resolve();
  await settled();
  expect(under).toEqual(["a", "b", "c"]);
  end("a")?.resolve();
  end("c")?.resolve();
  await settled();
  expect(under).toEqual(["a", "b", "c", "d"]);
  end("d")?.resolve();
  await all;
});

test("the first failure is thrown once what is under way has ended; nothing more is started", async () => {
  const { work, under, end } = held();
  let thrown: unknown = null;
  const all = forEachConcurrently(["a", "b", "c"], 2, work).catch((error: unknown) => {
    thrown = error;
  });
  await settled();
  end("a")?.reject(new Error("a failed"));
  await settled();
  expect(thrown).toBe(null);
  end("b")?.reject(new Error("b failed, later"));
  await all;
  expect(thrown).toEqual(new Error("a failed"));
  expect(under).toEqual(["a", "b"]);
});

test("an empty list resolves", async () => {
  await forEachConcurrently([], 3, () => Promise.reject(new Error("there was nothing")));
});
