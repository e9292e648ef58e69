import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** JSON log lines on standard output. Fields that may hold secrets are redacted by name. */
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
