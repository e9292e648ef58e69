import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** A request of the trace; its time counts from the first request. */
export interface TraceRequest {
  readonly afterMs: number;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
}

/** Source, license and citation: README.md beside this file. */
export const TRACE_FILE = join(import.meta.dirname, "llm-requests-code.csv");

/** The totals that the file's source states: a file with others is truncated or another one. */
const TRACE_TOTALS = {
  requests: 8_819,
  inputTokens: 18_059_974n,
  outputTokens: 245_896n,
};

const HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens";
/** The file's times have seven decimals, of which a Date keeps three. */
const ROW = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\d{4},(\d{1,9}),(\d{1,9})$/;

/** Reads the trace; throws when it is not the whole file that its source describes. */
export async function readTrace(file = TRACE_FILE): Promise<TraceRequest[]> {
  const requests = parseTrace(await readFile(file, "utf8"));
  const [found, expected] = [totalsOf(requests), TRACE_TOTALS].map(describeTotals);
  if (found !== expected) {
    throw new Error(`${file} has ${found}, not ${expected}: restore the file.`);
  }
  return requests;
}

/** The requests of a file in the trace's format, in its order. Throws an error that names the line. */
export function parseTrace(text: string): TraceRequest[] {
  const [header, ...lines] = text.split(/\r?\n/);
  if (header !== HEADER) throw new Error(`line 1 of the trace is not ${HEADER}`);
  if (lines.at(-1) === "") lines.pop();
  let firstAt: number | undefined;
  let before = 0;
  return lines.map((line, index) => {
    const { at, inputTokens, outputTokens } = parseRow(line, index + 2);
    firstAt ??= at;
    const afterMs = at - firstAt;
    if (afterMs < before)
      throw new Error(`line ${index + 2} of the trace is earlier than the one before`);
    before = afterMs;
    return { afterMs, inputTokens, outputTokens };
  });
}

export function totalsOf(requests: readonly TraceRequest[]) {
  return {
    requests: requests.length,
    inputTokens: requests.reduce((sum, { inputTokens }) => sum + inputTokens, 0n),
    outputTokens: requests.reduce((sum, { outputTokens }) => sum + outputTokens, 0n),
  };
}

function describeTotals(totals: ReturnType<typeof totalsOf>): string {
  const { requests, inputTokens, outputTokens } = totals;
  return `${requests} requests with ${inputTokens} input and ${outputTokens} output tokens`;
}

function parseRow(line: string, lineNumber: number) {
  const [, day, time, input, output] = ROW.exec(line) ?? [];
  const at = Date.parse(`${day}T${time}Z`);
  if (input === undefined || output === undefined || Number.isNaN(at)) {
    throw new Error(`line ${lineNumber} of the trace is not time,tokens,tokens: ${line}`);
  }
  return { at, inputTokens: BigInt(input), outputTokens: BigInt(output) };
}
