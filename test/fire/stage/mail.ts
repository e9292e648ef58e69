import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

/** What becomes of the webhooks that the gateway sends. */
export type Manner =
  | "at once"
  /** The gateway is told so, and tries again. */
  | "refused"
  /** The gateway believes that it came. */
  | "lost"
  /** It comes, and then three times more. */
  | "repeated"
  /** The gateway believes that it came. They come when the manner changes, the newest first. */
  | "held back";

/** How many webhooks a manner has concerned. */
export interface Hits {
  readonly count: number;
  /** Resolves when there are some, two where order counts; after 20 s in any case. */
  some(): Promise<void>;
}

/** What brings the gateway's webhooks to the top-up service. */
export interface Mail {
  readonly port: number;
  deliver(manner: Manner): Hits;
  close(): Promise<void>;
}

interface Letter {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const REPEATED_AFTER_MS = [0, 200, 2_000];
const WITHIN_MS = 5_000;
const LONGEST_WAIT_MS = 20_000;
const LOOK_EVERY_MS = 100;

/** Each webhook goes to another one of `ports`, in turn, with its signature. */
export async function openMail(ports: () => readonly number[]): Promise<Mail> {
  let turn = 0;
  let manner: Manner = "at once";
  let hits = newHits(manner);
  let held: Letter[] = [];

  async function send({ path, headers, body }: Letter): Promise<number> {
    const all = ports();
    const port = all[turn++ % all.length] ?? 0;
    const signal = AbortSignal.timeout(WITHIN_MS);
    const request = { method: "POST", headers, body: new Uint8Array(body), signal };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, request).catch(() => null);
    await answer?.body?.cancel();
    return answer?.status ?? 502;
  }

  async function sendInTurn(letters: readonly Letter[]): Promise<void> {
    for (const letter of letters) await send(letter);
  }

  async function receive(letter: Letter): Promise<number> {
    if (manner !== "at once") hits.count += 1;
    switch (manner) {
      case "at once":
        return send(letter);
      case "refused":
        return 503;
      case "lost":
        return 200;
      case "repeated":
        for (const ms of REPEATED_AFTER_MS) void wait(ms).then(() => send(letter));
        return send(letter);
      case "held back":
        held.push(letter);
        return 200;
    }
  }

  const server = createServer((request, response) => {
    void read(request)
      .then(receive)
      .catch(() => 502)
      .then((status) => response.writeHead(status).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the mail has no port");

  return {
    port: address.port,
    deliver(next) {
      manner = next;
      hits = newHits(next);
      void sendInTurn(held.toReversed());
      held = [];
      return hits;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function newHits(manner: Manner): Hits & { count: number } {
  const enough = manner === "held back" ? 2 : 1;
  const hits = {
    count: 0,
    async some() {
      const until = performance.now() + LONGEST_WAIT_MS;
      while (hits.count < enough && performance.now() < until) await wait(LOOK_EVERY_MS);
    },
  };
  return hits;
}

async function read(request: IncomingMessage): Promise<Letter> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const { "content-type": type = "", "stripe-signature": signature = "" } = request.headers;
  return {
    path: request.url ?? "/",
    headers: { "content-type": type, "stripe-signature": String(signature) },
    body: Buffer.concat(pieces),
  };
}
