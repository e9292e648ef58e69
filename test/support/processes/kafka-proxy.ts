import { openProxy, type TcpProxy } from "./tcp-proxy.ts";

/** A proxy between clients and a broker on this machine, which they know by the proxy's address. */
export async function openKafkaProxy(
  broker: string,
): Promise<TcpProxy & { readonly broker: string }> {
  const { hostname, port } = new URL(`kafka://${broker}`);
  const own = addressOf(hostname, Number(port));
  const { port: listening, ...proxy } = await openProxy(
    { hostname, port },
    0,
    ({ client, upstream, isSilent }) => {
      client.on("data", (chunk) => isSilent() || upstream.write(chunk));
      upstream.on("data", (chunk) => isSilent() || client.write(readdress(chunk)));
    },
  );
  const shown = addressOf(hostname, listening);
  return { ...proxy, broker: `${hostname}:${listening}` };

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
