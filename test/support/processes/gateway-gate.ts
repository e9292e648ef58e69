import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { listen } from "./tcp-proxy.ts";

/** A call of the gateway: to charge, or to query a charge. */
type Call = "charge" | "question";

export interface GatewayGate {
  /** The gateway's URL through the gate. */
  readonly url: string;
  /**
   * Blocks the next call of a kind for good: before it reaches the gateway, or after the gateway has
   * executed it and is about to answer. Resolves at that point.
   */
  holdNext(call: Call, at: "request" | "answer"): Promise<void>;
  /** Awaited before each call gets through; by default resolves immediately. */
  beforeCall: (call: Call) => Promise<void>;
  /** Blocks no more calls. */
  release(): void;
  close(): Promise<void>;
}

/** A proxy between a service and the simulated gateway, which is unaware of it. */
export async function openGatewayGate(gatewayUrl: string): Promise<GatewayGate> {
  let trap: { call: Call; at: "request" | "answer"; caught: () => void } | null = null;

  function isHeld(call: Call | null, at: "request" | "answer"): boolean {
    if (trap?.call !== call || trap.at !== at) return false;
    trap.caught();
    trap = null;
    return true;
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = callOf(request);
    const body = await buffer(request);
    if (call !== null) await gate.beforeCall(call);
    if (isHeld(call, "request")) return;
    const answer = await ask(new URL(request.url ?? "/", gatewayUrl), request, body);
    if (answer === null) return void response.destroy();
    if (isHeld(call, "answer")) return;
    response.writeHead(answer.status, { "Content-Type": "application/json" }).end(answer.text);
  }

  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  const port = await listen(server, 0);
  const gate: GatewayGate = {
    url: `http://127.0.0.1:${port}`,
    beforeCall: async () => undefined,
    holdNext(call, at) {
      const { promise, resolve } = Promise.withResolvers<void>();
      trap = { call, at, caught: resolve };
      return promise;
    },
    release() {
      trap = null;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return gate;
}

/** Null for the list of all charges, which always gets through. */
function callOf({ method, url = "/" }: IncomingMessage): Call | null {
  if (method === "POST") return "charge";
  return url.startsWith("/v1/charges?") ? null : "question";
}

/** Null where the gateway broke the connection. */
async function ask(url: URL, { method = "GET", headers }: IncomingMessage, body: Buffer) {
  const key = headers["idempotency-key"];
  const init = {
    method,
    headers: {
      ...(typeof key === "string" ? { "Idempotency-Key": key } : {}),
      ...(body.length === 0 ? {} : { "Content-Type": "application/json" }),
    },
    ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
  };
  try {
    const response = await fetch(url, init);
    return { status: response.status, text: await response.text() };
  } catch {
    return null;
  }
}
