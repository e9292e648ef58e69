/** A line of a text, or why it cannot be read. `number` counts from 1. */
export type Line = { readonly number: number } & (
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "unreadable"; readonly problem: string }
);

/** Longer lines are not kept in memory. */
const MAX_LINE_BYTES = 1 << 20;
const NEWLINE = 0x0a;

/** Splits bytes into lines as they arrive, with one line and one chunk in memory. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let pieces: Buffer[] = [];
  let length = 0;

  const append = (bytes: Buffer) => {
    length += bytes.length;
    if (length <= MAX_LINE_BYTES) pieces.push(bytes);
    else pieces = [];
  };
  const endLine = (): Line => {
    number += 1;
    const bytes = Buffer.concat(pieces);
    const isTooLong = length > MAX_LINE_BYTES;
    pieces = [];
    length = 0;
    if (isTooLong) {
      return { kind: "unreadable", number, problem: `longer than ${MAX_LINE_BYTES} bytes` };
    }
    try {
      return { kind: "line", number, text: decoder.decode(bytes) };
    } catch {
      return { kind: "unreadable", number, problem: "not UTF-8" };
    }
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      append(chunk.subarray(from, at));
      from = at + 1;
      yield endLine();
    }
    append(chunk.subarray(from));
  }
  if (length > 0) yield endLine();
}
