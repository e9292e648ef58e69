import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openAccount, openBooks } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { openApi } from "../../support/processes/api.ts";

/** API keys and dashboard links, created by commands and tried against the API. */
let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

beforeAll(async () => {
  books = await openBooks();
  await openAccount(books, "acme");
  await openAccount(books, "other");
});

afterAll(() => books?.close());

test("a key is created, opens what its scopes allow, is listed without its secret, and revoked", async () => {
  const { ask } = await openApi(books);
  const made = await json("key create product --scope read ingest");
  expect(made).toMatchObject({ outcome: "created", scopes: ["read", "ingest"] });
  const headers = { authorization: `Bearer ${made.key}` };
  expect((await ask("GET", "/v1/accounts", { headers })).status).toBe(200);
  expect((await ask("GET", "/v1/keys", { headers })).status).toBe(403);

  const listed = await run("key list");
  expect(listed.stdout).toMatch(new RegExp(`${made.key_id} +product +read, ingest`));
  expect(listed.stdout).not.toContain(made.key);

  expect(await json(`key revoke ${made.key_id}`)).toMatchObject({ outcome: "revoked" });
  const later = await openApi(books);
  expect((await later.ask("GET", "/v1/accounts", { headers })).status).toBe(401);
});

test("a dashboard link opens its account and no other, and ends with its key", async () => {
  const { ask } = await openApi(books);
  const { url, expires_at } = await json("dashboard-link acme --minutes 5 --api http://here:1/");
  expect(url).toMatch(/^http:\/\/here:1\/dashboard\/#token=ddt_/);
  expect(Date.parse(expires_at) - Date.now()).toBeLessThanOrEqual(5 * 60_000);
  const headers = { authorization: `Bearer ${url.split("#token=")[1]}` };
  expect((await ask("GET", "/v1/accounts/acme", { headers })).status).toBe(200);
  expect((await ask("GET", "/v1/accounts/other", { headers })).status).toBe(403);
  const { items: keys } = await json("key list");
  const links = keys.filter(({ name }: { name: string }) => name === "dashboard links");
  await json("dashboard-link acme");
  expect(links).toMatchObject([{ scopes: [] }]);
  const listed = await ask("GET", "/v1/keys");
  expect([listed.status, listed.body.items[0].name]).toEqual([200, "dashboard links"]);
  await run(`key revoke ${links[0].key_id}`);
  const later = await openApi(books);
  expect((await later.ask("GET", "/v1/accounts/acme", { headers })).status).toBe(401);
});

test("a read-only dashboard link shows its account and changes nothing", async () => {
  const { ask } = await openApi(books);
  const link = await json("dashboard-link acme --read-only");
  expect(link).toMatchObject({ read_only: true, token: expect.stringMatching(/^ddr_/) });
  const headers = { authorization: `Bearer ${link.token}` };
  expect((await ask("GET", "/v1/accounts/acme", { headers })).status).toBe(200);
  const body = { enabled: false };
  const change = await ask("PATCH", "/v1/accounts/acme/auto-top-up", { headers, body });
  expect(change.status).toBe(403);
});

test("a key with an end and accounts is made, and one token is listed and revoked", async () => {
  const { ask } = await openApi(books);
  const until = "2100-01-01T00:00:00.000Z";
  const made = await json(`key create narrow --scope read --expires ${until} --account acme`);
  expect(made).toMatchObject({ expires_at: until, account_ids: ["acme"] });
  const headers = { authorization: `Bearer ${made.key}` };
  expect((await ask("GET", "/v1/accounts/acme", { headers })).status).toBe(200);
  expect((await ask("GET", "/v1/accounts/other", { headers })).status).toBe(403);
  expect((await run("key list")).stdout).toMatch(/narrow +read +acme +\S+ .*2100-01-01/);

  const { token } = await json("dashboard-link other --read-only");
  const bearer = { headers: { authorization: `Bearer ${token}` } };
  const { items } = await json("token list other");
  expect(items).toMatchObject([{ read_only: true }]);
  expect(await json(`token revoke other ${items[0].token_id}`)).toMatchObject({
    ...{ outcome: "revoked", account_id: "other", token_id: items[0].token_id },
  });
  expect((await ask("GET", "/v1/accounts/other", bearer)).status).toBe(401);
  expect((await run("token list other")).stdout).toBe("No dashboard token opens this account.\n");
});

test.each([
  { line: "key create x --scope read --expires 2020-01-01T00:00:00Z", code: 2 },
  { line: "key create x --scope read --expires soon", code: 2 },
  { line: "key create x --scope admin --account acme", code: 2 },
  { line: "token list nobody", code: 1 },
  { line: "token revoke acme 1f0c2b7a9d3e4f56", code: 1 },
  { line: "key create x", code: 2 },
  { line: "key create x --scope everything", code: 2 },
  { line: "key revoke 1f0c2b7a9d3e4f56", code: 1 },
  { line: "dashboard-link nobody", code: 1 },
  { line: "dashboard-link acme --minutes 0", code: 2 },
  { line: "dashboard-link acme --minutes 1441", code: 2 },
  { line: "dashboard-link acme --api here", code: 2 },
])("exit code $code: $line", async ({ line, code }) => {
  expect((await run(line)).code).toBe(code);
});
