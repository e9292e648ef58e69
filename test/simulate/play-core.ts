import { decideWithdrawal } from "../../shared/core/changes/withdraw-lot.ts";
import { decideGrant, toLot } from "../../shared/core/month/grant-credits.ts";
import type { Settlement } from "../../shared/core/month/settle.ts";
import type { Catalogue } from "../../shared/core/offer/catalogue.ts";
import { type ChangeStep, type CommandStep, deciderOf } from "../month/decider-of.ts";
import type { CoreAccount, CoreBooks } from "./core-books.ts";

/** Plays a command on the books in memory; returns its outcome in the model's terms. */
export function playCommand(books: CoreBooks, catalogue: Catalogue, step: CommandStep): string {
  let outcome = "";
  books.move(step.account, step.at, (of, settled) => {
    const decided = decide(of, settled, catalogue, step);
    outcome = decided.outcome;
    return decided.steps;
  });
  return outcome;
}

interface Decided {
  readonly outcome: string;
  readonly steps: readonly Settlement[];
}

function decide(
  of: CoreAccount,
  settled: Settlement,
  catalogue: Catalogue,
  step: CommandStep,
): Decided {
  switch (step.kind) {
    case "grant":
      return decideGrantStep(of, settled, step);
    case "withdraw":
      return decideWithdrawalStep(of, settled, step);
    default:
      return decideChange(of, settled, catalogue, step);
  }
}

function decideGrantStep(
  of: CoreAccount,
  settled: Settlement,
  { at, lot: lotId, credits, end }: Extract<CommandStep, { kind: "grant" }>,
): Decided {
  const asked = {
    lotId,
    credits: BigInt(credits),
    source: "promotion",
    reference: "",
    end,
  } as const;
  const existing = [...of.lots, ...settled.granted].find((lot) => lot.lotId === lotId) ?? null;
  const decision = decideGrant(asked, { account: settled.account, existing, now: at });
  if (decision.kind !== "granted") return { outcome: decision.kind, steps: [] };
  const { account, lot, entry, lowBalance } = decision;
  const posted = { entries: [entry], granted: [lot], changes: [], fees: [], lowBalance };
  const { schedule } = settled;
  const lots = [...settled.lots, toLot(lot)];
  return { outcome: decision.kind, steps: [{ account, lots, schedule, ...posted }] };
}

function decideWithdrawalStep(
  of: CoreAccount,
  settled: Settlement,
  { at: now, lot: lotId, credits }: Extract<CommandStep, { kind: "withdraw" }>,
): Decided {
  const lot = [...settled.lots, ...of.lots].find((known) => known.lotId === lotId) ?? null;
  const asked = { lotId, credits: credits === null ? null : BigInt(credits), reference: "" };
  const decision = decideWithdrawal(asked, { book: settled, lot, now });
  return { outcome: decision.kind, steps: decision.kind === "withdrawn" ? [decision] : [] };
}

/** Whether an account can pay is not part of these histories. */
function decideChange(
  { currency }: CoreAccount,
  book: Settlement,
  catalogue: Catalogue,
  step: ChangeStep,
): Decided {
  const asked = { book, catalogue, currency, now: step.at, by: "simulation" };
  const decision = deciderOf(step)({ ...asked, wayToPay: "payment_method", unpaidFees: [] });
  if (!("changes" in decision)) return { outcome: decision.kind, steps: [] };
  const outcome = decision.changes.map(({ kind }) => kind).join(", ");
  const { ended } = decision;
  return { outcome, steps: ended === undefined ? [decision] : [ended, decision] };
}
