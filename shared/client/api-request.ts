/** The API refuses (RFC 9457), or cannot answer now. */
export class ApiProblem extends Error {
  readonly status: number;
  /** The same for the same cause: `unknown_account`. */
  readonly code: string;
  /** What is wrong: a field, a parameter or a header. */
  readonly field: string | null;
  /** When to ask again, where that helps. */
  readonly retryAfterSeconds: number | null;

  constructor(
    status: number,
    document: Readonly<Record<string, unknown>>,
    retryAfter: number | null,
  ) {
    const { detail, type, field } = document;
    super(typeof detail === "string" ? detail : `the API answered with ${status}`);
    this.status = status;
    this.code = typeof type === "string" ? type.replace(/^urn:drawdown:/, "") : "unknown";
    this.field = typeof field === "string" ? field : null;
    this.retryAfterSeconds = retryAfter;
  }
}

export interface ApiClientOptions {
  /** Where the API is: `http://127.0.0.1:8088`. */
  readonly url: string;
  /** A key with the scopes that are needed, or a dashboard token. */
  readonly key: string;
  /** How long an answer is waited for. Default 30,000. */
  readonly timeoutMs?: number;
}

export interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** Asks the API. Rejects with ApiProblem, or with fetch's own error where nothing answers. */
export async function callApi({ url, key }: ApiClientOptions, asked: Asked): Promise<Response> {
  const { method, path, headers = {}, body, signal } = asked;
  const response = await fetch(`${url.replace(/\/+$/, "")}${path}`, {
    method,
    headers: { ...headers, authorization: `Bearer ${key}` },
    // The key goes nowhere else.
    redirect: "error",
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.ok) return response;
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  const document: unknown = await response.json().catch(() => null);
  throw new ApiProblem(
    response.status,
    typeof document === "object" && document !== null ? { ...document } : {},
    Number.isNaN(retryAfter) ? null : retryAfter,
  );
}
