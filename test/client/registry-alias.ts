import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface RegistryAlias {
  readonly url: string;
  /** The number of requests while it was down. */
  readonly missed: number;
  /** Makes it answer, or not. */
  setAway(away: boolean): void;
  close(): Promise<void>;
}

/** The real registry at `url`, with the subject `from` mapped to the subject `to`. */
export async function aliasRegistry(url: string, from: string, to: string): Promise<RegistryAlias> {
  let away = false;
  let missed = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (away) {
      missed += 1;
      response.destroy();
      return;
    }
    const answer = await fetch(url + (request.url ?? "").replace(from, to), {
      method: request.method ?? "GET",
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    const type = answer.headers.get("content-type") ?? "application/json";
    response.writeHead(answer.status, { "content-type": type });
    response.end(await answer.text());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get missed() {
      return missed;
    },
    setAway(isAway) {
      away = isAway;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
