import { Problem, reach } from "./request.ts";

/** A file as the server named it. */
export interface Download {
  readonly name: string;
  readonly content: Blob;
}

const WITHIN_MS = 11 * 60_000;
/** A page cannot write to the disk as it reads, so the file is in its memory until it is saved. */
const MOST_MIB = 256;
const TOO_LARGE = `The file is larger than ${MOST_MIB} MiB. Choose a shorter range.`;
const CUT_OFF = "The file was cut off on the way. Try again.";

/**
 * Loads a list as CSV, whole. Throws a `Problem`, and then has nothing. `onBytes` is called with how much
 * has come.
 */
export async function downloadCsv(
  credential: string,
  path: string,
  onBytes: (bytes: number) => void,
): Promise<Download> {
  const stop = new AbortController();
  const response = await reach(path, {
    headers: { authorization: `Bearer ${credential}`, accept: "text/csv" },
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(WITHIN_MS)]),
  });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (;;) {
    // A file that is cut off fails here: it never ends like a whole one.
    const next = await reader?.read().catch(() => {
      throw new Problem(0, CUT_OFF);
    });
    if (next?.value === undefined) break;
    chunks.push(next.value);
    bytes += next.value.length;
    onBytes(bytes);
    if (bytes <= MOST_MIB << 20) continue;
    stop.abort();
    throw new Problem(0, TOO_LARGE);
  }
  const [, name = "export.csv"] =
    /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "") ?? [];
  return { name, content: new Blob(chunks, { type: "text/csv;charset=utf-8" }) };
}
