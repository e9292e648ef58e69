/**
 * Receives webhooks: verifies each, handles it once, and answers. What was handled is stored with what it
 * caused, in one transaction, so neither a repeat nor a crash counts anything twice.
 */
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const { WEBHOOK_SECRET = "", PORT = "3000", DATABASE = "webhooks.db" } = process.env;
const webhook = new Webhook(WEBHOOK_SECRET);

const database = new DatabaseSync(DATABASE);
database.exec(`
  CREATE TABLE IF NOT EXISTS handled (webhook_id TEXT PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS notice (account_id TEXT, type TEXT, sequence TEXT, data TEXT)`);
const handle = database.prepare("INSERT INTO handled VALUES (?) ON CONFLICT DO NOTHING");
const store = database.prepare("INSERT INTO notice VALUES (?, ?, ?, ?)");

interface Event {
  readonly id: string;
  readonly type: string;
  readonly account_id: string;
  readonly sequence: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const server = createServer(async (request, response) => {
  const body = await text(request);
  try {
    // The signature covers the bytes as they came: verify before anything reads them.
    const event = webhook.verify(body, request.headers as Record<string, string>) as Event;
    const isNew = keep(event);
    console.log(
      isNew ? `${event.type} ${event.account_id} ${event.sequence}` : `again ${event.id}`,
    );
    response.writeHead(204).end();
  } catch (error) {
    // Any other error is ours: it is sent again.
    response.writeHead(error instanceof WebhookVerificationError ? 401 : 500).end();
  }
});

/** False: it was handled before. */
function keep({ id, type, account_id, sequence, data }: Event): boolean {
  database.exec("BEGIN");
  try {
    const isNew = handle.run(id).changes > 0;
    if (isNew) store.run(account_id, type, sequence, JSON.stringify(data));
    database.exec("COMMIT");
    return isNew;
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

server.listen(Number(PORT), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : PORT;
  console.log(`receiving at http://127.0.0.1:${port}/`);
});
