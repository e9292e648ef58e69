import type { Command } from "commander";
import { addCommand, run } from "../shell/run-command.ts";
import type { ImportOptions } from "./import-rates.ts";

const MORE = `
FILE is LiteLLM's model_prices_and_context_window.json, models.dev's api.json, or a CSV whose first line
names its columns:

  provider,model,kind,price,per,currency
  openai,gpt-5,input_tokens,1.25,1000000,USD

Each kind of price becomes a meter with the dimensions provider and model. A pattern is of provider/model,
and * in it stands for any text. The last markup that matches holds; where none does, the list price. A
model that is no longer in the file ends; with --only, models outside of the patterns stay as they are.`;

/** Adds `import` to the commands about rates. */
export function addImportCommand(commands: Command): void {
  addCommand(commands, "import <file>", {
    does: "make rates of the list prices in a file: show what changes, ask, and apply it",
    examples: [
      'rates import prices.json --markup 1.3 --per-credit "USD 0.01" --dry-run',
      'rates import prices.json --markup 1.3 --markup "openai/gpt-5*=1.2" --only "openai/*" --per-credit "USD 0.01"',
    ],
  })
    .requiredOption("--per-credit <money>", 'what a credit is worth, such as "USD 0.01"')
    .option(
      "--markup <factor>",
      "the factor on list prices, such as 1.3 or openai/gpt-5*=1.2; may be repeated",
      collect,
    )
    .option("--only <pattern>", "import only what a pattern matches; may be repeated", collect)
    .option("--from <instant>", "when the rates take effect (default: as early as possible)")
    .option("--dry-run", "show what would change, without changing it")
    .option("--yes", "do not ask")
    .addHelpText("after", MORE)
    .action((file: string, options: ImportOptions) =>
      run(options, async (settings) => {
        // Loaded only now: the other commands start faster without the readers.
        const { importFile } = await import("./import-rates.ts");
        return importFile(settings, file, options);
      }),
    );
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
