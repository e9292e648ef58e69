export const UUID_BYTES = 16;
const UUID_OID = 2950;

/** The UUIDs of these numbers, 16 bytes each in `bytes`, as a `uuid[]` in binary: parsing text takes longer. */
export function uuidsParameter(bytes: Uint8Array, numbers: readonly number[]): Buffer {
  const header = [1, 0, UUID_OID, numbers.length, 1];
  const array = Buffer.allocUnsafe(header.length * 4 + numbers.length * (4 + UUID_BYTES));
  let at = 0;
  for (const value of header) at = array.writeInt32BE(value, at);
  for (const number of numbers) {
    at = array.writeInt32BE(UUID_BYTES, at);
    const from = number * UUID_BYTES;
    for (let index = 0; index < UUID_BYTES; index += 1) array[at++] = bytes[from + index] ?? 0;
  }
  return array;
}

const NO_DIGIT = 255;
const DIGITS = new Uint8Array(128).fill(NO_DIGIT);
for (let digit = 0; digit < 16; digit += 1) DIGITS["0123456789abcdef".charCodeAt(digit)] = digit;

const DASH = 45;
const LENGTH = 36;

/**
 * Writes the bytes of a UUID in its canonical text, with small letters, at `to`. False: the text is another;
 * then what was written means nothing.
 */
export function writeUuid(text: string, bytes: Uint8Array, to: number): boolean {
  if (text.length !== LENGTH) return false;
  let seen = 0;
  let at = to;
  for (let index = 0; index < LENGTH; index += 2) {
    if (index === 8 || index === 13 || index === 18 || index === 23) {
      if (text.charCodeAt(index) !== DASH) return false;
      index += 1;
    }
    const high = DIGITS[text.charCodeAt(index)] ?? NO_DIGIT;
    const low = DIGITS[text.charCodeAt(index + 1)] ?? NO_DIGIT;
    seen |= high | low;
    bytes[at++] = (high << 4) | low;
  }
  return seen < 16;
}
