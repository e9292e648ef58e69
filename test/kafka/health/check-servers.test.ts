import { expect, onTestFinished, test } from "vitest";
import { checkServers } from "../../../shared/kafka/health/check-servers.ts";
import { openHealth } from "../../../shared/runtime/health/health.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { connect, openBooks } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";
import { testKafka } from "../../support/kafka/kafka.ts";

test("a server that only reads counts as down until another one writes", async () => {
  const books = await openBooks();
  onTestFinished(books.close);
  const name = new URL(books.url).pathname.slice(1);
  await books.database.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  const database = connect(books.url);
  onTestFinished(() => database.end());
  const health = openHealth(60_000, new AbortController().signal);
  const servers = { database, kafka: testKafka() };
  checkServers(health, servers, readSettings(process.env).registry);
  const found = async () => (await health.readiness())["postgres"];
  expect((await found())?.reason).toMatch(/^it only reads/);
  await books.database.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
  await eventually("it is up, over a new connection", async () => (await found()) === null);
  expect(await health.readiness()).toMatchObject({ kafka: null, registry: null });
});
