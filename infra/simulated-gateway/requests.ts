import { z } from "zod";
import { MAX_BIGINT } from "../../shared/core/line/credit-line.ts";
import { isCurrency } from "../../shared/core/text/money.ts";
import { idProblem } from "../../shared/core/text/text.ts";
import { BEHAVIOUR_NAMES, type BehaviourName, behaviourOf } from "./cards.ts";
import type { LogQuery } from "./log-json.ts";
import type { PaymentRequest } from "./payment.ts";
import type { MadeBetween } from "./payments.ts";

const MOST_IN_SCRIPT = 1_000;

/** A malformed request. */
export class InvalidRequest extends Error {
  readonly field: string;

  constructor(field: string, problem: string) {
    super(`${field} ${problem}`);
    this.field = field;
  }
}

const idText = z.string("must be a text").check(({ value, issues }) => {
  const problem = idProblem("it", value);
  if (problem !== null) {
    issues.push({ code: "custom", input: value, message: `is not usable: ${problem}` });
  }
});

const AMOUNT = 'must be a whole number above 0 within 64 bits, written as a text like "1000"';
const amountText = z
  .string(AMOUNT)
  .regex(/^[1-9]\d{0,18}$/, AMOUNT)
  .transform((digits) => BigInt(digits))
  .refine((amount) => amount <= MAX_BIGINT, AMOUNT);

const CURRENCY = "must be a code of ISO 4217 in capitals, such as USD";
const CARD = `must be card_ and one of ${BEHAVIOUR_NAMES.join(", ")}, with any suffix after a "-"`;
const cardId = idText.refine((method) => behaviourOf(method) !== null, CARD);

const payment = z.strictObject({
  account_id: idText,
  payment_id: idText,
  amount: amountText,
  currency: z.string(CURRENCY).refine(isCurrency, CURRENCY),
  customer: idText,
  method: idText,
});

const refund = z.strictObject({ amount: amountText });

const once = z.string("must be given once").optional();
const query = z.strictObject({ key: once, account_id: once });

const INSTANT = "must be milliseconds since 1970";
const milliseconds = z
  .string(INSTANT)
  .regex(/^\d{1,15}$/, INSTANT)
  .transform(Number);
const between = z.strictObject({
  since: milliseconds,
  until: milliseconds,
  after: z.string("must be given once").default(""),
});

const SCRIPT = `must be a list of 1 to ${MOST_IN_SCRIPT} of ${BEHAVIOUR_NAMES.join(", ")}`;
const script = z.strictObject({
  script: z
    .array(z.enum(BEHAVIOUR_NAMES, SCRIPT), SCRIPT)
    .min(1, SCRIPT)
    .max(MOST_IN_SCRIPT, SCRIPT),
});

/** Printable ASCII without the space, which joins the values of a repeated header. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Throws InvalidRequest. */
export function readKey(header: string | string[] | undefined): string {
  if (typeof header === "string" && KEY.test(header)) return header;
  throw new InvalidRequest("Idempotency-Key", "must be a header of 1 to 255 ASCII characters");
}

/** Throws InvalidRequest. */
export function readPaymentRequest(key: string, body: unknown): PaymentRequest {
  const { account_id: accountId, payment_id: paymentId, ...rest } = read(payment, body);
  return { key, accountId, paymentId, ...rest };
}

/** The amount to refund; throws InvalidRequest. */
export function readRefundAmount(body: unknown): bigint {
  return read(refund, body).amount;
}

/** Throws InvalidRequest. */
export function readLogQuery(parameters: unknown): LogQuery {
  const { key, account_id: accountId } = read(query, parameters);
  return {
    ...(key === undefined ? {} : { key }),
    ...(accountId === undefined ? {} : { accountId }),
  };
}

/** Throws InvalidRequest. */
export function readMadeBetween(parameters: unknown): MadeBetween {
  return read(between, parameters);
}

/** Throws InvalidRequest. */
export function readScript(method: string, body: unknown): readonly BehaviourName[] {
  read(z.object({ method: cardId }), { method });
  return read(script, body).script;
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys") {
    throw new InvalidRequest(issue.keys[0] ?? "body", "is not a known field");
  }
  const field = issue?.path[0];
  if (field === undefined) throw new InvalidRequest("body", "must be a JSON object");
  throw new InvalidRequest(String(field), issue?.message ?? "is wrong");
}
