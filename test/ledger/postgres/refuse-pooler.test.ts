import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { setUp } from "../../../infra/set-up.ts";
import { missingRights, requireRights } from "../../../shared/ledger/postgres/missing-rights.ts";
import { requireServer } from "../../../shared/ledger/postgres/require-server.ts";
import { type Books, connect, openBooks } from "../../support/books/books.ts";
import { superuserUrl } from "../../support/stack/template.ts";

/** A pooler between a service and Postgres, and a database that cannot keep the books: refused, with the reason. */
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

/** Refuses the settings of a session, as PgBouncer does; returns its URL. */
async function openPooler(): Promise<string> {
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
  onTestFinished(() => void pooler.close());
  const { port } = pooler.address() as AddressInfo;
  return `postgres://drawdown@127.0.0.1:${port}/books`;
}

test("one that refuses the settings of a session, as PgBouncer does, is named", async () => {
  const pool = connect(await openPooler());
  await expect(requireRights(pool)).rejects.toThrow(
    /connection pooler.*\(unsupported startup parameter in options: enable_hashjoin\)/,
  );
  await pool.end();
});

test.each([
  ["DATABASE_URL", { DATABASE_OWNER_URL: undefined }],
  ["DATABASE_OWNER_URL", {}],
])("one that %s leads to is named by set-up, before anything is changed", async (setting, env) => {
  const pooler = await openPooler();
  const said: string[] = [];
  const settings = { ...process.env, DATABASE_OWNER_URL: pooler, DATABASE_URL: pooler, ...env };
  await expect(setUp(settings, (line) => said.push(line))).rejects.toThrow(
    new RegExp(`^${setting} leads to a connection pooler`),
  );
  expect(said).toEqual([]);
});

test("one that only the services would use is named by set-up, too", async () => {
  const { url } = await open();
  const settings = { ...process.env, DATABASE_OWNER_URL: superuserUrl(url) };
  const pooler = await openPooler();
  await expect(setUp({ ...settings, DATABASE_URL: pooler }, () => undefined)).rejects.toThrow(
    /^DATABASE_URL leads to a connection pooler/,
  );
});

test.each([
  {
    made: "ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
    says: "the encoding LATIN1",
  },
  { made: "", set: "default_transaction_read_only = on", says: "only reads" },
])(
  "a database with $says is refused by set-up, before anything is changed",
  async ({ made, set, says }) => {
    const { url } = await open();
    const name = `${new URL(url).pathname.slice(1)}_other`;
    const server = connect(superuserUrl(url));
    await server.query(`CREATE DATABASE ${name} ${made}`);
    onTestFinished(async () => {
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await server.end();
    });
    if (set !== undefined) await server.query(`ALTER DATABASE ${name} SET ${set}`);
    const other = new URL(superuserUrl(url));
    other.pathname = name;
    const settings = { ...process.env, DATABASE_URL: other.href, DATABASE_OWNER_URL: undefined };
    const said: string[] = [];
    const failure = await setUp(settings, (line) => said.push(line)).catch(String);
    expect(failure).toMatch(new RegExp(`Postgres at \\S+/${name} .*${says}`));
    expect(said).toEqual([]);
  },
);

test("an older Postgres is refused by its version", async () => {
  const server = { version: "17.2", major: 17, encoding: "UTF8", onlyReads: false };
  const options = { connectionString: "postgres://u:sesame@db:5432/books" };
  const database = { options, query: async () => ({ rows: [server] }) };
  const failure = await requireServer(database as never).catch(String);
  expect(failure).toContain("Postgres at db:5432/books is version 17.2; 18 or newer is needed");
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
