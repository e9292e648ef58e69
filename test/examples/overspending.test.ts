import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openAccount, openBooks } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { zoneAtNoon } from "../support/books/zone-at-noon.ts";
import { makeKey, testServer } from "../support/processes/api.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** The program of docs/overspending.md, run as it is there. */
const page = await readFile(new URL("../../docs/overspending.md", import.meta.url), "utf8");
const run = promisify(execFile);

test("runs start while the team's budget covers them, once each, and nothing starts on a refusal or an error", async () => {
  const [, program = ""] = /```js\n(.*?)```/s.exec(page) ?? [];
  const books = await openBooks();
  try {
    const lots = [{ credits: 2_000_000_000n }];
    await openAccount(books, "acme", { lots, timeZone: zoneAtNoon() });
    const app = await testServer(books);
    const env = {
      ...process.env,
      DRAWDOWN_URL: await app.listen({ port: 0, host: "127.0.0.1" }),
      DRAWDOWN_KEY: await makeKey(books, ["billing"]),
    };
    const file = join(await tempFolder(), "overspending.mjs");
    await writeFile(file, program);
    const runs = (given: NodeJS.ProcessEnv = env) =>
      run(process.execPath, [file], { env: given, timeout: 30_000 });
    const refused = await runs({ ...env, DRAWDOWN_KEY: "wrong" }).catch((error) => error);
    expect(refused).toMatchObject({ code: 1, stdout: "" });

    const { stdout } = await runs();
    expect(stdout.split("\n")).toEqual([
      "run-1 starts with 400000000 micro-credits",
      "run-2 starts with 300000000 micro-credits",
      expect.stringMatching(
        /^run-3 does not start \(budget_used_up\): the month's budget of team search, which turns at \S+, has 260 credits left of the 300 that are asked for$/,
      ),
      "",
    ]);
    const again = await runs();
    expect(again.stdout.split("\n").slice(0, 2)).toEqual(
      ["run-1", "run-2"].map(
        (id) => `${id} does not start: it has run before, its hold is captured`,
      ),
    );
    expect(await brokenInvariants(books.database)).toEqual([]);
  } finally {
    await books.close();
  }
}, 60_000);
