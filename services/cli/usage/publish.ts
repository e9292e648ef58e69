import type { Command } from "commander";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";

export function addPublishCommand(program: Command): void {
  addCommand(program, "publish <file>", {
    does: "publish usage events, one JSON object per line; - reads standard input",
    examples: [
      "publish usage.ndjson",
      `publish - <<< '{"account_id":"acme","meter":"llm.input_tokens","quantity":1200}'`,
    ],
  })
    .addHelpText(
      "after",
      `
Fields: account_id, meter, quantity; optional event_id, occurred_at (ISO 8601 or milliseconds),
source, dimensions, quantities (of further meters) and hold_id. Give every line an event_id and an
occurred_at: a file published twice is then counted once. Without occurred_at a line occurs now, and
the same event_id again is a conflict.`,
    )
    .action((file: string, options: JsonOption) =>
      run(options, async (settings) => {
        // Loaded only now: commands that need no Kafka start in half the time without it.
        const { publishFile } = await import("./publish-file.ts");
        return publishFile(settings, file, options.json === true);
      }),
    );
}
