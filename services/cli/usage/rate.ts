import type { Command } from "commander";
import { z } from "zod";
import { rate, rateFields, toMeterTerms } from "../../../shared/contract/catalogue.ts";
import { noun } from "../../../shared/contract/noun.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { Rate } from "../../../shared/core/offer/rate-card.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { earliestChange, listRates, setRate } from "../../../shared/ledger/catalogue/rates.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { creditsArgument, idArgument, instantArgument, wholeArgument } from "../shell/arguments.ts";
import { printable, table } from "../shell/print.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";

interface SetOptions extends JsonOption {
  readonly per: string;
  readonly from?: string;
}

/** A price as asked for; `from` null: from the first instant that is possible. */
type AskedRate = Omit<Rate, "validFrom"> & { readonly from: Instant | null };

export function addRateCommands(program: Command): void {
  const commands = program.command("rate").description("set and list the prices of meters");
  addCommand(commands, "set <meter> <credits>", {
    does: "set what a meter costs, from an instant on",
    examples: [
      "rate set llm.input_tokens 3 --per 1000000",
      "rate set calls 0.01 --per 1 --from 2027-01-01T00:00:00Z",
    ],
  })
    .requiredOption("--per <units>", "how many units of the meter these credits pay for")
    .option(
      "--from <instant>",
      "valid from then on (default: now for a meter's first price, else as soon as no event can have been metered at the old one)",
    )
    .action((meter: string, credits: string, options: SetOptions) =>
      run(options, (settings) => set(settings, toRate(meter, credits, options))),
    );
  addCommand(commands, "list [meter]", {
    does: "list the prices of all meters or of one, oldest first",
    examples: ["rate list", "rate list llm.input_tokens"],
  }).action((meter: string | undefined, options: JsonOption) =>
    run(options, (settings) => list(settings, meter)),
  );
}

function toRate(meter: string, credits: string, { per, from }: SetOptions): AskedRate {
  return {
    meter: idArgument("meter", meter),
    credits: creditsArgument(credits),
    per: wholeArgument("--per", per, 1n),
    from: from === undefined ? null : instantArgument("--from", from),
  };
}

const setOutcome = noun({ outcome: z.enum(["set", "already_exists"]), ...rateFields });
const rates = noun({ items: z.array(rate) });

async function set(settings: Settings, { from, ...asked }: AskedRate): Promise<Result> {
  const { maxAheadMs } = settings.metering.window;
  return withDatabase(settings, async (database) => {
    const now = Date.now();
    const priced = (await listRates(database)).some(({ meter }) => meter === asked.meter);
    const validFrom = from ?? (priced ? earliestChange(now, maxAheadMs) : now);
    const asking: Rate = { ...asked, validFrom };
    const outcome = await setRate(database, asking, now, maxAheadMs);
    switch (outcome.kind) {
      case "set":
        return shown(
          setOutcome,
          { outcome: outcome.kind, ...toMeterTerms(asking) },
          `${inWords(asking)}.`,
        );
      case "already_exists":
        return shown(
          setOutcome,
          { outcome: outcome.kind, ...toMeterTerms(asking) },
          `${inWords(asking)}, which already exists; nothing was changed.`,
        );
      default:
        return refused(outcome);
    }
  });
}

async function list(settings: Settings, meter: string | undefined): Promise<Result> {
  if (meter !== undefined) idArgument("meter", meter);
  const all = await withDatabase(settings, (database) => listRates(database));
  const listed = all.filter((one) => meter === undefined || one.meter === meter);
  if (meter !== undefined && listed.length === 0) {
    return refused({ kind: "unknown_meter", meter });
  }
  return shown(
    rates,
    { items: listed.map(toMeterTerms) },
    listed.length === 0 ? "No meter has a price." : rateTable(listed),
  );
}

function rateTable(listed: readonly Rate[]): string {
  return table(
    [
      { title: "METER" },
      { title: "CREDITS", align: "right" },
      { title: "PER", align: "right" },
      { title: "VALID FROM" },
    ],
    listed.map(({ meter, credits, per, validFrom }) => [
      meter,
      formatCredits(credits),
      per,
      formatInstant(validFrom),
    ]),
  );
}

function inWords({ meter, credits, per, validFrom }: Rate): string {
  const units = per === 1n ? "a unit" : `for ${per} units`;
  return `${printable(meter)} costs ${formatCredits(credits)} credits ${units} from ${formatInstant(validFrom)} on`;
}
