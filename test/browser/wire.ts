import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { listen } from "../support/processes/tcp-proxy.ts";

/** A connection between a browser and the API. */
export interface Wire {
  /** The API's URL through the wire; it never changes. */
  readonly url: string;
  /** Breaks open connections; until `mend`, nothing gets through. */
  cut(): void;
  mend(): void;
  /** Connects to another API from now on: one that was restarted has another port. */
  leadTo(apiUrl: string): void;
  close(): Promise<void>;
}

export async function openWire(apiUrl: string): Promise<Wire> {
  const sockets = new Set<Socket>();
  let target = apiUrl;
  let isCut = false;
  const server = createServer((browser) => {
    if (isCut) return void browser.destroy();
    const { hostname, port } = new URL(target);
    const api = connect({ host: hostname, port: Number(port) });
    for (const [socket, other] of [
      [browser, api],
      [api, browser],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    leadTo(other) {
      target = other;
    },
    async close() {
      server.close();
      breakAll();
      await once(server, "close");
    },
  };
}
