import { type Command, Option } from "commander";
import type { DeadLetterPlace } from "../../../shared/core/usage/dead-letter-place.ts";
import {
  DEAD_LETTER_REASONS,
  type DeadLetterReason,
} from "../../../shared/core/usage/usage-event.ts";
import { byArgument, placeArgument, textArgument } from "../shell/arguments.ts";
import { addChangeCommand, type ByOption } from "../shell/change-command.ts";
import { addPageOptions } from "../shell/paging.ts";
import { WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { dismissAll, dismissOne } from "./dismiss.ts";
import { type ListOptions, listLetters } from "./list.ts";
import { retryAll, retryOne } from "./retry.ts";

interface RetryOptions extends JsonOption {
  readonly reason?: DeadLetterReason;
  readonly all?: true;
}

interface DismissOptions extends ByOption {
  readonly reason?: DeadLetterReason;
  readonly why: string;
}

const ABOUT_PLACES = `
A dead letter is named by its topic, partition and offset: usage.events/2/1041, or 2/1041 for short.`;

const ABOUT_RETRY = `${ABOUT_PLACES}

The services publish its bytes again within seconds, whatever their age. It is metered at most once
however often it is retried; if it still cannot be metered, it becomes a new dead letter. Dead letters
that lack an account, a meter or a price are retried automatically once it exists.`;

export function addDeadLetterCommands(program: Command): void {
  const letters = program
    .command("dead-letters")
    .description("list, retry and dismiss usage that could not be metered");
  addListCommand(letters);
  addCommand(letters, "show <place>", {
    does: "show a dead letter with its event, or its bytes if the event cannot be read",
    examples: ["dead-letters show usage.events/2/1041", "dead-letters show 2/1041 --json"],
  })
    .addHelpText("after", ABOUT_PLACES)
    .action((place: string, options: JsonOption) =>
      run(options, async (settings) => {
        // Loaded only now: the registry's client is slow to load.
        const { showLetter } = await import("./show.ts");
        return showLetter(settings, placeArgument(place));
      }),
    );
  addRetryCommand(letters);
  addDismissCommand(letters);
}

function addListCommand(letters: Command): void {
  const list = addCommand(letters, "list", {
    does: "list open dead letters, newest first",
    examples: ["dead-letters list", "dead-letters list --reason conflict --account acme --all"],
  });
  addPageOptions(list)
    .addOption(reasonOption("only those of this reason"))
    .option("--account <id>", "only those of this account")
    .option("--all", "also those that are retried or dismissed")
    .action((options: ListOptions) => run(options, (settings) => listLetters(settings, options)));
}

function addRetryCommand(letters: Command): void {
  addCommand(letters, "retry [place]", {
    does: "publish a dead letter again, or all open ones",
    examples: [
      "dead-letters retry 2/1041",
      "dead-letters retry --reason too_long_ago",
      "dead-letters retry --all",
    ],
  })
    .addOption(reasonOption("all open ones of this reason"))
    .option("--all", "all open ones")
    .addHelpText("after", ABOUT_RETRY)
    .action((text: string | undefined, { reason, all, ...options }: RetryOptions) =>
      run(options, (settings) => {
        const place = oneOf(text, { "--reason": reason, "--all": all });
        return place === null ? retryAll(settings, reason ?? null) : retryOne(settings, place);
      }),
    );
}

function addDismissCommand(letters: Command): void {
  addChangeCommand(letters, "dismiss [place]", {
    does: "close a dead letter without metering it, or all open ones of a reason",
    examples: [
      'dead-letters dismiss 2/1041 --why "sent by a test"',
      'dead-letters dismiss --reason conflict --why "the first ones are right"',
    ],
  })
    .addOption(reasonOption("all open ones of this reason"))
    .requiredOption("--why <text>", "why, for the record")
    .addHelpText("after", ABOUT_PLACES)
    .action((text: string | undefined, { reason, why, by, ...options }: DismissOptions) =>
      run(options, (settings) => {
        const place = oneOf(text, { "--reason": reason });
        const dismissal = { by: byArgument(by), reason: whyArgument(why) };
        if (place !== null) return dismissOne(settings, place, dismissal);
        return dismissAll(settings, reason ?? null, dismissal);
      }),
    );
}

function reasonOption(does: string): Option {
  return new Option("--reason <reason>", does).choices(DEAD_LETTER_REASONS);
}

/** The place, or null if an option selects the dead letters. Exactly one of them must be given. */
function oneOf(
  text: string | undefined,
  options: Readonly<Record<string, unknown>>,
): DeadLetterPlace | null {
  const named = [text, ...Object.values(options)].filter((value) => value !== undefined);
  if (named.length !== 1) {
    throw new WrongUsage(`name one dead letter, or ${Object.keys(options).join(" or ")}`);
  }
  return text === undefined ? null : placeArgument(text);
}

function whyArgument(text: string): string {
  if (text.trim() === "") throw new WrongUsage("--why is empty; give a reason for the record");
  return textArgument("--why", text);
}
