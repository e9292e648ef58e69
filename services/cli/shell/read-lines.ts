/** A line of a text, or why it cannot be read. `number` counts from 1. */
export type Line = { readonly number: number } & (
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "unreadable"; readonly problem: string }
);

/** A line that goes on for ever must not fill the memory. */
const MAX_LINE_BYTES = 1 << 20;
const NEWLINE = 0x0a;

/** Splits bytes into lines as they come, and holds no more than one line and one chunk of them. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;

  const hold = (bytes: Buffer) => {
    heldBytes += bytes.length;
    if (heldBytes <= MAX_LINE_BYTES) held.push(bytes);
    else held = [];
  };
  const endLine = (): Line => {
    number += 1;
    const bytes = Buffer.concat(held);
    const tooLong = heldBytes > MAX_LINE_BYTES;
    held = [];
    heldBytes = 0;
    if (tooLong) {
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
      hold(chunk.subarray(from, at));
      from = at + 1;
      yield endLine();
    }
    hold(chunk.subarray(from));
  }
  if (heldBytes > 0) yield endLine();
}
