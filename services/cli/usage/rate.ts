import type { Command } from "commander";
import { z } from "zod";
import { rate, rateFields, toRate as toShownRate } from "../../../shared/contract/catalogue.ts";
import { noun } from "../../../shared/contract/noun.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { MeterVersion, Rate, UnitPrice } from "../../../shared/core/offer/rate-card.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import {
  earliestChange,
  listRates,
  listRatesWithOrigins,
  setRate,
} from "../../../shared/ledger/catalogue/rates.ts";
import { countStranded, readWaitingSince } from "../../../shared/ledger/catalogue/waiting-usage.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { addImportCommand } from "../catalogue/import.ts";
import {
  byArgument,
  creditsArgument,
  idArgument,
  instantArgument,
  roundUpArgument,
  wholeArgument,
} from "../shell/arguments.ts";
import {
  forColumn,
  listedPrices,
  originColumns,
  roundUpColumn,
  unitPriceText,
} from "../shell/price-text.ts";
import { printable, table } from "../shell/print.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { addOwnRateCommands } from "./own-rates.ts";

interface SetOptions extends JsonOption {
  readonly per: string;
  readonly roundUp?: string;
  readonly from?: string;
}

/** A price to set; `from` null: from the earliest possible instant. */
type NewRate = Pick<Rate, "meter" | keyof UnitPrice> & { readonly from: Instant | null };

export function addRateCommands(program: Command): void {
  const commands = program
    .command("rate")
    .alias("rates")
    .description("set, import and list the prices of meters");
  addCommand(commands, "set <meter> <credits>", {
    does: "set the price of a meter, from an instant on",
    examples: [
      "rate set llm.input_tokens 3 --per 1000000",
      "rate set calls 0.01 --per 1 --from 2027-01-01T00:00:00Z",
      "rate set phone.seconds 0.5 --per 60 --round-up each_event",
    ],
  })
    .requiredOption("--per <units>", "the number of units that the credits pay for")
    .option(
      "--round-up <what>",
      "each_event: an event pays for each package of --per units that it begins (default: single units are sold)",
    )
    .option(
      "--from <instant>",
      "when the price takes effect (default: for a meter's first price when the oldest usage occurred that waits for it, or now; else the earliest instant before which all events have their price)",
    )
    .action((meter: string, credits: string, options: SetOptions) =>
      run(options, (settings) => set(settings, toRate(meter, credits, options))),
    );
  addImportCommand(commands);
  addOwnRateCommands(commands);
  addCommand(commands, "list [meter]", {
    does: "list the prices of all meters or of one, oldest first",
    examples: ["rate list", "rate list llm.input_tokens"],
  }).action((meter: string | undefined, options: JsonOption) =>
    run(options, (settings) => list(settings, meter)),
  );
}

function toRate(meter: string, credits: string, options: SetOptions): NewRate {
  const { per, roundUp, from } = options;
  return {
    meter: idArgument("meter", meter),
    credits: creditsArgument(credits),
    per: wholeArgument("--per", per, 1n),
    ...(roundUp === undefined ? {} : { roundUp: roundUpArgument("--round-up", roundUp) }),
    from: from === undefined ? null : instantArgument("--from", from),
  };
}

const setOutcome = noun({
  outcome: z.enum(["set", "already_exists"]),
  stranded: z.number().int(),
  ...rateFields,
});
const rates = noun({ items: z.array(rate) });

async function set(settings: Settings, { from, ...price }: NewRate): Promise<Result> {
  const { maxAheadMs } = settings.metering.window;
  return withDatabase(settings, async (database) => {
    const now = Date.now();
    const { meter } = price;
    const isPriced = (await listRates(database, meter)).length > 0;
    const first = (await readWaitingSince(database, [meter])).get(meter) ?? now;
    const validFrom = from ?? (isPriced ? earliestChange(now, maxAheadMs) : Math.min(first, now));
    const rate: Rate = { ...price, validFrom };
    const outcome = await setRate(database, rate, now, maxAheadMs, byArgument(undefined));
    if (outcome.kind !== "set" && outcome.kind !== "already_exists") return refused(outcome);
    const stranded = isPriced ? 0 : await countStranded(database, meter, validFrom);
    return shown(
      setOutcome,
      { outcome: outcome.kind, stranded, ...toShownRate(rate) },
      outcome.kind === "set"
        ? `${inWords(rate)}.${strandedText(stranded)}`
        : `${inWords(rate)}: this price already exists; nothing was changed.`,
    );
  });
}

function strandedText(stranded: number): string {
  if (stranded === 0) return "";
  return `\n${countOf(stranded, "dead letter")} of it occurred before and cannot be metered; without --from, the price would have begun with the oldest.`;
}

async function list(settings: Settings, meter: string | undefined): Promise<Result> {
  if (meter !== undefined) idArgument("meter", meter);
  const listed = await withDatabase(settings, (database) =>
    listRatesWithOrigins(database, meter ?? null),
  );
  if (meter !== undefined && listed.length === 0) {
    return refused({ kind: "unknown_meter", meter });
  }
  return shown(
    rates,
    { items: listed.map(toShownRate) },
    listed.length === 0 ? "No meter has a price." : rateTable(listed),
  );
}

function rateTable(listed: readonly MeterVersion[]): string {
  const rows = listed.flatMap((version) =>
    listedPrices(version).map((one) => ({ ...version, ...one })),
  );
  return table(rows, [
    ["METER", ({ meter }) => meter],
    ...forColumn(listed),
    ["CREDITS", ({ credits }) => formatCredits(credits), "right"],
    ["PER", ({ per }) => per, "right"],
    ...roundUpColumn(listed),
    ...originColumns(listed),
    ["VALID FROM", ({ validFrom }) => formatInstant(validFrom)],
    ["SET BY", ({ setBy }) => setBy ?? ""],
  ]);
}

function inWords(rate: Rate): string {
  const from = formatInstant(rate.validFrom);
  return `${printable(rate.meter)} costs ${unitPriceText(rate)} from ${from} on`;
}
