import type { Command } from "commander";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";

interface RunOptions extends JsonOption {
  readonly at?: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

const ABOUT_AT = `
Expiries and add-on charges are posted once metering has read all usage before them, 15 minutes
after they fall due at the earliest.

--at moves the clock ahead to try out the coming months. What is posted stays posted, so it asks
before it posts; --dry-run posts nothing. Usage then counts as complete at that instant if metering
has read every partition to its end; otherwise expiries and add-on charges wait, and the command
reports it. A past instant is refused: run without --at to post what is due.`;

export function addSchedulerCommands(program: Command): void {
  const scheduler = program.command("scheduler").description("post what falls due on all accounts");
  addCommand(scheduler, "run", {
    does: "settle all accounts that are due and publish expiry notices, as the scheduler service does",
    examples: [
      "scheduler run --dry-run",
      "scheduler run",
      "scheduler run --at 2026-12-01T00:15:00Z --dry-run",
      "scheduler run --at 2026-12-01T00:15:00Z --yes",
    ],
  })
    .option("--at <instant>", "run as if it were this future instant (default: now)")
    .option("--dry-run", "show what would be posted, without posting it")
    .option("--yes", "with --at, post without asking")
    .addHelpText("after", ABOUT_AT)
    .action((options: RunOptions) =>
      run(options, async (settings) => {
        // Loaded only now: Kafka's client, which --at needs, is slow to load.
        const { runScheduler } = await import("./scheduler-run.ts");
        return runScheduler(settings, options);
      }),
    );
}
