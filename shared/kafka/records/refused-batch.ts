const refused = new WeakMap<Buffer, string>();

/** Marks a message's value as the bytes of a batch whose messages cannot be read, and says why. */
export function markRefused(value: Buffer, why: string): void {
  refused.set(value, why);
}

/** Why the batch cannot be read whose bytes this value is; null: it is the value of a message. */
export function refusalOf(value: Buffer): string | null {
  return refused.get(value) ?? null;
}
