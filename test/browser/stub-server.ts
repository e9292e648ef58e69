import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { answerOf, lineOf, type StubAccount } from "./stub-account.ts";

/** A server that serves the built dashboard under its strict policy, and one account's API. */
export interface StubServer {
  readonly link: string;
  /** Sends an event to every open stream. */
  readonly send: (event: string, data: unknown) => void;
  /** Breaks every stream; until `mend`, nobody gets another answer. */
  readonly cut: () => void;
  readonly mend: () => void;
  /** From now on the token is not good any more. */
  readonly expire: () => void;
  readonly stop: () => Promise<void>;
}

const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export async function startStub(directory: string, account: StubAccount): Promise<StubServer> {
  const streams = new Set<ServerResponse>();
  let isCut = false;
  let isExpired = false;
  let lastId = 0;

  const write = (stream: ServerResponse, event: string, data: unknown): void => {
    lastId++;
    stream.write(`id: ${lastId}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? "/", "http://stub");
    if (pathname.startsWith("/dashboard/")) return await serve(directory, pathname, response);
    if (isCut) return void request.destroy();
    if (isExpired) return tell(response, 401, { detail: "the token has expired" });
    const path = pathname.replace(`/v1/accounts/${account.accountId}`, "");
    if (path !== "/stream") {
      const found = answerOf(account, path);
      return tell(response, found === undefined ? 404 : 200, found ?? { detail: "no such route" });
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    streams.add(response);
    response.on("close", () => streams.delete(response));
    write(response, "balance", lineOf(account));
  };

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const encoded = Buffer.from(account.accountId).toString("base64url");
  const breakStreams = (): void => {
    for (const stream of streams) stream.destroy();
  };
  return {
    link: `http://127.0.0.1:${port}/dashboard/#token=ddt_${encoded}_${"s".repeat(43)}`,
    send(event, data) {
      for (const stream of streams) write(stream, event, data);
    },
    cut() {
      isCut = true;
      breakStreams();
    },
    mend() {
      isCut = false;
    },
    expire() {
      isExpired = true;
      breakStreams();
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function tell(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function serve(directory: string, path: string, response: ServerResponse): Promise<void> {
  const file = path === "/dashboard/" ? "index.html" : path.slice("/dashboard/".length);
  const content = await readFile(join(directory, file)).catch(() => null);
  if (content === null) return tell(response, 404, {});
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  response.writeHead(200, { "content-type": type, "content-security-policy": POLICY });
  response.end(content);
}
