import { Command, CommanderError } from "commander";
import { WrongCursor } from "../../../shared/contract/cursor.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { InvalidSettings, readSettings, type Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument } from "./arguments.ts";
import { printable, toJson } from "./print.ts";
import { PartUnavailable, type Result, WrongUsage } from "./result.ts";

const FAILED = 1;
const WRONG_USAGE = 2;

/** The option of every command. */
export interface JsonOption {
  readonly json?: true;
}

/** The program. It and its commands report wrong usage in one sentence. */
export function makeProgram(name: string): Command {
  return new Command(name).exitOverride().configureOutput({
    outputError: (text) => writeError(oneSentence(text), process.argv.includes("--json")),
  });
}

/** The help of a command. */
export interface CommandHelp {
  readonly does: string;
  readonly examples: readonly string[];
}

/** Adds a command with `--json` and examples in its help. */
export function addCommand(parent: Command, usage: string, about: CommandHelp): Command {
  const examples = about.examples.map((example) => `  $ drawdown ${example}`);
  return parent
    .command(usage)
    .description(about.does)
    .option("--json", "show data as JSON")
    .addHelpText("after", `\nExample:\n${examples.join("\n")}`);
}

/** Runs the program with the arguments of this process; returns the exit code. */
export async function runProgram(program: Command): Promise<number> {
  try {
    await program.parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return error instanceof CommanderError ? exitCodeOf(error) : writeFailure(error);
  }
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
  writeError(failure, json, result.kind === "refused" ? result.code : null);
  process.exitCode = FAILED;
}

/** Runs a command whose only argument is an account. */
export function forAccount(work: (settings: Settings, accountId: AccountId) => Promise<Result>) {
  return (id: string, options: JsonOption) =>
    run(options, (settings) => work(settings, accountIdArgument(id)));
}

/** Writes one sentence to standard error, in JSON with the refusal's code. */
function writeError(sentence: string, json: boolean, code: string | null = null): void {
  const data = code === null ? { error: sentence } : { error: sentence, code };
  process.stderr.write(`${json ? toJson(data, 0) : sentence}\n`);
}

/** Writes why a command failed; returns the exit code. */
function writeFailure(error: unknown): number {
  const [sentence, exitCode] = describeFailure(error);
  writeError(sentence, process.argv.includes("--json"));
  return exitCode;
}

function describeFailure(error: unknown): [sentence: string, exitCode: number] {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof WrongCursor) return [`--cursor ${message}`, WRONG_USAGE];
  if (error instanceof WrongUsage) return [printable(message), WRONG_USAGE];
  if (error instanceof InvalidSettings) return [oneSentence(message), WRONG_USAGE];
  const isExpected = error instanceof PartUnavailable;
  return [printable(isExpected ? message : `drawdown failed: ${message}`), FAILED];
}

/** Commander throws for --help too, with exit code 0. */
function exitCodeOf(error: CommanderError): number {
  return error.exitCode === 0 ? 0 : WRONG_USAGE;
}

/** Joins lines: "Settings are not usable: DATABASE_URL: is not set; ..." */
function oneSentence(text: string): string {
  const [first = "", ...rest] = text
    .replace(/^error: /, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return printable(rest.length === 0 ? first : `${first} ${rest.join("; ")}`);
}
