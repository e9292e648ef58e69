import type { FireAccount } from "../load/accounts.ts";
import type { BookedEntry, Books } from "./books.ts";
import type { Calendar } from "./calendar.ts";
import { subscribedAt } from "./check-accounts.ts";
import { type Due, dueOn } from "./due.ts";
import { type Checked, openFindings } from "./findings.ts";
import type { GatewayPayment } from "./gateway.ts";

/**
 * Each month has brought its credits once and charged its add-ons once, what is older than two months has
 * ended once, and each month or year was paid once.
 */
export function checkMonths(
  books: Books,
  accounts: readonly FireAccount[],
  payments: readonly GatewayPayment[],
  calendar: Calendar,
): Checked {
  const findings = openFindings(
    "each month gives, charges and ends credits once, and is paid once",
  );
  const planned = accounts.filter(({ plan }) => plan !== null);
  for (const account of planned) {
    const isIts = ({ account_id }: { account_id: string }) => account_id === account.id;
    const began = subscribedAt(books.lots.filter(isIts), calendar);
    const due = dueOn(account, began, calendar.endedAt);
    const entries = books.entries.filter(isIts);
    const fees = payments.filter(
      (payment) =>
        isIts(payment) && payment.status === "succeeded" && payment.payment_id.startsWith("fee:"),
    );
    compare("credits of months", dueLots(due), grantsOf(entries));
    compare("charges of add-ons", dueCharges(due), chargesOf(entries));
    compare("ends of credits", dueEnds(due, calendar), endsOf(entries));
    compare(
      "fees",
      due.fees.map(({ id, amount }) => `${id} ${amount}`),
      fees.map(feeOf),
    );

    function compare(what: string, wanted: readonly string[], found: readonly string[]): void {
      const [is, was] = [found.toSorted().join(", "), wanted.toSorted().join(", ")];
      if (is !== was)
        findings.add(`${account.id} has the ${what} ${is || "none"}, not ${was || "none"}`);
    }
  }
  return findings.done(planned.length);
}

function dueLots({ lots }: Due): string[] {
  return lots.map(({ id, credits, at }) => `${id} ${credits} ${date(at)}`);
}

function grantsOf(entries: readonly BookedEntry[]): string[] {
  return entries
    .filter(({ kind, lot_id }) => kind === "grant" && lot_id?.startsWith("plan:"))
    .map(({ lot_id, credits, due_at }) => `${lot_id} ${credits} ${date(due_at)}`);
}

function dueCharges({ charges }: Due): string[] {
  return charges.map(({ at, credits }) => `${credits} ${date(at)}`);
}

function chargesOf(entries: readonly BookedEntry[]): string[] {
  return entries
    .filter(({ kind }) => kind === "add_on_charge")
    .map(({ credits, due_at }) => `${-credits} ${date(due_at)}`);
}

/** A plan's months are larger than what is used of them, so something is left at each end. */
function dueEnds({ lots }: Due, { endedAt }: Calendar): string[] {
  return lots
    .filter(({ endsAt }) => endsAt <= endedAt)
    .map(({ id, endsAt }) => `${id} ${date(endsAt)}`);
}

function endsOf(entries: readonly BookedEntry[]): string[] {
  return entries
    .filter(({ kind }) => kind === "expiry")
    .map(({ lot_id, due_at }) => `${lot_id} ${date(due_at)}`);
}

function feeOf({ payment_id, amount }: GatewayPayment): string {
  return `${payment_id} ${amount}`;
}

/** To the day: an add-on is charged a moment after its plan began. */
function date(at: number | bigint): string {
  return new Date(Number(at)).toISOString().slice(0, 10);
}
