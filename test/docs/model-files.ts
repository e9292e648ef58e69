import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

const MODELS = [
  ["A decision of the core", "shared/core/changes/suspend-subscription.ts"],
  ["A ledger operation", "shared/ledger/books/move-lots.ts"],
  ["A route", "services/api/routes/entries.ts"],
  ["A command", "services/cli/subscription/history.ts"],
  ["A test", "test/core/payments/settle-fee.test.ts"],
] as const;

/** One short file of each kind, unchanged. */
export function modelFiles(): string {
  return MODELS.map(([what, path]) => {
    const code = readFileSync(join(ROOT, path), "utf8");
    return `**${what}**: [${path}](${path})\n\n\`\`\`ts\n${code}\`\`\``;
  }).join("\n\n");
}
