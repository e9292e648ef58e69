import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Books } from "../support/books/books.ts";
import { dropMonths, noon, openOldBooks } from "../support/books/old-usage.ts";
import { openApi, type TestApi } from "../support/processes/api.ts";

/** What the API answers about usage of which some months are dropped: the same, or what is missing. */
const ALL = "from=2025-08-01T00:00:00Z&to=2025-12-01T00:00:00Z";
const KEPT = "from=2025-09-10T13:00:00Z&to=2025-12-01T00:00:00Z";
const SAME = [
  `usage?${ALL}`,
  `usage?${ALL}&by=month`,
  `usage?${ALL}&by=day`,
  "usage?from=2025-08-10T12:00:00Z&to=2025-09-10T13:00:00Z&by=hour",
  "usage?from=2025-08-01T00:00:00Z&to=2025-11-10T12:30:00Z",
  `usage?${KEPT}&group=source`,
  `usage-records?${KEPT}`,
  "usage-records?from=2025-07-01T00:00:00Z&to=2025-08-01T00:00:00Z",
  "entries",
  "lots",
  "events/2025-11-10%2F12",
];

let books: Books;
let api: TestApi;
const before = new Map<string, unknown>();
const ask = (path: string, headers: Record<string, string> = {}) =>
  api.ask("GET", `/v1/accounts/acme/${path}`, { headers });

beforeAll(async () => {
  books = await openOldBooks();
}, 60_000);

beforeEach(async () => {
  api = await openApi(books);
});

afterAll(() => books?.close());

test("set-up: the answers before months are dropped", async () => {
  for (const path of SAME) before.set(path, (await ask(path)).body);
  await dropMonths(books.database, noon("2025-10-20"));
});

test.each(SAME)("%s answers as before", async (path) => {
  const { status, body } = await ask(path);
  expect([status, body]).toEqual([200, before.get(path)]);
});

describe.each(["application/json", "text/csv"])("as %s", (accept) => {
  test.each([
    `usage?${ALL}&group=source`,
    `usage?${ALL}&group=dimension&dimension=agent`,
    "usage?from=2025-08-10T12:30:00Z&to=2025-12-01T00:00:00Z",
    "usage?from=2025-08-01T00:00:00Z&to=2025-09-10T12:30:00Z",
    `usage-records?${ALL}`,
    `usage-records?${ALL}&meter=byte`,
  ])("%s is refused, which says from when on it is answered", async (path) => {
    expect(await ask(path, { accept })).toMatchObject({
      status: 422,
      body: {
        type: "urn:drawdown:usage_past_retention",
        detail:
          "single events from before 2025-09-10T13:00:00.000Z are past retention; choose a start from then on",
      },
    });
  });
});

test("the usage of a lot says what of it is past retention", async () => {
  const { body } = await ask("lots/acme-lot-2/usage");
  expect(body.items).toHaveLength(3);
  expect(body.past_retention).toBe("3003");
  const file = await ask("lots/acme-lot-2/usage", { accept: "text/csv" });
  expect(file.headers["content-disposition"]).toContain(
    "acme-usage-of-lot-acme-lot-2-2025-09-10-1300-to-",
  );
});

test("an unknown event may be past retention", async () => {
  const { status, body } = await ask("events/2025-08-10%2F1");
  expect([status, body.detail]).toEqual([
    404,
    "no event 2025-08-10/1 has been metered since 2025-09-10T13:00:00.000Z; events from before are past retention",
  ]);
});
