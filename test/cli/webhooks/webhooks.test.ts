import { afterAll, beforeAll, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { webhookReader } from "../../../shared/core/text/topics.ts";
import { takeEvents } from "../../../shared/ledger/webhooks/take-events.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { openApi } from "../../support/processes/api.ts";

/** Webhook endpoints and deliveries by commands, and where what is wrong with them is said. */
const TYPE = "billing.credits";
let books: Books;
const run = (line: string) =>
  drawdown(words(line), { env: { DATABASE_URL: books.url, WEBHOOK_ALLOW_PRIVATE: "true" } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books?.close());

test("an endpoint is made, shown without its secret, paused, resumed, given another, and deleted", async () => {
  const made = await json(`webhooks add http://127.0.0.1:9/ --type ${TYPE}`);
  expect(made).toMatchObject({ outcome: "created", secret: expect.stringMatching(/^whsec_/) });
  const listed = await run("webhooks list");
  expect(listed.stdout).toMatch(
    new RegExp(`${made.endpoint_id} +http://127.* +${TYPE} +delivering`),
  );
  expect(listed.stdout).not.toContain(made.secret);
  const api = await openApi(books);
  expect(await json("webhooks list")).toEqual((await api.ask("GET", "/v1/webhooks")).body);

  expect(await json(`webhooks pause ${made.endpoint_id}`)).toMatchObject({ outcome: "paused" });
  expect((await run("webhooks list")).stdout).toMatch(/paused since .*, by /);
  expect((await run("doctor")).stdout).toMatch(/WEBHOOK .* at 127\.0\.0\.1:9 is paused since/);
  expect((await run("status")).stdout).toMatch(/webhook +.* at 127\.0\.0\.1:9 is paused since/);
  expect(await json(`webhooks resume ${made.endpoint_id}`)).toMatchObject({ outcome: "resumed" });
  expect((await run("doctor")).stdout).not.toContain("WEBHOOK");
  await books.database.query(
    "UPDATE webhook_endpoint SET failing_since = now(), problem = 'socket hang up'",
  );
  expect((await run("doctor")).stdout).toMatch(/is failing since \S+: socket hang up\n/);
  const rotated = await json(`webhooks rotate ${made.endpoint_id}`);
  expect(rotated.secret).not.toBe(made.secret);
  expect(await json(`webhooks delete ${made.endpoint_id}`)).toMatchObject({ outcome: "deleted" });
  expect((await run("webhooks list")).stdout).toBe("There are no webhook endpoints.\n");
});

test("deliveries are listed as the API does, shown, and sent again", async () => {
  const { endpoint_id: endpoint } = await json(`webhooks add http://127.0.0.1:9/ --type ${TYPE}`);
  const events = [1n, 2n].map((sequence) => ({
    ...{ accountId: toAccountId("acme"), sequence, offset: sequence - 1n },
    ...{ publishedAt: Date.now(), body: `{"sequence":"${sequence}"}` },
  }));
  const stretch = {
    reader: webhookReader(TYPE),
    type: TYPE,
    partition: 0,
    fetchedFrom: 0n,
  } as const;
  await takeEvents(books.database, { ...stretch, nextOffset: 2n, events }, Date.now());
  const listed = await json(`webhooks deliveries ${endpoint}`);
  const api = await openApi(books);
  const answered = await api.ask("GET", `/v1/webhooks/${endpoint}/deliveries`);
  expect(listed).toEqual(answered.body);
  expect(listed.items).toHaveLength(2);
  const id = listed.items[0].webhook_id;
  expect((await run(`webhooks show ${endpoint} ${id}`)).stdout).toMatch(/attempts +0 attempts/);
  expect(await json(`webhooks send-again ${endpoint} ${id}`)).toMatchObject({ outcome: "queued" });
});

test("what is not there, or not to be sent to, is refused in a sentence", async () => {
  for (const command of ["show", "send-again"]) {
    const line = `webhooks ${command} 0123456789abcdef msg_${"0".repeat(32)}`;
    expect((await run(line)).stderr).toMatch(/^there is no webhook endpoint 0123456789abcdef /);
  }
  expect(await run("webhooks pause 0123456789abcdef")).toMatchObject({
    code: 1,
    stderr: "there is no webhook endpoint 0123456789abcdef (drawdown webhooks list)\n",
  });
  const refused = await drawdown(words(`webhooks add https://127.0.0.1/ --type ${TYPE}`), {
    env: { DATABASE_URL: books.url },
  });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("(loopback)") });
});
