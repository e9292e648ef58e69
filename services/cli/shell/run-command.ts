import { Command, CommanderError } from "commander";
import { WrongCursor } from "../../../shared/contract/cursor.ts";
import { InvalidSettings, readSettings, type Settings } from "../../../shared/runtime/settings.ts";
import { printable, toJson } from "./print.ts";
import { PartUnavailable, type Result, WrongUsage } from "./result.ts";

const FAILED = 1;
const WRONG_USAGE = 2;

/** The option of every command. */
export interface JsonOption {
  readonly json?: true;
}

/** The program. What is wrong with its usage it says in one sentence; commands made from it too. */
export function makeProgram(name: string): Command {
  return new Command(name).exitOverride().configureOutput({
    outputError: (text) => sayError(oneSentence(text), process.argv.includes("--json")),
  });
}

/** What a command's help says of it. */
export interface CommandHelp {
  readonly does: string;
  readonly examples: readonly string[];
}

/** Adds a command with what all of them have: `--json`, and an example in its help. */
export function addCommand(parent: Command, usage: string, about: CommandHelp): Command {
  const examples = about.examples.map((example) => `  $ drawdown ${example}`);
  return parent
    .command(usage)
    .description(about.does)
    .option("--json", "show data as JSON")
    .addHelpText("after", `\nExample:\n${examples.join("\n")}`);
}

/** Runs the program with this process' arguments and ends the process with its exit code. */
export async function runProgram(program: Command): Promise<never> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read has seen enough: `drawdown lots acme | head`.
    process.exit(error.code === "EPIPE" ? 0 : FAILED);
  });
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = error instanceof CommanderError ? exitCodeOf(error) : sayFailure(error);
  }
  await new Promise((resolve) => process.stdout.write("", resolve));
  // A server that does not answer must not keep the process.
  process.exit();
}

/** Runs one command: reads the settings, shows the result, sets the exit code. */
export async function run(
  options: JsonOption,
  work: (settings: Settings) => Promise<Result>,
): Promise<void> {
  const json = options.json === true;
  const result = await work(readSettings(process.env));
  if (result.kind === "shown") {
    process.stdout.write(`${json ? toJson(result.data()) : result.text}\n`);
  }
  const failure = result.kind === "refused" ? result.sentence : result.failure;
  if (failure === null) return;
  sayError(failure, json, result.kind === "refused" ? result.code : null);
  process.exitCode = FAILED;
}

/** One sentence on standard error, with the name of a refusal for programs. */
function sayError(sentence: string, json: boolean, code: string | null = null): void {
  const data = code === null ? { error: sentence } : { error: sentence, code };
  process.stderr.write(`${json ? toJson(data, 0) : sentence}\n`);
}

function sayFailure(error: unknown): number {
  const json = process.argv.includes("--json");
  const sentence = error instanceof Error ? error.message : String(error);
  if (error instanceof WrongCursor) {
    sayError(`--cursor ${sentence}`, json);
    return WRONG_USAGE;
  }
  if (error instanceof WrongUsage) {
    sayError(printable(sentence), json);
    return WRONG_USAGE;
  }
  if (error instanceof InvalidSettings) {
    sayError(oneSentence(sentence), json);
    return WRONG_USAGE;
  }
  const expected = error instanceof PartUnavailable;
  sayError(printable(expected ? sentence : `drawdown failed: ${sentence}`), json);
  return FAILED;
}

/** Help that was asked for is no error. */
function exitCodeOf(error: CommanderError): number {
  return error.exitCode === 0 ? 0 : WRONG_USAGE;
}

/** Several lines as one: "Settings are not usable: DATABASE_URL: is not set; ..." */
function oneSentence(text: string): string {
  const [first = "", ...rest] = text
    .replace(/^error: /, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return printable(rest.length === 0 ? first : `${first} ${rest.join("; ")}`);
}
