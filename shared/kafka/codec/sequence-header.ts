import type { IHeaders } from "kafkajs";

const LARGEST = 2n ** 63n - 1n;

/** The sequence in a record's headers, at least 1; a text says why there is none. */
export function readSequence(headers: IHeaders | undefined): bigint | string {
  const header = headers?.["sequence"];
  if (header === undefined) return "it has no sequence header";
  const text = String(header);
  if (!/^\d{1,19}$/.test(text)) return "its sequence is not a number of 1 to 19 digits";
  const sequence = BigInt(text);
  if (sequence < 1n || sequence > LARGEST) return `its sequence is not from 1 to ${LARGEST}`;
  return sequence;
}
