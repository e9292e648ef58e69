import type { Command } from "commander";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";

const ABOUT = `
The books in DATABASE_URL are only read, and services may go on. The database to replay into must
exist and be empty. Usage is metered again from the topic; grants, expiries and all other entries are
posted where they were recorded; the rest is copied. Then both are compared account by account, with
exit code 1 if they differ. All usage of an account must have come through one partition: the topic
does not keep the order between partitions.`;

export function addReplayCommand(program: Command): void {
  addCommand(program, "replay", {
    does: "rebuild the books in an empty database, from the usage topic and the entries, and compare",
    examples: ["replay --into postgres://drawdown@127.0.0.1:5432/replayed"],
  })
    .requiredOption("--into <url>", "the URL of the empty database, like DATABASE_URL")
    .addHelpText("after", ABOUT)
    .action((options: JsonOption & { into: string }) =>
      run(options, async (settings) => {
        // Loaded only now: commands that need no Kafka start in half the time without it.
        const { replayInto } = await import("./replay-into.ts");
        return replayInto(settings, options.into);
      }),
    );
}
