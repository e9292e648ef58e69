import { expect, test } from "vitest";
import { readLines } from "../../../services/cli/shell/read-lines.ts";

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const read = (bytes: Buffer, size: number) => Array.fromAsync(readLines(inChunks(bytes, size)));

test.each([1, 2, 3, 7, 100])(
  "lines are whole whatever the chunks, here of %i bytes",
  async (size) => {
    const bytes = Buffer.from("one\n\nzwölf ✓\r\nlast", "utf8");
    expect(await read(bytes, size)).toEqual([
      { kind: "line", number: 1, text: "one" },
      { kind: "line", number: 2, text: "" },
      { kind: "line", number: 3, text: "zwölf ✓\r" },
      { kind: "line", number: 4, text: "last" },
    ]);
  },
);

test("a newline at the end begins no line, and empty input has no lines", async () => {
  expect(await read(Buffer.from("one\n"), 100)).toEqual([{ kind: "line", number: 1, text: "one" }]);
  expect(await read(Buffer.alloc(0), 100)).toEqual([]);
});

test("a line that is not UTF-8 does not affect the next one", async () => {
  const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("\nnext")]);
  expect(await read(bytes, 100)).toEqual([
    { kind: "unreadable", number: 1, problem: "not UTF-8" },
    { kind: "line", number: 2, text: "next" },
  ]);
});

test("an endless line is not kept in memory", async () => {
  const bytes = Buffer.concat([Buffer.alloc(3 << 20, "x"), Buffer.from("\nnext")]);
  expect(await read(bytes, 1 << 16)).toEqual([
    { kind: "unreadable", number: 1, problem: "longer than 1048576 bytes" },
    { kind: "line", number: 2, text: "next" },
  ]);
});
