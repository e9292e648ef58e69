import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { environment as api } from "../../services/api/settings.ts";
import { environment as everyService } from "../../shared/runtime/settings.ts";
import { table } from "./table.ts";

/** The limits that are constants or defaults in code, with what happens beyond each. */
export function limitsTables(): string {
  return [
    ["What fits", ["what", "at most", "beyond it"], sizes()],
    ["What is late", ["what", "within", "beyond it"], times()],
    ["What stands still", ["outage", "covered without loss", "beyond it"], outages()],
  ]
    .map(([title, head, rows]) => `## ${title}\n\n${table(head as string[], rows as string[][])}`)
    .join("\n\n");
}

const EVENT = "shared/core/usage/usage-event.ts";
const STREAM = "services/api/stream/stream-route.ts";
const INGEST = "services/api/ingest/read-body.ts";
const CATALOGUE_ROUTE = "services/api/routes/change-catalogue.ts";
const LETTER = "shared/ledger/usage/cut-message.ts";
const TOPICS = "infra/kafka/create-topics.ts";
const PAYMENT = "services/top-up/process-payment.ts";
const READER = "shared/kafka/consume/partition-reader.ts";

const BAD_EVENT = "over HTTP it is refused; on the topic it becomes a dead letter, `malformed`";

function sizes(): string[][] {
  const characters = (file: string, name: string) => `${count(file, name)} characters`;
  const dimensions = `${count(EVENT, "MAX_DIMENSIONS")}, names and values of ${characters(EVENT, "MAX_DIMENSION_LENGTH")}`;
  const letter = `its first ${bytes(LETTER, "CUT_BYTES")} are kept, with its size and SHA-256; the topic has the whole`;
  const pools = ["metering", "scheduler", "top-up", "webhooks"].map(
    (service) => `${service} ${connectionsOf(service).join(" + ")}`,
  );
  return [
    [
      "the ids of an event, an account and a hold, a meter",
      characters("shared/core/text/text.ts", "MAX_ID_LENGTH"),
      BAD_EVENT,
    ],
    ["the source of an event", characters(EVENT, "MAX_SOURCE_LENGTH"), BAD_EVENT],
    ["the dimensions of an event", dimensions, BAD_EVENT],
    ["the further quantities of an event", count(EVENT, "MAX_QUANTITIES"), BAD_EVENT],
    [
      "a quantity; the credits that an account ever had",
      "2^63 - 1",
      "a dead letter, `overflow`; a command is refused",
    ],
    ["lots of an account", "any number", "a debit costs the same, whatever their number"],
    [
      "a batch of messages, unpacked",
      "[see topics](topics.md#compression)",
      "one dead letter for the batch, `unreadable`",
    ],
    ["the payload of a dead letter", bytes(LETTER, "MOST_PAYLOAD_BYTES"), letter],
    [
      "events in a request to the API",
      `${count(INGEST, "MAX_EVENTS")}, and ${bytes(INGEST, "MAX_BODY_BYTES")}`,
      "413; nothing is published",
    ],
    ["the body of any other request to it", bytes("services/api/server.ts", "BODY_BYTES"), "413"],
    [
      "a catalogue sent to it",
      bytes(CATALOGUE_ROUTE, "MAX_BODY_BYTES"),
      `413; \`drawdown catalogue apply\` takes a file of ${bytes("shared/catalogue/parse-catalogue.ts", "MAX_CATALOGUE_BYTES")}`,
    ],
    [
      "a webhook of the gateway",
      bytes("services/top-up/webhook-server.ts", "MOST_BODY_BYTES"),
      "413; the gateway is asked about its payment",
    ],
    [
      "requests of an API key in a minute",
      setting(api, "API_REQUESTS_PER_MINUTE"),
      "429 with Retry-After",
    ],
    ["streams of an account", setting(api, "API_STREAMS_PER_ACCOUNT"), "429 with Retry-After"],
    ["streams of an API process", count(STREAM, "MOST_STREAMS"), "503 with Retry-After"],
    [
      "what a stream's reader leaves unread",
      bytes(STREAM, "MOST_UNREAD"),
      "it is disconnected, and goes on from its last event",
    ],
    [
      "events in a transaction",
      setting(everyService, "METERING_BATCH_EVENTS"),
      "they go in several transactions",
    ],
    [
      "messages that a consumer holds",
      bytes("shared/kafka/consume/batch-consumer.ts", "maxFetchBytes"),
      "the rest stays in Kafka; memory does not grow with a backlog",
    ],
    [
      "partitions of a topic that a process reads at once",
      count(READER, "MAX_CONCURRENT_PARTITIONS"),
      "the others wait for those of the same fetch: start more processes",
    ],
    [
      "payments at the gateway, of a top-up process",
      count("services/top-up/charge-payments.ts", "MOST_CONCURRENT"),
      "the others wait in Postgres",
    ],
    [
      "connections of a process to Postgres",
      [...pools, `API ${connectionsOf("api").join(" + ")}`].join(", "),
      "work waits for one that is free, 5 seconds; then as in an outage of Postgres",
    ],
  ];
}

function times(): string[][] {
  const behind = days(Number(settingOf(everyService, "EVENT_MAX_BEHIND_SECONDS")) * 1000);
  const ahead = `${Number(settingOf(everyService, "EVENT_MAX_AHEAD_SECONDS")) / 60} minutes`;
  return [
    [
      "an event, metered after it occurred",
      behind,
      "a dead letter, `too_long_ago`, which can be retried at any age",
    ],
    ["an event, metered before it occurs", ahead, "a dead letter, `too_far_ahead`"],
    [
      "a repeat of an event",
      setting(everyService, "USAGE_REPEAT_WINDOW"),
      "it is older than an event may be, so it is a dead letter",
    ],
    [
      "a request again, with its Idempotency-Key",
      `${constant("shared/core/history/retention.ts", "IDEMPOTENT_MS") / HOUR_MS} hours`,
      "it counts as a new request",
    ],
    [
      "single events in the books",
      setting(everyService, "USAGE_RETENTION"),
      "their month is dropped whole; its sums stay",
    ],
    [
      "a reader of the billing topics",
      days(constant(TOPICS, "BILLING_RETENTION_MS")),
      "`billing.balances` has the newest state of every account for good; the rest is in the API",
    ],
    [
      "a charge whose outcome is unknown",
      "without end",
      `the gateway is asked after 1, 2, 4 seconds and so on, at last every ${constant(PAYMENT, "LONGEST_WAIT_MS") / MINUTE_MS} minutes`,
    ],
  ];
}

function outages(): string[][] {
  const kept = days(constant(TOPICS, "USAGE_RETENTION_MS"));
  const behind = days(Number(settingOf(everyService, "EVENT_MAX_BEHIND_SECONDS")) * 1000);
  const client = "shared/client/usage-client.ts";
  const patience = /giveUpAfterMs \?\? ([\d_]+)/.exec(textOf(client))?.[1] ?? "";
  const pending = /maxPending \?\? ([\d_]+)/.exec(textOf(client))?.[1] ?? "";
  const ingest = `${constant("services/api/ingest/routes.ts", "withinMs") / 1000} seconds`;
  return [
    [
      "metering, Postgres or the registry",
      `${behind}: usage waits in Kafka`,
      `what has become older than that is a dead letter, \`too_long_ago\`; after ${kept} Kafka deletes, and a dead letter, \`lost_to_retention\`, names the offsets`,
    ],
    [
      "Kafka, for products that use the client",
      `${numberOf(patience) / 1000} seconds, and ${group(numberOf(pending))} events where they await \`ready\``,
      "`publish` rejects: the product has the event still, and sends it again under its id",
    ],
    [
      "Kafka, for products that post events",
      ingest,
      "503: the product sends the same events again",
    ],
    [
      "Kafka, for what the books publish",
      "without end: it waits in Postgres, a row a record",
      "only the disk is a bound",
    ],
    [
      "the gateway",
      "without end: payments stay pending",
      "nobody is charged twice, and credits come once it answers",
    ],
    [
      "top-up, for low balances",
      `${days(constant(TOPICS, "BILLING_RETENTION_MS"))}: they wait in Kafka`,
      "Kafka deletes them, and nobody is charged for them",
    ],
    [
      "the scheduler",
      "without end",
      "accounts are settled when usage or a command touches them, and the rest once it runs",
    ],
  ];
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function days(ms: number): string {
  return `${ms / DAY_MS} days`;
}

function count(file: string, name: string): string {
  return group(constant(file, name));
}

function bytes(file: string, name: string): string {
  const value = constant(file, name);
  return value % (1 << 20) === 0 ? `${value >> 20} MiB` : `${value >> 10} KiB`;
}

function group(value: number): string {
  return value.toLocaleString("en");
}

/** A constant or a field, by its name, of a source file: most are private to it. Throws where there is none. */
function constant(file: string, name: string): number {
  const [, text] = new RegExp(`\\b${name}(?: =|:) ([^;,\\n]+)[;,]`).exec(textOf(file)) ?? [];
  if (text === undefined) throw new Error(`${file} has no constant ${name}`);
  return numberOf(text);
}

/** Of whole numbers and units of time, joined by `*` or `<<`. */
function numberOf(text: string): number {
  const [product = "", shift = "0"] = text.split("<<");
  const factors = product.split("*").map((factor) => {
    const value = factor.trim() === "DAY_MS" ? DAY_MS : Number(factor.replaceAll("_", ""));
    if (Number.isNaN(value)) throw new Error(`${text} is no number that this page can state`);
    return value;
  });
  return factors.reduce((all, factor) => all * factor, 1) * 2 ** Number(shift);
}

/** The sizes of a service's pools. */
function connectionsOf(service: string): string[] {
  const pools = textOf(`services/${service}/main.ts`).matchAll(/connections: (\d+)/g);
  return [...pools].map(([, size = ""]) => size);
}

function setting(of: z.ZodType, name: string): string {
  const usual = settingOf(of, name);
  return `${typeof usual === "number" ? group(usual) : usual} (\`${name}\`)`;
}

function settingOf(of: z.ZodType, name: string): string | number {
  const { properties } = schema.parse(z.toJSONSchema(of, { io: "input" }));
  const usual = properties[name]?.default;
  if (usual === undefined) throw new Error(`there is no setting ${name} with a default`);
  return usual;
}

const schema = z.object({
  properties: z.record(
    z.string(),
    z.object({ default: z.union([z.string(), z.number()]).optional() }),
  ),
});

function textOf(file: string): string {
  return readFileSync(resolve(import.meta.dirname, "../..", file), "utf8");
}
