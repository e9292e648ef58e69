import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { openCommands } from "./commands.ts";

const WITHIN_MS = 60_000;
const POLL_MS = 100;

/** What has arrived at a receiver. */
export interface Receiver {
  /** Waits for the webhook of a top-up that has succeeded, and shows it. */
  show(): Promise<void>;
  close(): void;
}

/** Makes a webhook endpoint for what follows, with a receiver that verifies what it is sent. */
export async function receiveWebhooks(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<Receiver> {
  const { type } = openCommands(env, say);
  const received: string[] = [];
  let webhook: Webhook | null = null;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    webhook?.verify(body, request.headers as Record<string, string>);
    received.push(body);
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  say("\nA webhook: events are posted to a receiver, signed");
  const types = "--type billing.low-balance billing.top-ups";
  const shown = await type(`webhooks add http://127.0.0.1:${port}/ ${types}`);
  webhook = new Webhook(shown.split("\n").at(-1) ?? "");
  return {
    async show() {
      const deadline = performance.now() + WITHIN_MS;
      const isThere = () => received.find((body) => body.includes('"status":"succeeded"'));
      while (isThere() === undefined && performance.now() < deadline) await wait(POLL_MS);
      const body = isThere();
      if (body === undefined) throw new Error("no webhook of the top-up has arrived");
      say(`\nThe receiver has verified ${received.length} webhooks, of the top-up this one:`);
      say(JSON.stringify(JSON.parse(body), null, 2));
    },
    close: () => server.close(),
  };
}
