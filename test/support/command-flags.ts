import { type ParseArgsConfig, parseArgs } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>["values"];

/**
 * The flags of this process, a command of the tests, as `read` makes them of what was given. Ends it where
 * `--help` is given (0), and where a flag is unknown or `read` throws (2); both print `help`.
 */
export function commandFlags<const O extends Options, F>(
  help: string,
  options: O,
  read: (values: Values<O>) => F,
): F {
  if (process.argv.includes("--help")) {
    console.log(help);
    process.exit(0);
  }
  try {
    return read(parseArgs({ options }).values);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(2);
  }
}

/** A number of a flag. Throws RangeError unless it is above 0. */
export function above0(flag: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new RangeError(`${flag} must be a number above 0, not "${text}"`);
}

/** A whole number of a flag. Throws RangeError unless it is from 1 on. */
export function from1(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`${flag} must be a whole number from 1 on, not "${text}"`);
}

/** A number of a flag. Throws RangeError unless it is from 0 on. */
export function from0(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new RangeError(`${flag} must be a number from 0 on, not "${text}"`);
}
