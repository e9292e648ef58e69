import type { Command } from "commander";
import type { Settings } from "../../../shared/runtime/settings.ts";
import type { Result } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";

const ABOUT = `
The books of DATABASE_URL are read as they stand, and never written; services may go on. The database
to replay into must be there and be empty. Usage is metered again from the topic; grants, expiries and
all other entries are posted where they were recorded, and the rest is copied. Then both are compared
account by account: exit code 1 where they are not equal. An account's usage must have come by one
partition: the order between two is not kept in the topic.`;

export function addReplayCommand(program: Command): void {
  addCommand(program, "replay", {
    does: "build the books again in an empty database, from the usage topic and the entries",
    examples: ["replay --into postgres://drawdown@127.0.0.1:5432/replayed"],
  })
    .requiredOption("--into <url>", "the empty database, like DATABASE_URL")
    .addHelpText("after", ABOUT)
    .action((options: JsonOption & { into: string }) =>
      run(options, (settings) => replay(settings, options.into)),
    );
}

async function replay(settings: Settings, into: string): Promise<Result> {
  // Loaded only now: the commands that need no Kafka start in half the time without it.
  const { replayInto } = await import("./replay-into.ts");
  return replayInto(settings, into);
}
