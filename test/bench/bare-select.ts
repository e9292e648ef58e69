/**
 * The floor of balance reads: a Fastify route that answers with one SELECT by the primary key, with the
 * same pool, but without keys, schemas and limits. Prints its address.
 */
import Fastify from "fastify";
import { openDatabase } from "../../shared/ledger/postgres/database.ts";
import { readSettings } from "../../shared/runtime/settings.ts";

const CONNECTIONS = 16;
const SELECT = `
  SELECT account_id, granted, position, granted - position AS balance, version
  FROM account
  WHERE account_id = $1`;

const database = openDatabase(readSettings(process.env).database, {
  name: "bare-select",
  connections: CONNECTIONS,
  onError: (error) => console.error(error.message),
});
const app = Fastify();
app.get<{ Params: { account_id: string } }>("/v1/accounts/:account_id/balance", async (request) => {
  const values = [request.params.account_id];
  const { rows } = await database.query({ name: "bare-select", text: SELECT, values });
  return rows[0];
});
await app.listen({ port: Number(process.env["API_PORT"]), host: "127.0.0.1" });
