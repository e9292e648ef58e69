/** A fake server that ends each session in the same packet in which it begins it, as one that is stopped may. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type Database, inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { requireRights } from "../../../shared/ledger/postgres/missing-rights.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import { connect } from "../../support/books/books.ts";

const LOGGED_IN = message("R", "\0\0\0\0");
const SESSION = message("K", "\0\0\0\u0001\0\0\0\u0001");
const READY = message("Z", "I");
const ENDED = message("E", "SFATAL\0C57P01\0Mterminating connection\0\0");

test.each<[string, (database: Database) => Promise<unknown>]>([
  ["a transaction", (database) => inTransaction(database, async () => undefined)],
  ["the first look at the server", requireRights],
  ["a query", (database) => database.query("SELECT 1")],
])(
  "%s on a connection that is lost as it opens fails as in an outage, and nothing else does",
  async (_, work) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(Buffer.concat([LOGGED_IN, SESSION, READY, ENDED])));
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const database = connect(`postgres://drawdown@127.0.0.1:${port}/books`);
    const failed = await work(database).catch((error: unknown) => error);
    expect(isDatabaseOutage(failed), String(failed)).toBe(true);
    await database.end();
  },
);

/** A message of Postgres's protocol: its type, its length and its body. */
function message(type: string, body: string): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(type);
  bytes.writeInt32BE(4 + body.length, 1);
  bytes.write(body, 5, "latin1");
  return bytes;
}
