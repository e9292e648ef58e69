import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { eventually } from "../eventually.ts";
import { listen } from "./tcp-proxy.ts";

/** A webhook as it came, whatever was answered. */
export interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a receiver does with a request; a number is the status of its answer. */
export type Behaviour = number | ((response: ServerResponse, request: IncomingMessage) => void);

export const MISBEHAVIOUR = {
  never: () => undefined,
  reset: (response) => response.socket?.resetAndDestroy(),
  redirect: (response) => response.writeHead(302, { location: "/elsewhere" }).end(),
  /** It goes on for as long as it is read. */
  endless: (response) => {
    const piece = Buffer.alloc(1 << 20, "x");
    const write = () => {
      while (response.write(piece));
    };
    response.writeHead(200).on("drain", write);
    write();
  },
  /** The first byte of its answer, and then nothing. */
  stalls: (response) => void response.writeHead(200).write("."),
} as const satisfies Record<string, Behaviour>;

/** Receives webhooks at `url` and does with each what `behave` says. It ends with the test. */
export async function openReceiver(
  behave: (received: Received, before: number) => Behaviour = () => 200,
) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const one = { path: request.url ?? "", headers, body };
    const behaviour = behave(one, received.length);
    received.push(one);
    if (typeof behaviour === "number") response.writeHead(behaviour).end(`answer ${behaviour}`);
    else behaviour(response, request);
  });
  const port = await listen(server, 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    port,
    received: received as readonly Received[],
    has: (count: number, withinMs?: number) =>
      eventually(`${count} webhooks came`, () => received.length >= count, withinMs),
  };
}
