import { EventEmitter } from "node:events";
import type { Consumer } from "kafkajs";
import { expect, test } from "vitest";
import { watchConsumer } from "../../../shared/kafka/consume/watch-consumer.ts";

/** KafkaJS's names of its events. */
const EVENTS = {
  ...{ GROUP_JOIN: "join", HEARTBEAT: "heartbeat", FETCH_START: "start", FETCH: "fetch" },
  ...{ REBALANCING: "rebalancing", CRASH: "crash", STOP: "stop", DISCONNECT: "disconnect" },
};

test("a consumer is in its group when it has joined, or the group takes its heartbeat, until it has to join again", () => {
  const consumer = Object.assign(new EventEmitter(), { events: EVENTS });
  const { isInGroup } = watchConsumer(consumer as unknown as Consumer);
  const after = (event: string) => {
    consumer.emit(event);
    return isInGroup();
  };
  expect(isInGroup()).toBe(false);
  expect(after("join")).toBe(true);
  for (const left of ["rebalancing", "crash", "stop", "disconnect"]) {
    expect([left, after(left), after("fetch")]).toEqual([left, false, false]);
    // Where the group's broker changes, KafkaJS goes on with the membership that it has, and joins no more.
    expect([left, after("heartbeat")]).toEqual([left, true]);
  }
});
