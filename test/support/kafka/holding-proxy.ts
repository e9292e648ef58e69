import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import kafkajs, { type Kafka } from "kafkajs";
import { restIdleQueues } from "../../../shared/kafka/patches/idle-queues.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { listen } from "../processes/tcp-proxy.ts";

/** The numbers of requests in Kafka's protocol. */
const REQUESTS = {
  produce: 0,
  initProducerId: 22,
  addPartitionsToTransaction: 24,
  endTransaction: 26,
} as const;

export interface HoldingProxy {
  /** A client of the broker, all of whose connections are through the proxy. */
  readonly kafka: Kafka;
  /** Holds the next request of this kind back, and whatever is sent after it; resolves when it arrives. */
  holdNext(request: keyof typeof REQUESTS): Promise<void>;
  /** Lets through what was held back. */
  release(): void;
  close(): Promise<void>;
}

/** A proxy between a client and the only broker that holds back what the client sends. */
export async function openHoldingProxy(): Promise<HoldingProxy> {
  const [broker = ""] = readSettings(process.env).kafka.brokers;
  const target = new URL(`tcp://${broker}`);
  const sockets = new Set<Socket>();
  let trap: { readonly api: number; readonly caught: () => void } | null = null;
  let held: (() => void)[] | null = null;

  function pass(frame: Buffer, upstream: Socket): void {
    if (trap !== null && frame.readInt16BE(4) === trap.api) {
      held = [];
      trap.caught();
      trap = null;
    }
    const write = () => void upstream.write(frame);
    if (held === null) write();
    else held.push(write);
  }

  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
    }
    const read = requestReader();
    client.on("data", (chunk) => {
      for (const frame of read(chunk)) pass(frame, upstream);
    });
    upstream.pipe(client);
    // What a client sent before it closed arrives all the same.
    client.on("close", () => {
      if (held === null) upstream.end();
      else held.push(() => upstream.end());
    });
  });
  const port = await listen(server, 0);
  const kafka = new kafkajs.Kafka({
    clientId: "drawdown-test-proxied",
    brokers: [broker],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 100, retries: 3 },
    socketFactory: ({ onConnect }) => connect({ host: "127.0.0.1", port }, onConnect),
  });
  restIdleQueues(kafka);
  return {
    kafka,
    holdNext(request) {
      const { promise, resolve } = Promise.withResolvers<void>();
      trap = { api: REQUESTS[request], caught: resolve };
      return promise;
    },
    release() {
      const late = held ?? [];
      held = null;
      for (const write of late) write();
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/** Splits what a client sends into requests: four bytes of length, two that say which request it is. */
function requestReader(): (chunk: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const frames: Buffer[] = [];
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      frames.push(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    return frames;
  };
}
