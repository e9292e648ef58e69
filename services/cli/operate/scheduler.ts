import type { Command } from "commander";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";

interface RunOptions extends JsonOption {
  readonly at?: string;
  readonly dryRun?: true;
}

const ABOUT_AT = `
Without --at the clock is this machine's. Expiries and add-on charges wait until metering has read
all usage before them, and a grace of 15 minutes.

--at moves the clock ahead, to try out what the coming months bring: what is posted then stays. An
instant more than a minute past is refused: what was due by then is posted by a run without --at. For
expiries and add-on charges, usage counts as complete at that instant if metering has now read every
partition to its end; else they wait, and it says so.`;

export function addSchedulerCommands(program: Command): void {
  const scheduler = program
    .command("scheduler")
    .description("post what falls due on accounts that nobody touches");
  addCommand(scheduler, "run", {
    does: "settle all accounts that are due and give notice of credits that expire, as the service does",
    examples: [
      "scheduler run --dry-run",
      "scheduler run",
      "scheduler run --at 2026-12-01T00:15:00Z --dry-run",
    ],
  })
    .option("--at <instant>", "do it as at this instant to come (default: now)")
    .option("--dry-run", "show what would be done, and do nothing")
    .addHelpText("after", ABOUT_AT)
    .action((options: RunOptions) =>
      run(options, async (settings) => {
        // Loaded only now: with --at it asks Kafka, whose client takes long to load.
        const { runScheduler } = await import("./scheduler-run.ts");
        return runScheduler(settings, options.at, options.dryRun === true);
      }),
    );
}
