import { createHash } from "node:crypto";

/** As large as a message may be in a topic of Kafka's default, so all that can be published again. */
const MOST_PAYLOAD_BYTES = 1 << 20;
/** The longest account id, in UTF-8. */
const MOST_KEY_BYTES = 1 << 10;
/** What is kept of a value that is cut: enough to recognise it by. */
const CUT_BYTES = 16 << 10;

/** What the whole value was, where only its beginning is kept. */
export interface WholePayload {
  /** In bytes. */
  readonly size: number;
  readonly sha256: Buffer;
}

/** A message's value, or its beginning. */
export interface KeptPayload {
  readonly payload: Buffer;
  /** Null: `payload` is the whole value. */
  readonly whole: WholePayload | null;
}

/**
 * What the books keep of a message: all of it, or, where a compressed message unpacks to more than can be
 * published again, the beginnings of its key and value. The topic has the whole at its offset.
 */
export function cutMessage(
  key: Buffer | null,
  payload: Buffer,
): KeptPayload & { readonly key: Buffer | null } {
  const isWhole = payload.length <= MOST_PAYLOAD_BYTES && (key?.length ?? 0) <= MOST_KEY_BYTES;
  if (isWhole) return { key, payload, whole: null };
  return { key: key?.subarray(0, MOST_KEY_BYTES) ?? null, ...cutPayload({ payload, whole: null }) };
}

/** The beginning of a value, with the size and digest of the whole. */
export function cutPayload({ payload, whole }: KeptPayload): KeptPayload {
  const sha256 = () => createHash("sha256").update(payload).digest();
  return {
    payload: payload.subarray(0, CUT_BYTES),
    whole: whole ?? { size: payload.length, sha256: sha256() },
  };
}
