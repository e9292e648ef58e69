import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { workInSets } from "../../../shared/ledger/postgres/work-in-sets.ts";

/** Records the sets; those with an item of `failing` fail. */
function recorded(failing: Readonly<Record<string, Error>> = {}, most = 100) {
  const sets: string[] = [];
  const run = workInSets<string, string>({
    most,
    keyOf: (item) => item.charAt(0),
    async work(items) {
      sets.push(items.join(" "));
      await nextTurn();
      const failed = items.find((item) => item in failing);
      if (failed !== undefined) throw failing[failed];
      return (item) => item.toUpperCase();
    },
  });
  const settle = async (items: readonly string[]) =>
    (await Promise.allSettled(items.map(run))).map((end) =>
      end.status === "fulfilled" ? end.value : String(end.reason.message),
    );
  return { sets, run, settle };
}

describe("items given together", () => {
  test("are one set, and each gets its own result", async () => {
    const { sets, settle } = recorded();
    expect(await settle(["a", "b", "c"])).toEqual(["A", "B", "C"]);
    expect(sets).toEqual(["a b c"]);
  });

  test("are as many sets as the limit makes of them", async () => {
    const { sets, settle } = recorded({}, 2);
    expect(await settle(["a", "b", "c"])).toEqual(["A", "B", "C"]);
    expect(sets).toEqual(["a b", "c"]);
  });

  test("with one key are in sets of their own, in order", async () => {
    const { sets, settle } = recorded();
    expect(await settle(["a1", "b", "a2", "a3"])).toEqual(["A1", "B", "A2", "A3"]);
    expect(sets).toEqual(["a1 b", "a2", "a3"]);
  });
});

test("what is given during a set is the next one", async () => {
  const { sets, run } = recorded();
  const first = run("a");
  while (sets.length === 0) await nextTurn();
  await Promise.all([first, run("b"), run("c")]);
  await run("d");
  expect(sets).toEqual(["a", "b c", "d"]);
});

describe("a set that fails", () => {
  test("is halved until the failing item is alone: the others get their results", async () => {
    const { sets, settle } = recorded({ c: new Error("poisoned") });
    expect(await settle(["a", "b", "c", "d", "e"])).toEqual(["A", "B", "poisoned", "D", "E"]);
    expect(sets).toEqual(["a b c d e", "a b", "c d e", "c", "d e"]);
    expect(await settle(["f"])).toEqual(["F"]);
  });

  test("with two failing items names both", async () => {
    const { settle } = recorded({ a: new Error("one"), d: new Error("two") });
    expect(await settle(["a", "b", "c", "d"])).toEqual(["one", "B", "C", "two"]);
  });

  test("in an outage of Postgres fails whole, and the next set is tried", async () => {
    const { sets, settle } = recorded({ a: new Error("Connection terminated unexpectedly") });
    expect(await settle(["a", "b"])).toEqual(Array(2).fill("Connection terminated unexpectedly"));
    expect(await settle(["b"])).toEqual(["B"]);
    expect(sets).toEqual(["a b", "b"]);
  });
});
