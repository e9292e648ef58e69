import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { missingRights, requireRights } from "../../../shared/ledger/postgres/missing-rights.ts";
import { type Books, connect, openBooks } from "../../support/books/books.ts";

/** A pooler between a service and Postgres: refused at start, with the reason. */
async function open(): Promise<Books> {
  const books = await openBooks();
  onTestFinished(books.close);
  return books;
}

test("Postgres itself is accepted", async () => {
  const { url, database } = await open();
  const pool = connect(url);
  await requireRights(pool);
  await pool.end();
  expect((await missingRights(database)).grants).toEqual([]);
});

test("one that refuses the settings of a session, as PgBouncer does, is named", async () => {
  const pooler = createServer((socket) => {
    const refusal =
      "SFATAL\0C08P01\0Munsupported startup parameter in options: enable_hashjoin\0\0";
    const answer = Buffer.alloc(5 + refusal.length);
    answer.write("E");
    answer.writeInt32BE(4 + refusal.length, 1);
    answer.write(refusal, 5);
    socket.once("data", () => socket.end(answer));
  });
  await once(pooler.listen(0, "127.0.0.1"), "listening");
  const { port } = pooler.address() as AddressInfo;
  const pool = connect(`postgres://drawdown@127.0.0.1:${port}/books`);
  await expect(requireRights(pool)).rejects.toThrow(
    /connection pooler.*\(unsupported startup parameter in options: enable_hashjoin\)/,
  );
  await pool.end();
  pooler.close();
});

test("one that drops them is named", async () => {
  const { url } = await open();
  const pool = new pg.Pool({ connectionString: url });
  pool.on("error", () => undefined);
  await expect(requireRights(pool)).rejects.toThrow(/pooler.*drops the session's settings/);
  await pool.end();
});

test("one that hands out sessions under numbers of its own is named", async () => {
  const { url } = await open();
  const pool = connect(url);
  pool.on("connect", (client) => Reflect.set(client, "processID", 1));
  await expect(requireRights(pool)).rejects.toThrow(/pooler.*not the client's own/);
  await pool.end();
});
