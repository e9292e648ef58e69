import { once } from "node:events";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { AccessWatch } from "./access/watch-access.ts";
import { Problem } from "./problem.ts";

/** A list as a file. `text` makes it of rows as the caller may see them. */
export interface CsvFile {
  readonly name: string | Promise<string>;
  readonly text: (view: <Rows>(rows: Rows) => Rows) => AsyncGenerator<string>;
}

/** A client that has not taken the whole file by then is disconnected. */
const WITHIN_MS = 10 * 60_000;
const HTTP_1_0 =
  "a file cut short would look complete over HTTP/1.0; use HTTP/1.1, or set your proxy to it";

/**
 * Sends files: whole, or cut off so that every client sees it; also when the caller's key or token is revoked
 * or expires meanwhile.
 */
export function openCsvAnswers(app: FastifyInstance, access: Pick<AccessWatch, "add">) {
  const sending = new Set<Readable>();
  app.addHook("preClose", async () => {
    for (const stream of sending) stream.destroy(new Error("the server stops"));
  });

  /**
   * Reads `text` as fast as the client takes it. Returns when the file is sent or its client has gone.
   * Throws what reading the first page throws. An error in a later page cuts the connection before the
   * last chunk.
   */
  return async function send(
    reply: FastifyReply,
    name: string,
    text: AsyncGenerator<string>,
  ): Promise<FastifyReply> {
    if (reply.request.raw.httpVersion === "1.0") {
      void reply.header("Upgrade", "HTTP/1.1");
      throw new Problem(426, "upgrade_required", HTTP_1_0);
    }
    const first = await text.next();
    const isHead = reply.request.method === "HEAD";
    const stream = Readable.from(isHead ? [] : resumed(first, text));
    sending.add(stream);
    const late = setTimeout(() => stream.destroy(new Error("the export took too long")), WITHIN_MS);
    const { caller } = reply.request;
    const cut = () => {
      stream.destroy(new Error("its key or token was revoked or has expired"));
      // The stream waits for the page that it reads; the connection does not.
      reply.raw.destroy();
    };
    const forget = caller === null ? null : access.add(caller, cut);
    const closed = once(stream, "close");
    void reply
      .header("Content-Type", "text/csv; charset=utf-8; header=present")
      .header("Content-Disposition", `attachment; filename="${name}"`)
      .send(stream);
    await closed.catch(() => undefined);
    clearTimeout(late);
    forget?.();
    sending.delete(stream);
    return reply;
  };
}

async function* resumed(
  first: IteratorResult<string>,
  rest: AsyncGenerator<string>,
): AsyncGenerator<string> {
  if (first.done !== true) yield first.value;
  yield* rest;
}

/** Whether a client prefers CSV to JSON by its Accept header (RFC 9110, 12.5.1). Wildcards mean JSON. */
export function prefersCsv(accept: string | undefined): boolean {
  const csv = weightOf("text/csv", accept ?? "");
  return csv > 0 && csv >= weightOf("application/json", accept ?? "");
}

function weightOf(type: string, accept: string): number {
  const range = accept
    .split(",")
    .map((part) => part.split(";").map((text) => text.trim().toLowerCase()))
    .find(([name]) => name === type);
  if (range === undefined) return 0;
  const weight = range.find((parameter) => parameter.startsWith("q="));
  return weight === undefined ? 1 : Number(weight.slice(2)) || 0;
}
