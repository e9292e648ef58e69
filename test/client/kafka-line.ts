import { once } from "node:events";
import net, { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { vi } from "vitest";

const PRODUCE = 0;

/** The connection between this process's Kafka clients and the broker, once opened. */
export interface KafkaLine {
  /** The number of produce requests sent to the broker. */
  readonly produceRequests: number;
  /** Their bytes. */
  readonly produceBytes: number;
  /** The number of connections refused since the line was cut. */
  readonly refused: number;
  /** Closes all connections, and new ones immediately. */
  cut(): void;
  /** Requests reach the broker, but its answers are dropped. */
  loseAnswers(): void;
  mend(): void;
  /** Removes the line and cuts its connections. */
  remove(): Promise<void>;
}

/** Places a line between the Kafka clients of this process and the broker at `address`. */
export async function layKafkaLine(address: string): Promise<KafkaLine> {
  const port = Number(address.split(":")[1]);
  let state: "whole" | "cut" | "deaf" = "whole";
  let produceRequests = 0;
  let produceBytes = 0;
  let refused = 0;
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    if (state === "cut") {
      refused += 1;
      client.destroy();
      return;
    }
    // The test's own connections are redirected; this import of `connect` is not.
    const broker = connect({ host: "127.0.0.1", port });
    const pair = [client, broker] as const;
    for (const socket of pair) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        for (const other of pair) other.destroy();
      });
    }
    const read = requestReader((apiKey, length) => {
      if (apiKey !== PRODUCE) return;
      produceRequests += 1;
      produceBytes += length;
    });
    client.on("data", (bytes) => {
      read(bytes);
      broker.write(bytes);
    });
    broker.on("data", (bytes) => {
      if (state !== "deaf") client.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const ours = (server.address() as AddressInfo).port;
  const redirected = redirect(port, ours);

  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    get produceRequests() {
      return produceRequests;
    },
    get produceBytes() {
      return produceBytes;
    },
    get refused() {
      return refused;
    },
    cut() {
      state = "cut";
      hangUp();
    },
    loseAnswers() {
      state = "deaf";
    },
    mend() {
      state = "whole";
    },
    async remove() {
      redirected.mockRestore();
      server.close();
      hangUp();
      await once(server, "close");
    },
  };
}

/** KafkaJS connects with `net.connect({ host, port }, onConnect)`. */
function redirect(from: number, to: number) {
  const original = net.connect.bind(net) as (...args: unknown[]) => Socket;
  const redirecting = (options: unknown, ...rest: unknown[]): Socket => {
    const isOurs =
      typeof options === "object" && options !== null && "port" in options && options.port === from;
    return original(isOurs ? { ...options, port: to } : options, ...rest);
  };
  return vi.spyOn(net, "connect").mockImplementation(redirecting as typeof net.connect);
}

/**
 * Calls `onRequest` with the API key and the length of each Kafka request: four bytes of length, two of key, the
 * rest.
 */
function requestReader(
  onRequest: (apiKey: number, length: number) => void,
): (bytes: Buffer) => void {
  let kept: Buffer = Buffer.alloc(0);
  return (bytes) => {
    kept = Buffer.concat([kept, bytes]);
    while (kept.length >= 6 && kept.length >= 4 + kept.readInt32BE(0)) {
      const length = 4 + kept.readInt32BE(0);
      onRequest(kept.readInt16BE(4), length);
      kept = kept.subarray(length);
    }
  };
}
