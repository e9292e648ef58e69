import type { Command } from "commander";
import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { listOfOwnTerms, ownTermsFields, toOwnTerms } from "../../../shared/contract/own-terms.ts";
import type { OwnPricing, OwnTerms } from "../../../shared/core/offer/own-terms.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { formatPercent } from "../../../shared/core/text/percent.ts";
import { listOwnTermsOf } from "../../../shared/ledger/catalogue/own-terms.ts";
import { setOwnTerms } from "../../../shared/ledger/credits/set-own-terms.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { meterText } from "../catalogue/terms-text.ts";
import {
  accountIdArgument,
  creditsArgument,
  idArgument,
  instantArgument,
  percentArgument,
  textArgument,
  wholeArgument,
} from "../shell/arguments.ts";
import {
  addChangeCommand,
  type ByOption,
  type ChangeRequest,
  toRequest,
} from "../shell/change-command.ts";
import { printable, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";

interface SetOptions extends ByOption {
  readonly discount?: string;
  readonly meter?: string;
  readonly credits?: string;
  readonly per?: string;
  readonly file?: string;
  readonly from?: string;
  readonly reason: string;
}

const RULES = `
Exactly one of --discount, --credits with --per, and --file is needed; the latter two with --meter.
A file has what stands below a meter in a catalogue: credits and per, or rates and the dimensions
that they depend on. What such rates do not match is priced by the list. Terms of a meter come before
those for all meters. Nothing is changed or taken back, only followed: --discount 0 is the list again.`;

export function addOwnRateCommands(rate: Command): void {
  const commands = rate.command("own").description("set and list what one account pays of its own");
  addChangeCommand(commands, "set <account>", {
    does: "give an account a discount or rates of its own, from an instant on",
    examples: [
      'rate own set acme --discount 12.5% --reason "contract of 2026"',
      'rate own set acme --meter calls --credits 0.008 --per 1 --reason "volume"',
      'rate own set acme --meter llm.tokens --file acme.yaml --from 2027-01-01T00:00:00Z --reason "renewed"',
    ],
  })
    .option("--discount <percent>", "how much less than the list, with at most two decimals")
    .option("--meter <meter>", "for this meter (default: for all without terms of their own)")
    .option("--credits <credits>", "the account's price of --per units")
    .option("--per <units>", "the number of units that the credits pay for")
    .option("--file <file>", "a file with the account's rates of the meter")
    .option(
      "--from <instant>",
      "when the terms take effect (default: now, or else the earliest instant before which all events have their price)",
    )
    .requiredOption("--reason <text>", "why, for the record")
    .addHelpText("after", RULES)
    .action((account: string, options: SetOptions) =>
      run(options, (settings) => set(settings, toRequest(account, options), options)),
    );
  addCommand(commands, "list <account>", {
    does: "list an account's own terms, oldest first",
    examples: ["rate own list acme"],
  }).action((account: string, options: JsonOption) =>
    run(options, (settings) => list(settings, account)),
  );
}

const setOutcome = noun({ outcome: z.enum(["set", "already_exists"]), ...ownTermsFields });

async function set(
  settings: Settings,
  { accountId, by }: ChangeRequest,
  options: SetOptions,
): Promise<Result> {
  const meter = options.meter === undefined ? null : idArgument("--meter", options.meter);
  const validFrom = options.from === undefined ? null : instantArgument("--from", options.from);
  const reason = textArgument("--reason", options.reason);
  if (reason.trim() === "") throw new WrongUsage("--reason is empty; say why, for the record");
  const pricing = await pricingIn(options);
  if ("result" in pricing) return pricing.result;
  const terms = { meter, validFrom, reason, pricing };
  const { maxAheadMs } = settings.metering.window;
  return withDatabase(settings, async (database) => {
    const at = { accountId, now: Date.now(), by };
    const outcome = await orUnknown(
      setOwnTerms(database, at, terms, maxAheadMs),
      "the terms may or may not have been set; look with rate own list",
    );
    if (outcome.kind !== "set" && outcome.kind !== "already_exists") return refused(outcome);
    const text = `${printable(accountId)} pays ${inWords(outcome.terms)}`;
    return shown(
      setOutcome,
      { outcome: outcome.kind, ...toOwnTerms(outcome.terms) },
      outcome.kind === "set"
        ? `${text}.`
        : `${text}: these terms already exist; nothing was changed.`,
    );
  });
}

async function pricingIn({
  discount,
  meter,
  credits,
  per,
  file,
}: SetOptions): Promise<OwnPricing | { readonly result: Result }> {
  const given = [discount, file, credits ?? per].filter((option) => option !== undefined);
  if (given.length !== 1) {
    throw new WrongUsage("name one of --discount, --credits with --per, and --file");
  }
  if (discount !== undefined) {
    return { kind: "discount", basisPoints: percentArgument("--discount", discount) };
  }
  if (meter === undefined) throw new WrongUsage("rates are for one meter; name it with --meter");
  if (file !== undefined) {
    // Loaded only now: the other commands start faster without the parser.
    const { readOwnRatesFile } = await import("../catalogue/file.ts");
    const read = await readOwnRatesFile(file);
    return read.kind === "parsed" ? { kind: "rates", terms: read.terms } : { result: read.result };
  }
  if (credits === undefined || per === undefined) {
    throw new WrongUsage("--credits and --per belong together");
  }
  const terms = { credits: creditsArgument(credits), per: wholeArgument("--per", per, 1n) };
  return { kind: "rates", terms };
}

async function list(settings: Settings, account: string): Promise<Result> {
  const accountId = accountIdArgument(account);
  return readAccountBooks(settings, accountId, async (transaction) => {
    const listed = await listOwnTermsOf(transaction, accountId);
    return shown(
      listOfOwnTerms,
      { items: listed.map(toOwnTerms) },
      listed.length === 0 ? `${printable(accountId)} pays the list.` : ownTable(listed),
    );
  });
}

function ownTable(listed: readonly OwnTerms[]): string {
  return table(listed, [
    ["METER", ({ meter }) => meter ?? "all others"],
    ["PAYS", ({ pricing }) => pricingText(pricing)],
    ["VALID FROM", ({ validFrom }) => formatInstant(validFrom)],
    ["SET BY", ({ setBy }) => setBy],
    ["REASON", ({ reason }) => reason],
  ]);
}

function inWords({ meter, pricing, validFrom }: OwnTerms): string {
  const of = meter === null ? "all meters without terms of their own" : printable(meter);
  return `${pricingText(pricing)} for ${of} from ${formatInstant(validFrom)} on`;
}

/** "12.5 % less than the list", "the list", "2.5 credits for 1000000 units" */
function pricingText(pricing: OwnPricing): string {
  if (pricing.kind === "rates") return meterText(pricing.terms);
  const { basisPoints } = pricing;
  return basisPoints === 0 ? "the list" : `${formatPercent(basisPoints)} % less than the list`;
}
