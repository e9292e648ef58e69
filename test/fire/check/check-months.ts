import type { BookedEntry, BookedLot, Books } from "./books.ts";
import { type Checked, openFindings } from "./findings.ts";
import { type GatewayPayment, hasPaid, isFee } from "./gateway.ts";
import type { Model } from "./model.ts";

/**
 * Each month has brought its credits once and charged its add-ons once, what was left of credits as they
 * ended has expired once, and each month or year was paid once.
 */
export function checkMonths(
  books: Books,
  models: readonly Model[],
  payments: readonly GatewayPayment[],
): Checked {
  const findings = openFindings(
    "each month gives, charges and ends credits once, and is paid once",
  );
  const planned = models.filter(({ account }) => account.plan !== null);
  for (const { account, due, ended } of planned) {
    const isIts = ({ account_id }: { account_id: string }) => account_id === account.id;
    const compare = (what: string, wanted: readonly string[], found: readonly string[]) => {
      const [is, was] = [listed(found), listed(wanted)];
      if (is !== was) findings.add(`${account.id} has the ${what} ${is}, not ${was}`);
    };
    const entries = books.entries.filter(isIts);
    compare(
      "months",
      due.lots.map(({ id, at, endsAt }) => `${id} from ${date(at)} to ${date(endsAt)}`),
      monthsOf(books.lots.filter(isIts)),
    );
    compare(
      "credits of months",
      due.lots.map(({ id, credits, at }) => `${id} ${credits} ${date(at)}`),
      grantsOf(entries),
    );
    compare(
      "charges of add-ons",
      due.charges.map(({ credits, at }) => `${credits} ${date(at)}`),
      chargesOf(entries),
    );
    compare(
      "ends of credits",
      ended.map(({ id, left, endsAt }) => `${id} ${left} ${date(endsAt)}`),
      endsOf(entries),
    );
    compare(
      "fees",
      due.fees.map(({ id, amount }) => `${id} ${amount}`),
      feesOf(payments.filter(isIts)),
    );
  }
  return findings.done(planned.length);
}

function monthsOf(lots: readonly BookedLot[]): string[] {
  return lots.map(
    ({ lot_id, granted_at, expires_at }) =>
      `${lot_id} from ${date(granted_at)} to ${expires_at === null ? "never" : date(expires_at)}`,
  );
}

function grantsOf(entries: readonly BookedEntry[]): string[] {
  return entries
    .filter(({ kind }) => kind === "grant")
    .map(({ lot_id, credits, due_at }) => `${lot_id} ${credits} ${date(due_at)}`);
}

function chargesOf(entries: readonly BookedEntry[]): string[] {
  return entries
    .filter(({ kind }) => kind === "add_on_charge")
    .map(({ credits, due_at }) => `${-credits} ${date(due_at)}`);
}

/** What has expired of each lot, less what late usage got back. */
function endsOf(entries: readonly BookedEntry[]): string[] {
  const ends = entries.filter(({ kind }) => kind === "expiry" || kind === "reversal");
  const byLot = Map.groupBy(ends, ({ lot_id, due_at }) => `${lot_id} ${due_at}`).values();
  return [...byLot].flatMap((ofLot) => {
    const expired = ofLot.reduce((sum, { credits }) => sum - credits, 0n);
    const [first] = ofLot;
    return first === undefined || expired === 0n
      ? []
      : [`${first.lot_id} ${expired} ${date(first.due_at)}`];
  });
}

function feesOf(payments: readonly GatewayPayment[]): string[] {
  return payments
    .filter((payment) => hasPaid(payment) && isFee(payment))
    .map(({ payment_id, amount }) => `${payment_id} ${amount}`);
}

function listed(what: readonly string[]): string {
  return what.toSorted().join(", ") || "none";
}

/** To the day: an add-on is charged a moment after its plan began. */
function date(at: number | bigint): string {
  return new Date(Number(at)).toISOString().slice(0, 10);
}
