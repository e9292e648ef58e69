/**
 * A UUID of version 7 (RFC 9562). It starts with the time, so later ids sort later, which keeps the
 * index of the key warm. `random` is 8 random bytes; `sequence` (0 to 4095) orders ids within a
 * millisecond.
 */
export function uuidV7(now: number, sequence: number, random: Uint8Array): string {
  const time = Math.floor(now).toString(16).padStart(12, "0");
  const order = (sequence & 0xfff).toString(16).padStart(3, "0");
  const tail = Buffer.from(random).toString("hex");
  const variant = ((Number.parseInt(tail.slice(0, 1), 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${order}-${variant}${tail.slice(1, 4)}-${tail.slice(4, 16)}`;
}
