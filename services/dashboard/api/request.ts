import { toSentence } from "../../../shared/core/text/text.ts";

/** An error answer (RFC 9457), or no answer at all (`status` 0). */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  /** The field of the request that is wrong, if it is one. */
  readonly field: string | null;

  constructor(status: number, message: string, field: string | null = null) {
    super(message);
    this.status = status;
    this.field = field;
  }
}

export interface RequestOptions {
  readonly method?: "GET" | "PATCH" | "POST";
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

const TIME_LIMIT_MS = 20_000;

/** Calls the API with `credential` as the bearer. Throws a `Problem` with a message for users. */
export async function request<T>(
  credential: string,
  path: string,
  options: RequestOptions = {},
): Promise<T> {
  const headers = new Headers({ authorization: `Bearer ${credential}` });
  if (options.body !== undefined) headers.set("content-type", "application/json");
  if (options.idempotencyKey !== undefined) headers.set("idempotency-key", options.idempotencyKey);
  const response = await reach(path, {
    method: options.method ?? "GET",
    headers,
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  // The server encodes its answers by the same contract.
  return (await response.json()) as T;
}

async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const detail = textIn(body, "detail") ?? textIn(body, "title") ?? "";
  return new Problem(
    response.status,
    detail === ""
      ? `The server answered with ${response.status}. Try again in a moment.`
      : toSentence(detail),
    textIn(body, "field"),
  );
}

/** The good answer to a request. Throws a `Problem`. */
export async function reach(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, init).catch(() => {
    throw new Problem(0, "The server cannot be reached. Check the connection, then try again.");
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

function textIn(body: unknown, name: string): string | null {
  if (typeof body !== "object" || body === null) return null;
  const value: unknown = Reflect.get(body, name);
  return typeof value === "string" ? value : null;
}
