import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type Frame, frameReader, type Statement } from "./postgres-frames.ts";

/** What happens to a connection whose statement is caught. */
export type Fate =
  /** It stalls: neither the statement nor anything after it gets through, in either direction. */
  | "freeze"
  /** It is closed before the statement gets through. */
  | "cut"
  /** The statement is executed, but the connection is closed instead of answering. */
  | "lose the answer"
  /** The statement is executed, and then the connection stalls: no answer gets through. */
  | "withhold the answer"
  /** The statement gets through only after this has run. */
  | (() => Promise<void>);

export interface PostgresProxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** Catches the next statement for which `when` is true, once; resolves with it when it arrives. */
  catchNext(when: (statement: Statement) => boolean, fate: Fate): Promise<Statement>;
  /** Stops catching. */
  release(): void;
  close(): Promise<void>;
}

interface Trap {
  readonly when: (statement: Statement) => boolean;
  readonly fate: Fate;
  readonly caught: (statement: Statement) => void;
}

/** A proxy between a client and Postgres that makes connections fail at a chosen statement. */
export async function openPostgresProxy(databaseUrl: string, port = 0): Promise<PostgresProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let trap: Trap | null = null;

  function trapFor(statement: Statement | null): Trap | null {
    if (trap === null || statement === null || !trap.when(statement)) return null;
    const sprung = trap;
    trap = null;
    return sprung;
  }

  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port || 5432) });
    const both = [client, upstream] as const;
    for (const socket of both) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        for (const other of both) other.destroy();
      });
    }
    relay(client, upstream, trapFor);
  });
  const listening = await listen(server, port);
  return {
    url: Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${listening}` }).href,
    catchNext(when, fate) {
      const { promise, resolve } = Promise.withResolvers<Statement>();
      trap = { when, fate, caught: resolve };
      return promise;
    },
    release() {
      trap = null;
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

function relay(
  client: Socket,
  upstream: Socket,
  trapFor: (statement: Statement | null) => Trap | null,
): void {
  const read = frameReader();
  let fate: Fate | null = null;
  const meet = async ({ bytes, statement }: Frame): Promise<void> => {
    const sprung = trapFor(statement);
    if (sprung !== null && statement !== null) {
      fate = sprung.fate;
      if (isExecuted(fate)) upstream.once("data", () => sprung.caught(statement));
      else sprung.caught(statement);
      if (fate === "cut") client.destroy();
      if (typeof fate === "function") await fate();
    }
    if (fate !== "freeze" && fate !== "cut") upstream.write(bytes);
  };
  let through: Promise<void> = Promise.resolve();
  client.on("data", (chunk) => {
    for (const frame of read(chunk)) through = through.then(() => meet(frame));
  });
  upstream.on("data", (chunk) => {
    if (fate === "freeze" || fate === "withhold the answer") return;
    if (fate === "lose the answer") client.destroy();
    else client.write(chunk);
  });
}

function isExecuted(fate: Fate): boolean {
  return fate === "lose the answer" || fate === "withhold the answer";
}

/** Listens on this machine; 0: on any free port. Returns the port. */
export async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  return address.port;
}
