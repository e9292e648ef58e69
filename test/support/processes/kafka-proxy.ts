import type { Socket } from "node:net";
import { openProxy, type TcpProxy } from "./tcp-proxy.ts";

export interface KafkaProxy extends TcpProxy {
  /** The address by which clients know the broker. */
  readonly broker: string;
  /** On the connections there are, requests still get through, but no answer any more. */
  withholdAnswers(): void;
}

/** A proxy between clients and a broker on this machine, which they know by the proxy's address. */
export async function openKafkaProxy(broker: string): Promise<KafkaProxy> {
  const { hostname, port } = new URL(`kafka://${broker}`);
  const own = addressOf(hostname, Number(port));
  const answered = new Set<Socket>();
  const { port: listening, ...proxy } = await openProxy(
    { hostname, port },
    0,
    ({ client, upstream, isSilent }) => {
      answered.add(client);
      client.on("close", () => answered.delete(client));
      client.on("data", (chunk) => isSilent() || upstream.write(chunk));
      upstream.on("data", (chunk) => {
        if (!isSilent() && answered.has(client)) client.write(readdress(chunk));
      });
    },
  );
  const shown = addressOf(hostname, listening);
  return {
    ...proxy,
    broker: `${hostname}:${listening}`,
    withholdAnswers: () => answered.clear(),
  };

  /** The broker tells its address in metadata and to whom it coordinates: with the proxy's port instead. */
  function readdress(chunk: Buffer): Buffer {
    for (let at = chunk.indexOf(own); at !== -1; at = chunk.indexOf(own, at + 1))
      shown.copy(chunk, at);
    return chunk;
  }
}

/** A host and a port as Kafka's protocol writes them. */
function addressOf(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(host.length + 4);
  bytes.write(host);
  bytes.writeUInt32BE(port, host.length);
  return bytes;
}
