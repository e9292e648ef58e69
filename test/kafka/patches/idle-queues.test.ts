/** If the test of KafkaJS itself fails, KafkaJS has fixed this, and the patch can be removed. */
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, { type Kafka } from "kafkajs";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type RequestQueue,
  restIdleQueues,
  restWhileIdle,
} from "../../../shared/kafka/patches/idle-queues.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { eventually } from "../../support/eventually.ts";

const IDLE_MS = 300;

afterEach(() => {
  vi.restoreAllMocks();
});

test("KafkaJS itself constantly sets timers in the past", async () => {
  const delays = await delaysOf(client());
  expect(delays.filter((delay) => delay < 0).length).toBeGreaterThan(IDLE_MS / 10);
});

test("an idle client of ours sets none, and other clients are not affected", async () => {
  const ours = client();
  restIdleQueues(ours);
  expect((await delaysOf(ours)).filter((delay) => delay < 0)).toEqual([]);
  expect((await delaysOf(client())).filter((delay) => delay < 0)).not.toEqual([]);
});

describe("our queue", () => {
  test("sets no timer while it is empty", () => {
    const queue = queueOf([]);
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });

  test("is checked once when the broker's throttle is over", async () => {
    const queue = queueOf(["a request"], Date.now() + 100);
    const before = performance.now();
    queue.scheduleCheckPendingRequests();
    queue.scheduleCheckPendingRequests();
    await eventually("the queue was looked at", () => queue.checked > 0);
    expect(performance.now() - before).toBeGreaterThan(80);
    await sleep(20);
    expect(queue.checked).toBe(1);
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });
});

/** The delays of the timers that a connected client sets while it does nothing. */
async function delaysOf(kafka: Kafka): Promise<number[]> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.listTopics();
  const timers = vi.spyOn(globalThis, "setTimeout");
  await sleep(IDLE_MS);
  const delays = timers.mock.calls.map(([, delay]) => delay ?? 0);
  timers.mockRestore();
  await admin.disconnect();
  return delays;
}

function client(): Kafka {
  const { brokers } = readSettings(process.env).kafka;
  return new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
}

function queueOf(pending: string[], throttledUntil = -1): RequestQueue & { checked: number } {
  const queue = {
    checked: 0,
    pending,
    throttledUntil,
    throttleCheckTimeoutId: null,
    checkPendingRequests() {
      this.checked += 1;
    },
    scheduleCheckPendingRequests: () => undefined,
  };
  restWhileIdle(queue);
  return queue;
}
