import http from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { isIP } from "node:net";
import { Webhook } from "standardwebhooks";
import type { Instant } from "../../shared/core/line/account.ts";
import type { WaitingDelivery } from "../../shared/ledger/webhooks/claim-deliveries.ts";
import type { OpenEndpoint } from "../../shared/ledger/webhooks/endpoints.ts";
import { type AddressRules, findAddresses } from "../../shared/webhooks/find-addresses.ts";

/** What an endpoint answered. */
export interface Answer {
  /** Null: it did not. */
  readonly status: number | null;
  /** The first bytes of the answer, as text without NUL. */
  readonly start: string | null;
  /** Why this is no delivery, as the end of a sentence that begins with the endpoint; null: it is one. */
  readonly problem: string | null;
}

export interface SendLimits {
  /** For name, connection and TLS. */
  readonly connectMs: number;
  /** For all of it. */
  readonly answerMs: number;
}

export const SEND_LIMITS: SendLimits = { connectMs: 5_000, answerMs: 15_000 };

/** Of an answer, no more is read, so that none fills the memory. */
const MOST_READ_BYTES = 16 << 10;
const MOST_KEPT_BYTES = 1_024;
/**
 * An answer counts by its status: what follows is waited for no longer, so that it does not hold up what comes next.
 */
const MOST_READ_MS = 1_000;
/** An idle connection is closed, so that a host that moves is looked up again. */
const IDLE_MS = 5_000;

const CONTENT = { "content-type": "application/json", "user-agent": "Drawdown-Webhooks/1" };

export type Sender = ReturnType<typeof openSender>;

/**
 * Sends deliveries, signed as the Standard Webhooks have it. Each connection goes to an address that was
 * checked after it was looked up, so no name can lead elsewhere in between. Nothing follows a redirect.
 */
export function openSender(rules: AddressRules, limits: SendLimits = SEND_LIMITS) {
  const idle = { keepAlive: true, timeout: IDLE_MS };
  const agents = { "http:": new http.Agent(idle), "https:": new https.Agent(idle) };
  const lookup = checkedLookup(rules);

  async function post(
    { url, headers, body, signal }: Posting,
    agent: http.Agent | false,
  ): Promise<Answer> {
    const secure = url.protocol === "https:";
    const { request: open } = secure ? https : http;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const request = open(url, { method: "POST", headers, agent, lookup, signal });
    let isOver = false;
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (isOver) return;
      isOver = true;
      if (request.reusedSocket && agent !== false && error.code === "ECONNRESET") {
        // It closed a connection that was idle, and has not read this.
        void post({ url, headers, body, signal }, false).then(resolve);
      } else resolve({ status: null, start: null, problem: problemOf(error) });
    });
    request.on("socket", (socket) => {
      if (!socket.connecting) return;
      const late = () =>
        request.destroy(new Error(`no connection within ${limits.connectMs / 1000} s`));
      const timer = setTimeout(late, limits.connectMs);
      const clear = () => clearTimeout(timer);
      socket.once(secure ? "secureConnect" : "connect", clear).once("close", clear);
    });
    request.on("response", (response) => {
      isOver = true;
      void readStart(response).then((start) => {
        resolve({ ...judge(response.statusCode ?? 0), start });
        // Whatever is left of it.
        if (!response.readableEnded) request.destroy();
      });
    });
    // As after a 101, which nobody has asked for.
    request.on("close", () => {
      if (!isOver) resolve({ status: null, start: null, problem: "closed without an answer" });
    });
    request.end(body);
    return promise;
  }

  return {
    /** Never rejects. Once `cut` is aborted the answer is null: whether it was delivered is unknown. */
    async send(
      { url: address, secrets }: OpenEndpoint,
      { webhookId, body }: WaitingDelivery,
      { at, cut }: { readonly at: Instant; readonly cut: AbortSignal },
    ): Promise<Answer | null> {
      const url = new URL(address);
      const timeout = AbortSignal.timeout(limits.answerMs);
      const signal = AbortSignal.any([timeout, cut]);
      const signed = secrets.map((secret) =>
        new Webhook(secret).sign(webhookId, new Date(at), body),
      );
      const headers = {
        ...CONTENT,
        "content-length": Buffer.byteLength(body),
        "webhook-id": webhookId,
        "webhook-timestamp": String(Math.floor(at / 1000)),
        "webhook-signature": signed.join(" "),
      };
      const refused = await refusedBefore(url, rules);
      if (refused !== null) return { status: null, start: null, problem: refused };
      const agent = agents[url.protocol === "https:" ? "https:" : "http:"];
      const answer = await post({ url, headers, body, signal }, agent);
      if (answer.status !== null) return answer;
      if (cut.aborted) return null;
      if (!timeout.aborted) return answer;
      return { ...answer, problem: `gave no answer within ${limits.answerMs / 1000} s` };
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

interface Posting {
  readonly url: URL;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** What can be seen before anything is looked up: a number as the host is not looked up at all. */
async function refusedBefore(url: URL, rules: AddressRules): Promise<string | null> {
  if (url.protocol === "http:" && !rules.allowPrivate) return "is reached over http, not https";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) === 0) return null;
  try {
    await findAddresses(host, rules);
    return null;
  } catch (error) {
    return problemOf(error as Error);
  }
}

function checkedLookup(rules: AddressRules): LookupFunction {
  return (host, options, callback) => {
    findAddresses(host, rules).then(
      (found) => {
        const [first] = found;
        if (options.all === true) callback(null, [...found]);
        else callback(null, first?.address ?? "", first?.family ?? 0);
      },
      (error: Error) => callback(error, ""),
    );
  };
}

/** The first bytes; ends at 16 KiB, after a second, at the end, or where the connection ends. */
async function readStart(response: http.IncomingMessage): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const pieces: Buffer[] = [];
  let bytes = 0;
  response.on("data", (piece: Buffer) => {
    if (bytes < MOST_KEPT_BYTES) pieces.push(piece.subarray(0, MOST_KEPT_BYTES - bytes));
    bytes += piece.length;
    if (bytes >= MOST_READ_BYTES) resolve();
  });
  response
    .on("error", () => resolve())
    .on("end", resolve)
    .on("close", resolve);
  const timer = setTimeout(resolve, MOST_READ_MS);
  await promise;
  clearTimeout(timer);
  return Buffer.concat(pieces).toString().replaceAll("\0", "\uFFFD");
}

function judge(status: number): Pick<Answer, "status" | "problem"> {
  if (status >= 200 && status < 300) return { status, problem: null };
  const redirect = status >= 300 && status < 400 ? ", a redirect: redirects are not followed" : "";
  return { status, problem: `answered ${status}${redirect}` };
}

function problemOf(error: NodeJS.ErrnoException): string {
  // Of several addresses that were tried, the error has no message.
  const message = error.message === "" ? (error.code ?? error.name) : error.message;
  return message.slice(0, MOST_KEPT_BYTES).replaceAll("\0", "\uFFFD");
}
