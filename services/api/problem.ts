/** An answer that refuses: RFC 9457. Thrown by routes, written by answer-problems.ts. */
export class Problem extends Error {
  readonly status: number;
  /** What is wrong, for programs; the same for the same cause. */
  readonly code: string;
  /** The field, parameter or header that is wrong. */
  readonly field: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** What the document says beyond that (RFC 9457, 3.2). */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: {
      readonly field?: string;
      readonly retryAfterSeconds?: number;
      readonly members?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.field = more.field;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.members = more.members ?? {};
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "The request is not valid",
  401: "Who is asking?",
  403: "Not allowed",
  404: "Not found",
  406: "Not acceptable",
  408: "The request took too long",
  409: "Conflict",
  412: "A condition does not hold",
  413: "The request is too large",
  414: "The address is too long",
  415: "The content is of a type that is not understood",
  422: "It cannot be done",
  429: "Too many requests",
  431: "The headers are too large",
  500: "Something went wrong here",
  503: "Not available now",
};

/** What a document says of a problem. */
export function documentOf({ status, code, message, field, members }: Problem) {
  return {
    type: `urn:drawdown:${code}`,
    title: TITLES[status] ?? "The request failed",
    status,
    detail: message,
    ...(field === undefined ? {} : { field }),
    ...members,
  };
}

export function badRequest(field: string, what: string): Problem {
  return new Problem(400, "invalid", `${field} ${what}`, { field });
}

export function unknownAccount(accountId: string): Problem {
  return unknown("account_id", accountId);
}

/** There is no such thing as `field`, `lot_id` say, names. */
export function unknown(field: `${string}_id`, id: string): Problem {
  const what = field.slice(0, -"_id".length);
  return new Problem(404, `unknown_${what}`, `there is no ${what} ${id}`, { field });
}

/** It was understood and is not done: one sentence why. */
export function refused(code: string, detail: string, field?: string): Problem {
  return new Problem(422, code, detail, field === undefined ? {} : { field });
}
