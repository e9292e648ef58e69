import { expect, test } from "vitest";
import { openBillingReader } from "../../../shared/kafka/codec/billing-records.ts";
import { SCHEMAS } from "../../../shared/kafka/codec/schemas.ts";
import { RegistryInProcess } from "./registry-in-process.ts";

const recordOf = (id: number) => {
  const value = Buffer.from([0, 0, 0, 0, 0, 2, 65]);
  value.writeInt32BE(id, 1);
  return { key: Buffer.from("acme"), value, headers: { sequence: "1" } };
};

test("the registry is asked once for a schema that it does not have", async () => {
  const registry = new RegistryInProcess();
  const read = openBillingReader(registry, SCHEMAS.balances);
  for (let record = 0; record < 3; record += 1) {
    expect(await read(recordOf(7))).toMatchObject({ problem: "the registry has no schema 7" });
  }
  expect(registry.asked).toBe(1);
});

test("only the last 500 schemas are kept", async () => {
  const registry = new RegistryInProcess();
  const read = openBillingReader(registry, SCHEMAS.balances);
  for (let id = 1; id <= 501; id += 1) await read(recordOf(id));
  await read(recordOf(501));
  expect(registry.asked).toBe(501);
  await read(recordOf(1));
  expect(registry.asked).toBe(502);
});
