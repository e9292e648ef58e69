/**
 * A product service: asks whether an account may go on, works, and publishes what was used.
 *
 * node main.ts <account> <request id> <question> [when it was asked]
 */
import { openApiClient } from "@drawdown/api-client";
import { openUsageClient } from "@drawdown/client";

const {
  DRAWDOWN_URL = "http://127.0.0.1:8088",
  DRAWDOWN_KEY = "",
  KAFKA_BROKERS = "127.0.0.1:9092",
  SCHEMA_REGISTRY_URL = "http://127.0.0.1:8081/apis/ccompat/v7",
} = process.env;
const METER = "llm.input_tokens";

const api = openApiClient({ url: DRAWDOWN_URL, key: DRAWDOWN_KEY });
const usage = openUsageClient({
  kafka: { brokers: KAFKA_BROKERS.split(",") },
  registry: { url: SCHEMA_REGISTRY_URL },
  source: "example-product",
});

const [accountId = "acme", requestId = crypto.randomUUID(), question = "How are you?", askedAt] =
  process.argv.slice(2);
try {
  console.log(await answer());
  const { balance } = await api.balance(accountId);
  console.log(`${balance} micro-credits left before this request is metered`);
} finally {
  await usage.close();
}

async function answer(): Promise<string> {
  const quantity = countTokens(question);
  const { allowed, detail } = await api.allowance(accountId, { meter: METER, quantity });
  if (!allowed) return `refused: ${detail}`;
  const text = `You asked: ${question}`; // the work itself
  // The request's id and time make a retry safe: the same event is metered once. At another time it is a conflict.
  const occurredAt = askedAt === undefined ? new Date() : new Date(askedAt);
  await usage.publish({ accountId, meter: METER, quantity, eventId: requestId, occurredAt });
  return text;
}

function countTokens(text: string): number {
  return text.split(/\s+/).length;
}
