import { toSentence } from "../../../shared/core/text/text.ts";

/** An answer that is not the one asked for, in words (RFC 9457), or none at all (`status` 0). */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  /** The field of the request that is wrong, when it is one. */
  readonly field: string | null;

  constructor(status: number, message: string, field: string | null = null) {
    super(message);
    this.status = status;
    this.field = field;
  }

  /** True when the token or key opens nothing any more. */
  get isRefusal(): boolean {
    return this.status === 401;
  }
}

/** What is sent, apart from the credential. */
export interface Asked {
  readonly method?: "GET" | "PATCH" | "POST";
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

const TIME_LIMIT_MS = 20_000;

/** Asks the API, with `credential` as the bearer. Throws a `Problem` that can be shown to a person. */
export async function request<T>(credential: string, path: string, asked: Asked = {}): Promise<T> {
  const headers = new Headers({ authorization: `Bearer ${credential}` });
  if (asked.body !== undefined) headers.set("content-type", "application/json");
  if (asked.idempotencyKey !== undefined) headers.set("idempotency-key", asked.idempotencyKey);
  const response = await reach(path, {
    method: asked.method ?? "GET",
    headers,
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
    ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
  });
  if (!response.ok) throw await problemOf(response);
  // What the server says it answers is held by its own tests against the same contract.
  return (await response.json()) as T;
}

/** Reads the problem out of an answer that is none of success. */
async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const said = textIn(body, "detail") ?? textIn(body, "title") ?? "";
  return new Problem(
    response.status,
    said === ""
      ? `The server answered with ${response.status}. Try again in a moment.`
      : toSentence(said),
    textIn(body, "field"),
  );
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch {
    throw new Problem(0, "The server cannot be reached. Check the connection, then try again.");
  }
}

function textIn(body: unknown, name: string): string | null {
  if (typeof body !== "object" || body === null) return null;
  const value: unknown = Reflect.get(body, name);
  return typeof value === "string" ? value : null;
}
