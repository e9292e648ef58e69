import type { Command } from "commander";
import { type EstimatedFor, estimate, toEstimate } from "../../../shared/contract/estimate.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import { availableAt } from "../../../shared/core/line/available.ts";
import type { AccountCard } from "../../../shared/core/offer/rate-card.ts";
import { cardOf } from "../../../shared/core/offer/rates.ts";
import type { Dimensions } from "../../../shared/core/offer/value-tree.ts";
import {
  type CostEstimate,
  estimateCost,
  type UsageToCome,
} from "../../../shared/core/usage/estimate-cost.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { readLotsIfDue } from "../../../shared/ledger/books/read-lots.ts";
import { readRates } from "../../../shared/ledger/catalogue/rates.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { estimateUsage } from "../../../shared/ledger/usage/estimate-usage.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import {
  accountIdArgument,
  idArgument,
  instantArgument,
  pairsArgument,
  wholeArgument,
} from "../shell/arguments.ts";
import { readBooks } from "../shell/read-books.ts";
import { noAccount, type Result, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { estimateFailure, estimateText } from "./estimate-text.ts";

interface EstimateOptions extends JsonOption {
  readonly account?: string;
  readonly dimension?: readonly string[];
  readonly at?: string;
}

export function addEstimateCommand(program: Command): void {
  addCommand(program, "estimate <meter=quantity...>", {
    does: "show what usage would cost, and which rates price it",
    examples: [
      "estimate llm.input_tokens=4808 llm.output_tokens=920 --dimension model=gpt-5 --account acme",
      "estimate calls=40 --at 2027-01-01T00:00:00Z",
    ],
  })
    .option("--account <id>", "of this account: exactly, and whether its balance covers it")
    .option("--dimension <name=value...>", "dimensions of the usage")
    .option("--at <instant>", "when it occurs (default: now)")
    .addHelpText("after", "\nNothing is reserved or stored. Usage without a price is exit code 1.")
    .action((used: readonly string[], options: EstimateOptions) =>
      run(options, (settings) => estimateWith(settings, used, options)),
    );
}

function estimateWith(
  settings: Settings,
  used: readonly string[],
  { account, dimension = [], at }: EstimateOptions,
): Promise<Result> {
  const now = Date.now();
  const occurredAt = at === undefined ? now : instantArgument("--at", at);
  const dimensions = Object.fromEntries(pairsArgument("--dimension", dimension));
  const usages = used.map((text) => usageOf(text, dimensions, occurredAt));
  const accountId = account === undefined ? null : accountIdArgument(account);
  return readBooks(settings, async (transaction) => {
    const rates = await readRates(transaction);
    if (accountId === null) return resultOf(estimateCost(rates.list, usages, null), null);
    return estimateOf(transaction, { card: cardOf(rates, accountId), accountId, usages, now });
  });
}

interface OfAccount {
  readonly card: AccountCard;
  readonly accountId: AccountId;
  readonly usages: readonly UsageToCome[];
  readonly now: Instant;
}

async function estimateOf(
  transaction: Transaction,
  { card, accountId, usages, now }: OfAccount,
): Promise<Result> {
  const details = await readAccountDetails(transaction, accountId);
  if (details === null) return noAccount(accountId);
  const { account } = details;
  const balance = availableAt(account, await readLotsIfDue(transaction, account, now), now);
  const estimated = await estimateUsage(transaction, card, accountId, usages);
  return resultOf(estimated, { accountId, balance });
}

function resultOf(estimated: CostEstimate, of: EstimatedFor | null): Result {
  const value = toEstimate(estimated, of);
  return shown(estimate, value, estimateText(value), estimateFailure(value));
}

function usageOf(text: string, dimensions: Dimensions, occurredAt: Instant): UsageToCome {
  const at = text.lastIndexOf("=");
  if (at === -1) throw new WrongUsage(`usage is written like calls=40, not "${text}"`);
  const meter = idArgument("meter", text.slice(0, at));
  const quantity = wholeArgument(`the quantity of ${meter}`, text.slice(at + 1), 0n);
  return { meter, quantity, dimensions, occurredAt };
}
