import { Agent, request } from "node:http";

/** What became of a request: "half" is an answer that breaks off, "none" a connection that was refused or closed. */
export interface Answered {
  readonly sentAt: number;
  readonly as: number | "half" | "none";
}

export interface HttpLoad {
  /** All requests so far that have ended. */
  readonly answered: readonly Answered[];
  /** Sends no more; resolves once the last request has ended. The connections stay open. */
  end(): Promise<void>;
}

interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
}

/** Keeps connections busy as products do: each reuses its own, and sends again when it was answered. */
export function startLoad(
  origin: string,
  key: string,
  connections: number,
  ask: (count: number) => Asked,
): HttpLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const answered: Answered[] = [];
  let isOver = false;
  let count = 0;

  const work = async () => {
    while (!isOver) {
      const sentAt = performance.now();
      count += 1;
      const as = await send(agent, origin, key, ask(count));
      answered.push({ sentAt, as });
      if (as === "none") await new Promise((done) => setTimeout(done, 20));
    }
  };
  const all = Promise.all(Array.from({ length: connections }, work));
  return {
    answered,
    async end() {
      isOver = true;
      await all;
    },
  };
}

function send(
  agent: Agent,
  origin: string,
  key: string,
  { method, path, body }: Asked,
): Promise<Answered["as"]> {
  const { promise, resolve } = Promise.withResolvers<Answered["as"]>();
  const headers = {
    authorization: `Bearer ${key}`,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const sent = request(`${origin}${path}`, { agent, method, headers }, (answer) => {
    answer.once("close", () => resolve(answer.complete ? (answer.statusCode ?? 0) : "half"));
    answer.on("error", () => undefined);
    answer.resume();
  });
  sent.on("error", () => resolve("none"));
  sent.end(body);
  return promise;
}
