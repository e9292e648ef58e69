import type { Message } from "kafkajs";
import { SCHEMAS } from "../../../shared/kafka/codec/schemas.ts";

const LONG = Buffer.alloc(9, 0xff);

/** Values that no reader of a billing topic can use, by what is wrong with them. */
const MALFORMED_VALUES: Readonly<Record<string, Buffer | null>> = {
  "no value": null,
  "an empty value": Buffer.alloc(0),
  "four bytes": Buffer.from([0, 0, 0, 0]),
  "no Avro": Buffer.from("no Avro, but words"),
  "an unknown schema": headed(2_000_000_000, LONG),
  "a number that does not end": headed(1, LONG),
  "fields of another type": headed(1, SCHEMAS.lowBalance.type.toBuffer(lowBalance("other"))),
};

/** Records with an account's key that no reader can use, and four that name no account. */
export function malformedRecords(account: string): Message[] {
  const headers = { sequence: "1" };
  const value = headed(1, SCHEMAS.lowBalance.type.toBuffer(lowBalance(account)));
  const sequences = ["", "one", "1.5", "-1", "9223372036854775808", "9".repeat(200_000)];
  return [
    ...Object.values(MALFORMED_VALUES).map((of) => ({ key: account, value: of, headers })),
    ...sequences.map((sequence) => ({ key: account, value, headers: { sequence } })),
    { key: account, value },
    { key: null, value, headers },
    ...["", "a\0b", Buffer.from([0xff, 0xfe])].map((key) => ({ key, value, headers })),
  ];
}

function headed(schemaId: number, avro: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(schemaId, 1);
  return Buffer.concat([header, avro]);
}

function lowBalance(account: string): Record<string, unknown> {
  return {
    ...{ account_id: account, crossing: 1n, balance: 0n, threshold: 0n },
    ...{ cause: "event:1", occurred_at: 0, needed: true },
  };
}
