/** A long as Avro writes it: zigzag, seven bits a byte. */
export function longBytes(value: number | bigint): Buffer {
  let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  do {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}

export function stringBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([longBytes(bytes.length), bytes]);
}
