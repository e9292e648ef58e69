import type { Socket } from "node:net";
import pg from "pg";
import { endWaitingBackends } from "./end-waiting-backends.ts";

/** Ticks, and not a clock: a process that stood still has not listened either. */
const TICK_MS = 1_000;
/** Silent ticks after which the server is asked. */
const ASK_AFTER = 5;
/** And after which a connection is given up though the server could not be asked. */
const GIVE_UP_AFTER = 20;

const READ_ONLY = "25006";

/** The server only reads: since a failover this one is a standby, and another the primary. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === READ_ONLY;
}

/** Nothing is heard on a connection any more, although the server waits for us. */
class ConnectionSilent extends Error {
  readonly code = "ETIMEDOUT";
  constructor() {
    super("the connection to Postgres went silent");
  }
}

/** What the types of pg leave out of a client. */
interface Connected extends pg.PoolClient {
  readonly processID: number;
  /** False while it waits for an answer. */
  readonly readyForQuery: boolean;
  /** False while a COPY is a stream, at the pace of whoever reads or writes it. */
  readonly pipeline: boolean;
  readonly _ending: boolean;
}

interface Watched {
  isIdle: boolean;
  /** What had been sent and received at the last tick. */
  bytes: number;
  /** The ticks that it has waited since then, or since the server was found at work for it. */
  silentFor: number;
}

/**
 * Has a pool replace connections that are of no use: one that waits for an answer on which the server, asked
 * over a new connection, does not work, and those to a server that only reads now. The idle ones go with
 * them. What Postgres works on may take as long as it likes. `server`: how to ask it.
 */
export function replaceUseless(pool: pg.Pool, server: pg.ClientConfig): void {
  const all = new Map<Connected, Watched>();
  let timer: NodeJS.Timeout | undefined;
  let isAsking = false;

  pool.on("connect", (client) => {
    const connected = client as Connected;
    all.set(connected, { isIdle: false, bytes: 0, silentFor: 0 });
    client.once("end", () => {
      all.delete(connected);
      if (all.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    });
    timer ??= setInterval(tick, TICK_MS).unref();
  });
  pool.on("acquire", (client) => setIdle(client, false));
  pool.on("release", (error, client) => {
    setIdle(client, true);
    if (isReadOnly(error)) destroy(idleOnes(), error);
  });

  function setIdle(client: pg.PoolClient, isIdle: boolean): void {
    const watched = all.get(client as Connected);
    if (watched !== undefined) watched.isIdle = isIdle;
  }

  function setHeard(client: Connected): void {
    const watched = all.get(client);
    if (watched !== undefined) watched.silentFor = 0;
  }

  function idleOnes(): Connected[] {
    return [...all].flatMap(([client, { isIdle }]) => (isIdle ? [client] : []));
  }

  function silentSince(ticks: number): Connected[] {
    return [...all].flatMap(([client, { silentFor }]) => (silentFor >= ticks ? [client] : []));
  }

  function tick(): void {
    for (const [client, watched] of all) {
      const bytes = bytesOf(client);
      const isSilent = isWaiting(client) && bytes === watched.bytes;
      watched.silentFor = isSilent ? watched.silentFor + 1 : 0;
      watched.bytes = bytes;
    }
    if (!isAsking) void replaceSilent();
  }

  async function replaceSilent(): Promise<void> {
    const silent = silentSince(ASK_AFTER);
    if (silent.length === 0) return;
    isAsking = true;
    const ended = await endWaitingBackends(
      server,
      silent.map(({ processID }) => processID),
    );
    isAsking = false;
    if (ended !== null) for (const client of silent) setHeard(client);
    const lost =
      ended === null
        ? silentSince(GIVE_UP_AFTER)
        : silent.filter(({ processID }) => ended.has(processID));
    if (lost.length > 0) destroy([...lost, ...idleOnes()], new ConnectionSilent());
  }
}

function isWaiting({ readyForQuery, pipeline, _ending }: Connected): boolean {
  return (!readyForQuery && pipeline) || _ending;
}

function bytesOf(client: Connected): number {
  const { bytesRead, bytesWritten, writableLength } = client.connection.stream as Socket;
  return bytesRead + bytesWritten - writableLength;
}

/** The pool hears of it as of any lost connection. */
function destroy(clients: readonly Connected[], error: Error): void {
  for (const client of clients) client.connection.stream.destroy(error);
}
