/**
 * Preloaded into metering, writes a `Trace` to the file `TRACE_FILE` when the process ends. Wraps pg and
 * KafkaJS from outside, so that a service that is not traced has nothing to pay for it.
 */
import { EventEmitter } from "node:events";
import { writeFileSync } from "node:fs";
import { PerformanceObserver, performance } from "node:perf_hooks";
import kafkajs, { type Consumer, type ConsumerRunConfig, type EachBatchPayload } from "kafkajs";
import pg from "pg";
import { TOPICS } from "../../shared/core/text/topics.ts";
import type { Handed, Step, Trace } from "./trace.ts";

const trace: Trace = { transactions: [], pauses: [] };
const handed = new Map<number, Handed>();
const fetched = { askedAt: 0, answeredAt: 0 };
const open = new WeakMap<object, { beganAt: number; steps: Step[]; batches: Handed[] }>();

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) {
    const from = performance.timeOrigin + startTime;
    trace.pauses.push({ from, to: from + duration });
  }
}).observe({ entryTypes: ["gc"] });

const { consumer } = kafkajs.Kafka.prototype;
kafkajs.Kafka.prototype.consumer = function (options): Consumer {
  const made = consumer.call(this, options);
  made.on(made.events.FETCH_START, () => {
    fetched.askedAt = now();
  });
  made.on(made.events.FETCH, () => {
    fetched.answeredAt = now();
  });
  const { run } = made;
  made.run = (config: ConsumerRunConfig = {}) => {
    const { eachBatch } = config;
    if (eachBatch === undefined) return run(config);
    return run({
      ...config,
      eachBatch(payload) {
        noteHanded(payload);
        return eachBatch(payload);
      },
    });
  };
  return made;
};

const query: (...args: unknown[]) => unknown = Reflect.get(pg.Client.prototype, "query");
Reflect.set(pg.Client.prototype, "query", function (this: object, ...args: unknown[]) {
  const from = now();
  const result = query.apply(this, args);
  whenEnded(result, () => noteStep(this, args[0], from));
  return result;
});

process.once("exit", () => writeFileSync(process.env["TRACE_FILE"] ?? "", JSON.stringify(trace)));

function now(): number {
  return performance.timeOrigin + performance.now();
}

function busyMs(): number {
  return performance.eventLoopUtilization().active;
}

function noteHanded({ batch }: EachBatchPayload): void {
  if (batch.topic !== TOPICS.usageEvents) return;
  const { partition } = batch;
  const at = { ...fetched, handedAt: now(), busyMs: busyMs() };
  handed.set(partition, { partition, lastOffset: Number(batch.lastOffset()), ...at });
}

/** A query's promise, or a query that copies. */
function whenEnded(result: unknown, ended: () => void): void {
  if (result instanceof Promise) result.then(ended, () => undefined);
  else if (result instanceof EventEmitter) result.once("end", ended);
}

function noteStep(client: object, asked: unknown, from: number): void {
  const name = nameOf(asked);
  const to = now();
  if (name === "BEGIN") {
    open.set(client, { beganAt: from, steps: [{ name, from, to }], batches: [] });
    return;
  }
  const transaction = open.get(client);
  if (transaction === undefined) return;
  const { beganAt, steps, batches } = transaction;
  // Statements are under way together; each takes what follows the answer to the one before.
  const answeredAt = steps.at(-1)?.to ?? from;
  steps.push({ name, from: Math.max(from, answeredAt), to });
  if (name === "lock-offsets") batches.push(...batchesOf(asked));
  if (name !== "COMMIT") return;
  open.delete(client);
  if (batches.length === 0) return;
  const spent = batches.map((batch) => ({ ...batch, busyMs: busyMs() - batch.busyMs }));
  trace.transactions.push({ beganAt, committedAt: to, steps, batches: spent });
}

/** The batches of the partitions whose offsets a statement locks. */
function batchesOf(asked: unknown): Handed[] {
  const values = property(asked, "values");
  const partitions = Array.isArray(values) ? String(values[2]) : "";
  return (partitions.match(/\d+/g) ?? []).flatMap((partition) => {
    const batch = handed.get(Number(partition));
    return batch === undefined ? [] : [batch];
  });
}

/** A prepared statement's name without its number of rows, or what a statement begins with. */
function nameOf(asked: unknown): string {
  const name = property(asked, "name");
  if (typeof name === "string") return name.replace(/-\d+$/, "");
  const text = typeof asked === "string" ? asked : String(property(asked, "text"));
  const [words = "?"] = /\w+( \w+)?/.exec(text) ?? [];
  return words;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
