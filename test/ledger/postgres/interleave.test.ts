import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { interleave } from "../../../shared/ledger/postgres/interleave.ts";

async function* count(name: string, to: number, turns: number, ended: string[]) {
  try {
    for (let i = 1; i <= to; i += 1) {
      for (let waited = 0; waited < turns; waited += 1) await turn();
      yield `${name}${i}`;
    }
  } finally {
    ended.push(name);
  }
}

test("everything that any source yields is yielded, each source in its order", async () => {
  const ended: string[] = [];
  const all: string[] = [];
  for await (const item of interleave([count("a", 3, 1, ended), count("b", 5, 2, ended)])) {
    all.push(item);
  }
  expect(all.filter((item) => item.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
  expect(all.filter((item) => item.startsWith("b"))).toEqual(["b1", "b2", "b3", "b4", "b5"]);
  expect(all.indexOf("b1")).toBeLessThan(all.indexOf("a3"));
  expect(ended.sort()).toEqual(["a", "b"]);
});

test("a source that throws ends all, after what is under way", async () => {
  let done = false;
  async function* failing(): AsyncGenerator<string> {
    await turn();
    if (!done) throw new Error("no");
    yield "never";
  }
  async function* slow(): AsyncGenerator<string> {
    for (let waited = 0; waited < 5; waited += 1) await turn();
    done = true;
    yield "late";
  }
  await expect(interleave([failing(), slow()]).next()).rejects.toThrow("no");
  expect(done).toBe(true);
});

test("stopping early waits for what is under way", async () => {
  let under = 0;
  async function* work(): AsyncGenerator<number> {
    for (;;) {
      under += 1;
      await turn();
      under -= 1;
      yield 1;
    }
  }
  for await (const _ of interleave([work(), work()])) break;
  expect(under).toBe(0);
});
