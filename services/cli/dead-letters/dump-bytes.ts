import { countOf } from "../../../shared/core/text/text.ts";

const BYTES_A_LINE = 16;

/** The first bytes, as `hexdump -C` shows them. */
export function dumpBytes(bytes: Buffer, most: number): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, most); at += BYTES_A_LINE) {
    lines.push(lineOf(at, bytes.subarray(at, Math.min(at + BYTES_A_LINE, most))));
  }
  const left = bytes.length - most;
  return left > 0
    ? `${lines.join("\n")}\nand ${countOf(left, "more byte")}: --json has all of them.`
    : lines.join("\n");
}

function lineOf(at: number, bytes: Buffer): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const text = [...bytes].map((byte) => (isPrintable(byte) ? String.fromCharCode(byte) : "."));
  const width = BYTES_A_LINE * 3 - 1;
  return `${at.toString(16).padStart(8, "0")}  ${hex.padEnd(width)}  |${text.join("")}|`;
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}
