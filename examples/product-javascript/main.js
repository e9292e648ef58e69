/**
 * Publishes usage over HTTP with nothing but Node: a batch of CloudEvents, sent again as it was until
 * it is answered.
 *
 * node main.js <account> <quantity>...
 */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

const { DRAWDOWN_URL = "http://127.0.0.1:8088", DRAWDOWN_KEY = "" } = process.env;
const TRIES = 5;

const [accountId = "acme", ...quantities] = process.argv.slice(2);
const events = quantities.map((quantity) => ({
  specversion: "1.0",
  // Chosen before the first try, so that every try sends the same event.
  id: randomUUID(),
  time: new Date().toISOString(),
  source: "example-product",
  type: "llm.input_tokens",
  subject: accountId,
  data: { quantity: Number(quantity), model: "small" },
}));
const { accepted, rejected } = await publish(events);
console.log(`${accepted} accepted, ${rejected.length} rejected`);
for (const { id, field, detail } of rejected) console.log(`${id}: ${field} ${detail}`);

async function publish(batch) {
  const request = {
    method: "POST",
    headers: {
      authorization: `Bearer ${DRAWDOWN_KEY}`,
      "content-type": "application/cloudevents-batch+json",
    },
    body: JSON.stringify(batch),
  };
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(`${DRAWDOWN_URL}/v1/events`, {
      ...request,
      signal: AbortSignal.timeout(15_000),
    }).catch((error) => error);
    if (response.status === 202) return response.json();
    const isOver = response.status < 500 && response.status !== 429;
    if (isOver || attempt === TRIES) {
      throw new Error(`not published: ${response.message ?? (await response.text())}`);
    }
    const seconds = Number(response.headers?.get("retry-after") ?? 2 ** attempt);
    await wait(seconds * 1000);
  }
}
