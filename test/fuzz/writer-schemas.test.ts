/** Whatever a registry has for an id, usage written with it is read, unreadable or malformed, and reading it ends. */
import { afterAll, expect, test } from "vitest";
import { openWorker } from "../kafka/codec/in-worker.ts";
import { fuzzing, hangsAfterMs } from "./budget.ts";

const worker = openWorker(new URL("hostile-schemas.ts", import.meta.url), hangsAfterMs());

test("a schema that was changed", async () => {
  expect(await worker.run(fuzzing())).toBe("no failure");
});

afterAll(() => worker.close());
