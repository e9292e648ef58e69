/**
 * - however many schemas a batch names, the registry is asked for several of them at a time, and the
 *   consumer stays in its group meanwhile
 * - that the registry has no schema is remembered for messages that were there before it was asked
 */
import { describe, expect, test } from "vitest";
import { RegistryUnavailable } from "../../../shared/kafka/codec/registry.ts";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";
import { ourFields, RECORD_BYTES } from "./our-record.ts";
import { RegistryInProcess } from "./registry-in-process.ts";

describe("ten thousand schemas that the registry does not have", () => {
  const values = Array.from({ length: 10_000 }, (_, index) => messageOf(index + 1));

  test("are requested sixteen at a time, with a heartbeat after each", async () => {
    const registry = new RegistryInProcess();
    registry.answerMs = 1;
    let heartbeats = 0;
    const heartbeat = async () => {
      heartbeats += 1;
    };
    await openUsageDecoder(registry).learn(values.slice(0, 1_000), { heartbeat });
    expect(registry.mostAtOnce).toBe(16);
    expect(heartbeats).toBe(1_000);
  });

  test("are requested once for messages received before, also when an outage comes between", async () => {
    const registry = new RegistryInProcess();
    const decoder = openUsageDecoder(registry);
    const receivedAt = performance.now();
    registry.failAfter = 9_000;
    await expect(decoder.learn(values, { receivedAt })).rejects.toThrow(RegistryUnavailable);
    const asked = registry.asked;
    registry.failAfter = null;
    await decoder.learn(values, { receivedAt });
    expect(registry.asked - asked).toBe(1_000);
    await decoder.learn(values, { receivedAt });
    expect(registry.asked - asked).toBe(1_000);
  });

  test("are requested again for messages received later: their schema may be new", async () => {
    const registry = new RegistryInProcess();
    const decoder = openUsageDecoder(registry);
    await decoder.learn(values.slice(0, 1));
    const { schema } = ourFields();
    registry.add(schema);
    await decoder.learn(values.slice(0, 1));
    expect(decoder.decode(messageOf(1), 0, 0n)).toMatchObject({ eventId: "e1" });
  });
});

test("a negative id is of no schema, and is not requested", async () => {
  const registry = new RegistryInProcess();
  const decoder = openUsageDecoder(registry);
  await decoder.learn([messageOf(-1)]);
  expect(decoder.decode(messageOf(-1), 0, 0n)).toMatchObject({ reason: "unknown_schema" });
  expect(registry.asked).toBe(0);
});

test("a batch of more schemas than are kept is decoded, and later most of them are forgotten", async () => {
  const registry = new RegistryInProcess();
  const decoder = openUsageDecoder(registry);
  const { schema } = ourFields();
  const values = Array.from({ length: 600 }, (_, index) =>
    messageOf(registry.add({ ...schema, doc: `version ${index}` })),
  );
  await decoder.learn(values);
  for (const value of values) expect(decoder.decode(value, 0, 0n)).toMatchObject({ eventId: "e1" });
  for (let call = 0; call < 20; call += 1) await decoder.learn(values.slice(-1));
  const asked = registry.asked;
  await decoder.learn(values.slice(0, 50));
  expect(registry.asked - asked).toBe(50);
});

function messageOf(schemaId: number): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(schemaId, 1);
  return Buffer.concat([header, ...RECORD_BYTES]);
}
