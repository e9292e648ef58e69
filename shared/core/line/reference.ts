/** One kind of id or reference: its text, and what the text says. */
interface Grammar<T> {
  /** For `regexp_match` in SQL too, which numbers the parts in the order in which they are written. */
  readonly pattern: string;
  /** What `to` is called; nothing else is called so. */
  write(to: T): string;
  /** Null: the text is of another kind. */
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

/** A subscription's period; subscriptions are counted from 1, periods from 0. */
interface PeriodRef {
  readonly number: number;
  readonly period: number;
}

const toPeriod = (number: string, period: string): PeriodRef => {
  return { number: Number(number), period: Number(period) };
};

/** How the lots of top-ups begin, and the payments of automatic ones: for SQL. */
export const TOP_UP_LOT = "top-up:";
export const AUTOMATIC_TOP_UP = "low-balance:";
const PLAN_LOT = "plan:";

/** True of a lot id that only subscriptions and top-ups give. */
export function isReservedLot(lotId: string): boolean {
  return lotId.startsWith(PLAN_LOT) || lotId.startsWith(TOP_UP_LOT);
}

/**
 * What the ids and references in the books say: what a lot, a payment or an entry is of, and what made
 * a balance low. They are written and read here alone.
 */
export const REFERENCE = {
  /** A lot: the credits of a period. */
  monthLot: grammar<PeriodRef>(
    `^${PLAN_LOT}(\\d+):(\\d+)$`,
    ({ number, period }) => `${PLAN_LOT}${number}:${period}`,
    toPeriod,
  ),
  /** A lot: the difference to a larger plan, which gives `credits` a month. */
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
  /** A payment: what a price that has risen to `price` adds to the fee. */
  raisedFee: grammar<PeriodRef & { readonly price: bigint }>(
    "^fee:(\\d+):(\\d+):(\\d+)$",
    ({ number, period, price }) => `fee:${number}:${period}:${price}`,
    (number, period, price) => ({ ...toPeriod(number, period), price: BigInt(price) }),
  ),
  /**
   * A payment: the top-up of a low balance, by its crossing and, where earlier ones for it were
   * declined, which try it is. So no repeat of an event or a crash can make another.
   */
  automaticTopUp: grammar<{ readonly crossing: bigint; readonly attempt: number }>(
    `^${AUTOMATIC_TOP_UP}(\\d+)(?::(\\d+))?$`,
    ({ crossing, attempt }) =>
      `${AUTOMATIC_TOP_UP}${crossing}${attempt === 1 ? "" : `:${attempt}`}`,
    (crossing, attempt = "1") => ({ crossing: BigInt(crossing), attempt: Number(attempt) }),
  ),
  /** A payment: a top-up made by hand. The same key again is the same top-up. */
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
  /**
   * An entry: units of an add-on that became owed in a period, those from `owed` up to `units`, so that
   * none can be charged twice. The add-on's id may hold colons.
   */
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
  /** An entry: money of a top-up that went back. */
  takenBack: grammar<{ readonly kind: "refund" | "chargeback"; readonly refundId: string }>(
    "^(refund|chargeback):(.*)$",
    ({ kind, refundId }) => `${kind}:${refundId}`,
    (kind, refundId) => ({ kind: kind === "refund" ? kind : "chargeback", refundId }),
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
