/** The API refuses the request (RFC 9457), or cannot answer now. */
export class ApiProblem extends Error {
  readonly status: number;
  /** Identifies the cause, such as `unknown_account`. */
  readonly code: string;
  /** The wrong field, parameter or header. */
  readonly field: string | null;
  /** When to retry; null: a retry does not help. */
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
  /** How long to wait for an answer. Default 30,000. */
  readonly timeoutMs?: number;
}

interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** Sends a request. Rejects with ApiProblem, or with fetch's own error if nothing answers. */
export async function callApi(
  { url, key }: ApiClientOptions,
  request: ApiRequest,
): Promise<Response> {
  const { method, path, headers = {}, body, signal } = request;
  const response = await fetch(`${url.replace(/\/+$/, "")}${path}`, {
    method,
    headers: { ...headers, authorization: `Bearer ${key}` },
    // The key is sent nowhere else.
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
