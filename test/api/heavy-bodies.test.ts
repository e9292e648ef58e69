import { afterAll, beforeAll, expect, test } from "vitest";
import { parseJson } from "../../services/api/ingest/json.ts";
import { parseCredits } from "../../shared/core/text/credits-text.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { serveIngest } from "./ingest-server.ts";

/** Bodies below the size limit that cost far more than their size unless they are refused early. */
const DIGITS = "9".repeat(1_000_000);
const event = (quantity: string) =>
  `{"specversion":"1.0","id":"1","source":"s","type":"call","subject":"acme","data":{"quantity":${quantity}}}`;
const BODIES: Readonly<Record<string, { body: string; says: RegExp }>> = {
  "a number of a million digits": { body: event(DIGITS), says: /1000000 digits; write at most 40/ },
  "a text of a million digits": { body: event(`"${DIGITS}"`), says: /quantity/ },
  "a negative number of a million digits": { body: event(`-${DIGITS}`), says: /digits/ },
  "a fraction of a million digits": { body: event(`0.5${DIGITS}`), says: /whole number/ },
  "a fraction of a million zeros": { body: event(`0.${"0".repeat(1_000_000)}1`), says: /digits/ },
  "many numbers of ten thousand digits": {
    body: event(`[${Array(100).fill(DIGITS.slice(0, 10_000)).join(",")}]`),
    says: /10000 digits/,
  },
  "lists in lists": { body: event("[".repeat(200_000) + "]".repeat(200_000)), says: /quantity/ },
  "lists in lists beside a long number": {
    body: event(`[${DIGITS.slice(0, 20)},${"[".repeat(200_000)}${"]".repeat(200_000)}]`),
    says: /nested too deeply|quantity/,
  },
  "spaces after each comma": {
    body: event(`[1${`,${" ".repeat(99)}1`.repeat(9_000)}]`),
    says: /./,
  },
};
const BESIDE_WITHIN_MS = 1_500;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await openAccount(books, "acme");
});

afterAll(() => books?.close());

test.each(Object.entries(BODIES))("%s is refused, and delays no other", async (_, heavy) => {
  const { origin, key } = await serveIngest(books);
  const health = async () => (await fetch(`${origin}/health`)).status;
  expect(await health()).toBe(200);
  const [answer, beside] = await Promise.all([
    fetch(`${origin}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/cloudevents+json" },
      body: heavy.body,
    }),
    slowest(health),
  ]);
  expect(await answer.text()).toMatch(heavy.says);
  expect([200, 400, 413, 422]).toContain(answer.status);
  expect(beside).toBeLessThan(BESIDE_WITHIN_MS);
});

test("the longest numbers that are read are exact; longer ones are refused unread", () => {
  expect(parseJson(`[${"9".repeat(40)}]`)).toEqual([10n ** 40n - 1n]);
  expect(() => parseJson(`[${"9".repeat(41)}]`)).toThrow(/41 digits/);
  expect(() => parseCredits(DIGITS)).toThrow(RangeError);
});

/** The longest that one of twenty requests, one after another, took. */
async function slowest(ask: () => Promise<number>): Promise<number> {
  let longest = 0;
  for (let count = 0; count < 20; count += 1) {
    const startedAt = performance.now();
    expect(await ask()).toBe(200);
    longest = Math.max(longest, performance.now() - startedAt);
  }
  return longest;
}
