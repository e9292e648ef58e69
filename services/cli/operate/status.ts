import type { Command } from "commander";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { type Result, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { readHealthAddresses } from "./settings.ts";

export function addStatusCommand(program: Command): void {
  addCommand(program, "status", {
    does: "show which servers and services are up, how far metering is behind, and what waits",
    examples: ["status", "status --json"],
  }).action((options: JsonOption) => run(options, status));
}

async function status(settings: Settings): Promise<Result> {
  // Loaded only now: commands that need no Kafka start in half the time without it.
  const [{ inspect }, { namesOfDown, statusNoun, statusText, toStatus }] = await Promise.all([
    import("./inspect-parts.ts"),
    import("./status-text.ts"),
  ]);
  const found = await inspect(settings, readHealthAddresses(process.env));
  const down = namesOfDown(found);
  const failure = down.length === 0 ? null : `down: ${down.join(", ")}`;
  return shown(statusNoun, toStatus(found), statusText(found), failure);
}
