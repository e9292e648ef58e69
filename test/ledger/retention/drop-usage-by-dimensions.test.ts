/** What is kept of usage whose price depends on dimensions still proves what was drawn and is carried. */
import { expect, onTestFinished, test } from "vitest";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { dropMonths, noon, oldUsage, openOldBooks } from "../../support/books/old-usage.ts";

const chat = { meter: "chat", quantity: 1n };

test("the exact price of dropped usage is kept, and a remainder goes on from it", async () => {
  const books = await openOldBooks();
  onTestFinished(() => books.close());
  const { database } = books;
  const acme = oldUsage(books, "acme", "chat");
  const gpt5 = { ...chat, dimensions: { model: "gpt-5", team: "a" } };
  const gpt4 = { ...chat, dimensions: { model: "gpt-4" } };
  // 1/2 and 5/3 are 3/6 and 10/6.
  await acme.use("2025-11-12", gpt5, gpt4, gpt5);
  await acme.use("2025-12-01", gpt4, gpt5);
  expect(await brokenInvariants(database)).toEqual([]);
  await dropMonths(database, noon("2025-12-02"));
  const { rows } = await database.query(
    "SELECT events, quantity, credits, exact FROM usage_past WHERE meter = 'chat'",
  );
  expect(rows).toEqual([{ events: 3n, quantity: "3", credits: 2n, exact: "16" }]);
  expect(await brokenInvariants(database)).toEqual([]);
  await acme.use("2025-12-03", gpt5, gpt5, gpt5);
  await dropMonths(database, noon("2026-01-02"));
  expect(await brokenInvariants(database)).toEqual([]);
  await database.query("UPDATE carried SET remainder = remainder - 1 WHERE meter = 'chat'");
  expect(await brokenInvariants(database)).toEqual([
    "what is carried is what the usage records leave of their exact price: acme",
  ]);
}, 60_000);
