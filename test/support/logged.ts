import { pino } from "pino";
import type { Logger } from "../../shared/runtime/logger.ts";

interface Logged {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger, and what it has logged. */
export function openLog(): { readonly logger: Logger; readonly logged: readonly Logged[] } {
  const logged: Logged[] = [];
  const formatters = { level: (label: string) => ({ level: label }) };
  const write = (line: string) => void logged.push(JSON.parse(line) as Logged);
  const logger = pino({ level: "debug", base: null, timestamp: false, formatters }, { write });
  return { logger, logged };
}
