import { setTimeout as wait } from "node:timers/promises";

export interface Api {
  /** Sends until an API process answers below 500; another one is asked each time. */
  must(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<number>;
  /** One request to one process; null where it failed. */
  once(port: number, method: string, path: string, body?: unknown): Promise<number | null>;
}

const WITHIN_MS = 10_000;
const AGAIN_MS = 300;

/** The API's processes, asked in turn, with an admin key. */
export function openApi(ports: readonly number[], key: string): Api {
  let turn = 0;
  const once: Api["once"] = async (port, method, path, body) => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(WITHIN_MS),
      });
      const text = await response.text();
      if (isRefused(response.status)) {
        throw new Refused(`${method} ${path} was answered ${response.status}: ${text}`);
      }
      return response.status;
    } catch (error) {
      if (error instanceof Refused) throw error;
      return null;
    }
  };
  return {
    once,
    async must(method, path, body, signal) {
      for (;;) {
        const port = ports[turn++ % ports.length] ?? 0;
        const status = await once(port, method, path, body);
        if (status !== null && status < 300) return status;
        await wait(AGAIN_MS, undefined, { signal });
      }
    },
  };
}

/** A request that arrives too slowly, because its process stood still, and too many of them may be sent again. */
function isRefused(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** An answer that says the request is wrong: a fault of the fire's own. */
class Refused extends Error {}
