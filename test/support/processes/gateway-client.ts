import { randomUUID } from "node:crypto";

/** An answer of the simulated gateway. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The body of a charge. */
export const CHARGE = {
  account_id: "acme",
  payment_id: "p1",
  amount: "1000",
  currency: "USD",
  customer: "cus_acme",
  method: "card_approve",
} as const;

/** A plain JSON over HTTP client of the simulated gateway. */
export interface GatewayClient {
  readonly url: string;
  /** POSTs CHARGE with the fields in `different`, under `key` or a new one. */
  charge(different?: object, key?: string): Promise<Answer>;
  /** GETs. */
  read(path: string): Promise<Answer>;
  send(method: "POST" | "PUT", path: string, body?: unknown, key?: string): Promise<Answer>;
  /** The charge log, or the part of it that a query selects. */
  payments(query?: string): Promise<unknown[]>;
}

export function gatewayClient(url: string): GatewayClient {
  async function call(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(new URL(path, url), init);
    return { status: response.status, body: (await response.json()) as Answer["body"] };
  }
  const send: GatewayClient["send"] = (method, path, body, key) =>
    call(path, {
      method,
      headers: {
        ...(key === undefined ? {} : { "Idempotency-Key": key }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const read = (path: string) => call(path, {});
  return {
    url,
    read,
    send,
    charge: (different = {}, key = randomUUID()) =>
      send("POST", "/v1/payments", { ...CHARGE, ...different }, key),
    async payments(query = "") {
      const { body } = await read(`/v1/payments${query}`);
      return body["payments"] as unknown[];
    },
  };
}
