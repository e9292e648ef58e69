import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** What a way does to the connections through it. */
export type Weather =
  | { readonly kind: "clear" }
  /** Every piece of data arrives later, in order. */
  | { readonly kind: "slow"; readonly ms: number }
  /** Nothing moves, on old connections and new ones, until it is clear; then all of it arrives. */
  | { readonly kind: "stalled" }
  /** Connections are refused. */
  | { readonly kind: "refused" }
  /** Whoever asks gets this answer, and the server hears nothing. */
  | { readonly kind: "answered"; readonly text: string };

/** A way from one process to one server. */
export interface Way {
  readonly port: number;
  setWeather(weather: Weather): void;
  /** Ends all connections at once, with an RST; new ones work. */
  reset(): void;
  /** The connections of now never hear anything again, and nobody is told; new ones work. */
  swallow(): void;
  /** Watches for data to the server with this text. It gets through; then its connection has this fate. */
  watch(text: string, fate: Fate): Watch;
  close(): Promise<void>;
}

export type Fate =
  | "goes on"
  /** Neither side hears anything more, and nobody is told. */
  | "goes silent"
  /** The client is told so with an RST; the server does what it was asked. */
  | "is reset";

export interface Watch {
  /** Resolves once it has come. */
  readonly seen: Promise<void>;
  forget(): void;
}

interface Watched {
  readonly text: string;
  readonly fate: Fate;
  readonly tell: () => void;
}

interface Line {
  readonly client: Socket;
  readonly upstream: Socket;
  swallowed: boolean;
}

/** Listens on this machine, on any free port; `target` says where each new connection goes. */
export async function openWay(target: () => number): Promise<Way> {
  const lines = new Set<Line>();
  let weather: Weather = { kind: "clear" };
  let clear = Promise.withResolvers<void>();
  clear.resolve();
  const watched = new Set<Watched>();

  const passes = async (): Promise<void> => {
    const { kind } = weather;
    if (kind === "stalled") await clear.promise;
    else if (weather.kind === "slow") await later(weather.ms);
  };

  function relay(from: Socket, to: Socket, line: Line, onData: (chunk: Buffer) => void): void {
    let before: Promise<void> = Promise.resolve();
    let waiting = 0;
    const write = (chunk: Buffer) => {
      if (!line.swallowed && !to.destroyed) to.write(chunk);
      onData(chunk);
    };
    from.on("data", (chunk) => {
      if (line.swallowed) return;
      if (weather.kind === "answered" && from === line.client) return void from.end(weather.text);
      if (weather.kind === "clear" && waiting === 0) return write(chunk);
      waiting += 1;
      const turn = passes();
      before = before
        .then(() => turn)
        .then(() => {
          waiting -= 1;
          write(chunk);
        });
    });
    from.on("end", () => {
      if (!line.swallowed) void before.then(() => to.end());
    });
  }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (weather.kind === "refused") return void client.resetAndDestroy();
    const upstream = connect({ host: "127.0.0.1", port: target(), allowHalfOpen: true });
    const line: Line = { client, upstream, swallowed: false };
    lines.add(line);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => end(line, socket));
    }
    relay(client, upstream, line, (chunk) => {
      const found = [...watched].find(({ text }) => chunk.includes(text));
      if (found === undefined) return;
      watched.delete(found);
      line.swallowed = found.fate !== "goes on";
      if (found.fate === "is reset") {
        client.resetAndDestroy();
        upstream.end();
      }
      found.tell();
    });
    relay(upstream, client, line, () => undefined);
  });

  /** Of a line that is swallowed neither side learns that the other has gone. */
  function end(line: Line, closed: Socket): void {
    const other = closed === line.client ? line.upstream : line.client;
    if (other.destroyed) lines.delete(line);
    else if (!line.swallowed) other.destroy();
  }

  function reset(): void {
    for (const { client, upstream } of lines) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");

  return {
    port: address.port,
    setWeather(next) {
      weather = next;
      clear.resolve();
      if (next.kind === "stalled") clear = Promise.withResolvers();
      if (next.kind === "refused") reset();
    },
    reset,
    swallow() {
      for (const line of lines) line.swallowed = true;
    },
    watch(text, fate) {
      const { promise: seen, resolve: tell } = Promise.withResolvers<void>();
      const one = { text, fate, tell };
      watched.add(one);
      return { seen, forget: () => void watched.delete(one) };
    },
    async close() {
      server.close();
      for (const { client, upstream } of lines) {
        client.destroy();
        upstream.destroy();
      }
      await once(server, "close");
    },
  };
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
