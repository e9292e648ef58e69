import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "../processes/tcp-proxy.ts";

/** A proxy before a registry that answers 500 for some paths. It reads only. */
export interface FailingRegistry {
  readonly url: string;
  /** The ends of the paths that fail. */
  readonly failing: Set<string>;
  close(): Promise<void>;
}

export async function openFailingRegistry(registryUrl: string): Promise<FailingRegistry> {
  const failing = new Set<string>();
  const server = createServer((request, response) => void answer(request, response));
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    failing,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };

  async function answer({ url = "" }: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = { "content-type": "application/vnd.schemaregistry.v1+json" };
    if ([...failing].some((end) => url.endsWith(end))) {
      response.writeHead(500, headers).end('{"error_code":50001,"message":"store"}');
      return;
    }
    const upstream = await fetch(`${registryUrl}${url}`);
    response.writeHead(upstream.status, headers).end(await upstream.text());
  }
}
