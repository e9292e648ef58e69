import type { Command } from "commander";
import { catalogue, toCatalogue } from "../../../shared/contract/catalogue.ts";
import { readOffer } from "../../../shared/ledger/catalogue/offer.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { readBooks } from "../shell/read-books.ts";
import { type Result, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { listedText } from "./list-text.ts";

interface ApplyOptions extends JsonOption {
  readonly dryRun?: true;
}

const FILE_FORM = `
The file is YAML or JSON. What it states is added; what it does not name stays as it is.

  meters:
    llm.input_tokens: { credits: 2.5, per: 1000000, name: Text read }
    llm.output_tokens:          # fed over HTTP by events of another type
      credits: 10
      per: 1000000
      feed: { event_type: prompt, value: $.tokens.output, dimensions: { model: $.model } }
    images:                     # the most specific rate that matches an event's dimensions
      dimensions: [model]
      rates:
        - { when: { model: canvas-* }, credits: 0.5, per: 1 }
        - { credits: 2, per: 1 }
    video.seconds:              # the whole event at the rate of the highest band that it reaches
      rates:
        - { credits: 0.5, per: 1 }
        - { from_quantity: 9, credits: 0.8, per: 1 }    # or of a dimension: from: { pixels: 2000000 }
    phone.seconds:              # each call pays for the minutes that it begins
      { credits: 0.5, per: 60, round_up: each_event }
  plans:
    growth:                     # name it as customers shall read it; without from: valid immediately when new, else as soon as possible
      credits: 5000             # a month
      life: 3 months            # or usual (two months; the default), or never
      prices:
        EUR: { monthly: 99.00, yearly: 990.00 }
  add_ons:
    voice_cloning:              # or a list of versions, oldest first; existing ones never change
      - credits: 200            # a month, for each unit
      - { from: 2027-01-01T00:00:00Z, credits: 250 }
  credit_prices:
    EUR: { credits: 50 }        # for 1 EUR
  dimensions:                   # names for customers
    model: { name: Model, values: { gpt-5: GPT-5 } }`;

export function addCatalogueCommands(program: Command): void {
  const commands = program
    .command("catalogue")
    .description("apply and show what is on offer: meters, plans, add-ons, credit prices");
  addCommand(commands, "apply <file>", {
    does: "add what a file states, all of it or nothing; applying it again changes nothing",
    examples: ["catalogue apply catalogue.yaml --dry-run", "catalogue apply catalogue.yaml"],
  })
    .option("--dry-run", "show what would change, without changing it")
    .addHelpText("after", FILE_FORM)
    .action((file: string, options: ApplyOptions) =>
      run(options, async (settings) => {
        // Loaded only now: the other commands start faster without the parser.
        const { applyFile } = await import("./apply.ts");
        return applyFile(settings, file, options.dryRun === true);
      }),
    );
  addCommand(commands, "show", {
    does: "show plans, add-ons, credit prices and meters with all their versions",
    examples: ["catalogue show"],
  }).action((options: JsonOption) => run(options, show));
}

async function show(settings: Settings): Promise<Result> {
  const offer = await readBooks(settings, readOffer);
  return shown(catalogue, toCatalogue(offer), listedText(offer, Date.now()));
}
