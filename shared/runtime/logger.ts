import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** Structured log lines on standard output. What could hold a secret is cut out by name. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: ["password", "*.password", "*.*.password", "url", "*.url", "connectionString"],
      censor: "(secret)",
    },
  });
}
