/** What is kept of usage whose price depends on dimensions and bands still proves what was drawn and is carried. */
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
  const long = { ...chat, dimensions: { model: "gpt-5", context: "100" } };
  const many = { ...chat, quantity: 4n, dimensions: { model: "gpt-4", context: "100" } };
  // 1/2, 5/3, 3/2 and 4/1 are 3/6, 10/6, 9/6 and 24/6.
  await acme.use("2025-11-12", gpt5, gpt4, long, gpt5, many);
  await acme.use("2025-12-01", gpt4, long, many, gpt5);
  expect(await brokenInvariants(database)).toEqual([]);
  await dropMonths(database, noon("2025-12-02"));
  const { rows } = await database.query(
    "SELECT events, quantity, credits, exact FROM usage_past WHERE meter = 'chat'",
  );
  expect(rows).toEqual([{ events: 5n, quantity: "8", credits: 8n, exact: "49" }]);
  expect(await brokenInvariants(database)).toEqual([]);
  await acme.use("2025-12-03", gpt5, gpt5, gpt5);
  await dropMonths(database, noon("2026-01-02"));
  expect(await brokenInvariants(database)).toEqual([]);
  await database.query("UPDATE carried SET remainder = remainder - 1 WHERE meter = 'chat'");
  expect(await brokenInvariants(database)).toEqual([
    "what is carried is what the usage records leave of their exact price: acme",
  ]);
}, 60_000);
