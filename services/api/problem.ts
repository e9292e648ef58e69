import { STATUS_CODES } from "node:http";
import { explainRefusal } from "../../shared/contract/refusals.ts";
import type { AccountId } from "../../shared/core/line/account.ts";
import type { Refusal } from "../../shared/core/line/refusal.ts";

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

/** The phrase of a status in RFC 9110; of two of them Node has the older one. */
export function titleOf(status: number): string {
  if (status === 413) return "Content Too Large";
  return status === 422 ? "Unprocessable Content" : (STATUS_CODES[status] ?? "Error");
}

/** What a document says of a problem. */
export function documentOf({ status, code, message, field, members }: Problem) {
  return {
    type: `urn:drawdown:${code}`,
    title: titleOf(status),
    status,
    detail: message,
    ...(field === undefined ? {} : { field }),
    ...members,
  };
}

export function badRequest(field: string, what: string): Problem {
  return new Problem(400, "invalid", `${field} ${what}`, { field });
}

/** The problem that a refusal is answered with; `field` is the one that is wrong where its kind does not say. */
export function refuse(refusal: Refusal, field?: string): Problem {
  const { sentence, status, field: ofKind = field } = explainRefusal(refusal);
  return new Problem(status, refusal.kind, sentence, ofKind === undefined ? {} : { field: ofKind });
}

export function unknownAccount(accountId: AccountId): Problem {
  return refuse({ kind: "unknown_account", accountId });
}
