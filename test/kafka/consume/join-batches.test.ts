import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { joinBatches } from "../../../shared/kafka/consume/join-batches.ts";

/**
 * Which items run together: an item's size is the length of its name, and items share a key if they
 * start alike.
 */
function joined({ atOnce, most }: { atOnce: number; most: number }) {
  const calls: { readonly items: readonly string[]; end(): void; fail(error: Error): void }[] = [];
  const hand = joinBatches(
    (items: readonly string[]) => {
      const { promise, resolve, reject } = Promise.withResolvers<string[]>();
      const end = () => resolve(items.map((item) => `${item} done`));
      calls.push({ items, end, fail: reject });
      return promise;
    },
    { atOnce, most: () => most, sizeOf: (item) => item.length, keyOf: (item) => item[0] },
  );
  return { hand, calls, taken: () => calls.map(({ items }) => items) };
}

test("items of one fetch run together, and each gets its own result", async () => {
  const { hand, calls, taken } = joined({ atOnce: 2, most: 10 });
  const handed = ["a", "b", "c"].map(hand);
  await turn();
  expect(taken()).toEqual([["a", "b", "c"]]);
  calls[0]?.end();
  expect(await Promise.all(handed)).toEqual(["a done", "b done", "c done"]);
});

test("items that arrive while the maximum is under way wait, and then run together", async () => {
  const { hand, calls, taken } = joined({ atOnce: 1, most: 10 });
  const first = hand("a");
  await turn();
  const second = hand("b");
  await turn();
  const third = hand("c");
  await turn();
  expect(taken()).toEqual([["a"]]);
  calls[0]?.end();
  await first;
  await turn();
  expect(taken()).toEqual([["a"], ["b", "c"]]);
  calls[1]?.end();
  expect(await Promise.all([second, third])).toEqual(["b done", "c done"]);
});

test("no more run together than allowed, but a larger item runs alone", async () => {
  const { hand, taken } = joined({ atOnce: 9, most: 4 });
  for (const item of ["aa", "bb", "c", "dddddd", "e"]) void hand(item);
  await turn();
  expect(taken()).toEqual([["aa", "bb"], ["c"], ["dddddd"], ["e"]]);
});

test("two items of one key do not run together", async () => {
  const { hand, taken } = joined({ atOnce: 9, most: 9 });
  for (const item of ["a1", "b1", "a2", "b2", "b3"]) void hand(item);
  await turn();
  expect(taken()).toEqual([["a1", "b1"], ["a2", "b2"], ["b3"]]);
});

test("items that run together fail together, and waiting ones continue", async () => {
  const { hand, calls, taken } = joined({ atOnce: 1, most: 2 });
  const handed = ["a", "b", "c"].map(hand);
  await turn();
  calls[0]?.fail(new Error("no"));
  await expect(handed[0]).rejects.toThrow("no");
  await expect(handed[1]).rejects.toThrow("no");
  await turn();
  expect(taken()).toEqual([["a", "b"], ["c"]]);
  calls[1]?.end();
  expect(await handed[2]).toBe("c done");
});
