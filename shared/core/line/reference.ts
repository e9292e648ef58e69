/** One kind of id or reference: how it is written and read. */
interface Grammar<T> {
  /** Also used by `regexp_match` in SQL; the groups are in the order of the text. */
  readonly pattern: string;
  write(to: T): string;
  /** Null: a text of another kind. */
  read(text: string): T | null;
}

function grammar<T>(
  pattern: string,
  write: (to: T) => string,
  toReference: (...parts: string[]) => T,
): Grammar<T> {
  const regExp = new RegExp(pattern, "s");
  return {
    pattern,
    write,
    read(text) {
      const parts = regExp.exec(text);
      return parts && toReference(...parts.slice(1));
    },
  };
}

/** A subscription's period. Subscriptions count from 1, periods from 0. */
interface PeriodRef {
  readonly number: number;
  readonly period: number;
}

const toPeriod = (number: string, period: string): PeriodRef => ({
  number: Number(number),
  period: Number(period),
});

/** The event that an entry about late usage names. */
export interface LateUsageRef {
  readonly eventId: string;
  readonly source: string;
}

/** Prefixes of a top-up's lot and of an automatic top-up's payment, for SQL, and of a plan's lots. */
export const TOP_UP_LOT = "top-up:";
export const AUTOMATIC_TOP_UP = "low-balance:";
export const PLAN_LOT = "plan:";

/** True for lot ids that belong to subscriptions and top-ups. */
export function isReservedLot(lotId: string): boolean {
  return lotId.startsWith(PLAN_LOT) || lotId.startsWith(TOP_UP_LOT);
}

/** The grammar of all ids and references in the books. Nothing else writes or parses them. */
export const REFERENCE = {
  /** A lot: the credits of a period. */
  monthLot: grammar<PeriodRef>(
    `^${PLAN_LOT}(\\d+):(\\d+)$`,
    ({ number, period }) => `${PLAN_LOT}${number}:${period}`,
    toPeriod,
  ),
  /** A lot: the difference to a larger plan of `credits` a month. */
  raiseLot: grammar<PeriodRef & { readonly credits: bigint }>(
    `^${PLAN_LOT}(\\d+):(\\d+):(\\d+)$`,
    ({ number, period, credits }) => `${PLAN_LOT}${number}:${period}:${credits}`,
    (number, period, credits) => ({ ...toPeriod(number, period), credits: BigInt(credits) }),
  ),
  /** A lot: what a payment brought. */
  topUpLot: grammar<{ readonly paymentId: string }>(
    `^${TOP_UP_LOT}(.*)$`,
    ({ paymentId }) => `${TOP_UP_LOT}${paymentId}`,
    (paymentId) => ({ paymentId }),
  ),
  /** A payment: the fee of the periods from one on. */
  fee: grammar<PeriodRef>(
    "^fee:(\\d+):(\\d+)$",
    ({ number, period }) => `fee:${number}:${period}`,
    toPeriod,
  ),
  /** A payment: the difference to a dearer plan's `price`. */
  raisedFee: grammar<PeriodRef & { readonly price: bigint }>(
    "^fee:(\\d+):(\\d+):(\\d+)$",
    ({ number, period, price }) => `fee:${number}:${period}:${price}`,
    (number, period, price) => ({ ...toPeriod(number, period), price: BigInt(price) }),
  ),
  /** A payment: an automatic top-up, by crossing and attempt: a repeat or a crash creates no other. */
  automaticTopUp: grammar<{ readonly crossing: bigint; readonly attempt: number }>(
    `^${AUTOMATIC_TOP_UP}(\\d+)(?::(\\d+))?$`,
    ({ crossing, attempt }) =>
      `${AUTOMATIC_TOP_UP}${crossing}${attempt === 1 ? "" : `:${attempt}`}`,
    (crossing, attempt = "1") => ({ crossing: BigInt(crossing), attempt: Number(attempt) }),
  ),
  /** A payment: a top-up made by hand, by its idempotency key. */
  manualTopUp: grammar<{ readonly key: string }>(
    "^manual:(.*)$",
    ({ key }) => `manual:${key}`,
    (key) => ({ key }),
  ),
  /** An entry: a lot's expiry. */
  expiry: grammar<{ readonly lotId: string }>(
    "^expiry:(.*)$",
    ({ lotId }) => `expiry:${lotId}`,
    (lotId) => ({ lotId }),
  ),
  /** An entry: the units of an add-on above `owed` up to `units` in a period. The id may hold colons. */
  addOnCharge: grammar<
    PeriodRef & { readonly addOnId: string; readonly owed: number; readonly units: number }
  >(
    "^add-on:(.+):(\\d+):(\\d+):(\\d+)-(\\d+)$",
    ({ addOnId, number, period, owed, units }) =>
      `add-on:${addOnId}:${number}:${period}:${owed}-${units}`,
    (addOnId, number, period, owed, units) => {
      return { ...toPeriod(number, period), addOnId, owed: Number(owed), units: Number(units) };
    },
  ),
  /** An entry: a refund or chargeback of a top-up. */
  takenBack: grammar<{ readonly kind: "refund" | "chargeback"; readonly refundId: string }>(
    "^(refund|chargeback):(.*)$",
    ({ kind, refundId }) => `${kind}:${refundId}`,
    (kind, refundId) => ({ kind: kind === "refund" ? kind : "chargeback", refundId }),
  ),
  /** A notice of auto top-up that ended with a subscription: the change in its history. */
  subscriptionEnd: grammar<{ readonly sequence: number }>(
    "^subscription-end:(\\d+)$",
    ({ sequence }) => `subscription-end:${sequence}`,
    (sequence) => ({ sequence: Number(sequence) }),
  ),
  /** A notice of auto top-up that stopped as its payment method was removed: the change in their history. */
  methodRemoval: grammar<{ readonly sequence: number }>(
    "^payment-method-removal:(\\d+)$",
    ({ sequence }) => `payment-method-removal:${sequence}`,
    (sequence) => ({ sequence: Number(sequence) }),
  ),
  /** An entry: expired credits given back to a late event. */
  lateUsage: grammar<LateUsageRef>(
    "^late:(.*?)(?: of (.*))?$",
    ({ eventId, source }) => `late:${eventId}${source === "" ? "" : ` of ${source}`}`,
    (eventId, source = "") => ({ eventId, source }),
  ),
  /** A low balance's cause: an event. */
  eventCause: grammar<{ readonly eventId: string }>(
    "^event:(.*)$",
    ({ eventId }) => `event:${eventId}`,
    (eventId) => ({ eventId }),
  ),
  /** A low balance's cause: an entry. */
  entryCause: grammar<{ readonly sequence: bigint }>(
    "^entry:(\\d+)$",
    ({ sequence }) => `entry:${sequence}`,
    (sequence) => ({ sequence: BigInt(sequence) }),
  ),
} as const;
