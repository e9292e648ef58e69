import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { eventually } from "../eventually.ts";
import { listen } from "./tcp-proxy.ts";

interface ReceivedWebhook {
  readonly rawBody: Buffer;
  readonly signature: string;
  readonly json: {
    readonly id: string;
    readonly type: string;
    readonly created: number;
    readonly data: {
      readonly object: { readonly id: string; readonly metadata: { readonly payment_id: string } };
    };
  };
  /** Milliseconds. */
  readonly at: number;
}

export interface WebhookReceiver {
  readonly url: string;
  /** All received so far, including those answered with an error. */
  readonly received: readonly ReceivedWebhook[];
  /** Waits until `count` have arrived. */
  has(count: number): Promise<void>;
}

/** Receives webhooks and answers each with `answer` of the number received before, or never (null). */
export async function receiveWebhooks(
  answer: (before: number) => number | null = () => 200,
): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const server = createServer(async (request, response) => {
    const rawBody = await buffer(request);
    const signature = String(request.headers["stripe-signature"]);
    const status = answer(received.length);
    received.push({ rawBody, signature, json: JSON.parse(rawBody.toString()), at: Date.now() });
    if (status !== null) response.writeHead(status).end();
  });
  const port = await listen(server, 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    received,
    has: (count) => eventually(`${count} webhooks came`, () => received.length >= count),
  };
}
