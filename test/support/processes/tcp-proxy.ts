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

export interface PostgresProxy extends TcpProxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** Catches the next statement for which `when` is true, once; resolves with it when it arrives. */
  catchNext(when: (statement: Statement) => boolean, fate: Fate): Promise<Statement>;
  /** Stops catching. */
  release(): void;
}

/** What stands between clients and a server. */
export interface TcpProxy {
  /**
   * Silences every connection there is: nothing gets through any more in either direction, not even its end,
   * as when a host dies or a NAT forgets it. New ones work. Returns how many there were.
   */
  swallow(): number;
  close(): Promise<void>;
}

/** A connection's two halves. */
export interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  isSilent(): boolean;
}

interface Trap {
  readonly when: (statement: Statement) => boolean;
  readonly fate: Fate;
  readonly caught: (statement: Statement) => void;
}

/** A proxy between a client and Postgres that makes connections fail at a chosen statement. */
export async function openPostgresProxy(databaseUrl: string, port = 0): Promise<PostgresProxy> {
  const target = new URL(databaseUrl);
  let trap: Trap | null = null;

  function trapFor(statement: Statement | null): Trap | null {
    if (trap === null || statement === null || !trap.when(statement)) return null;
    const sprung = trap;
    trap = null;
    return sprung;
  }

  const { port: listening, ...proxy } = await openProxy(target, port, (pair) =>
    relay(pair, trapFor),
  );
  return {
    ...proxy,
    url: Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${listening}` }).href,
    catchNext(when, fate) {
      const { promise, resolve } = Promise.withResolvers<Statement>();
      trap = { when, fate, caught: resolve };
      return promise;
    },
    release() {
      trap = null;
    },
  };
}

function relay(
  { client, upstream, isSilent }: Pair,
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
    if (!isSilent() && fate !== "freeze" && fate !== "cut") upstream.write(bytes);
  };
  let through: Promise<void> = Promise.resolve();
  client.on("data", (chunk) => {
    for (const frame of read(chunk)) through = through.then(() => meet(frame));
  });
  upstream.on("data", (chunk) => {
    if (isSilent() || fate === "freeze" || fate === "withhold the answer") return;
    if (fate === "lose the answer") client.destroy();
    else client.write(chunk);
  });
}

/** Passes connections on; `relay` carries the bytes. 0: any free port. */
export async function openProxy(
  target: { readonly hostname: string; readonly port: string },
  preferredPort: number,
  relay: (pair: Pair) => void,
): Promise<TcpProxy & { readonly port: number }> {
  const silencers = new Set<() => void>();
  const sockets = new Set<Socket>();
  // Half open, so that one that was silenced does not answer its end either.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const { hostname: host, port } = target;
    const upstream = connect({ host, port: Number(port || 5432), allowHalfOpen: true });
    const both = [client, upstream] as const;
    let isSilent = false;
    const silence = () => {
      isSilent = true;
    };
    silencers.add(silence);
    const end = () => {
      if (isSilent) return;
      silencers.delete(silence);
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("end", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    relay({ client, upstream, isSilent: () => isSilent });
  });
  const port = await listen(server, preferredPort);
  return {
    port,
    swallow() {
      const count = silencers.size;
      for (const silence of silencers) silence();
      silencers.clear();
      return count;
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
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
