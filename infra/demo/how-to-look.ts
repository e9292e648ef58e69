import type { Stack } from "../local/stack.ts";

/** Where all listens, and what to type to look at the books while the demo stays up. */
export function howToLook(
  { env }: Pick<Stack, "env">,
  shown: { readonly accountId: string; readonly eventId: string },
): string {
  const exports = Object.entries(env).map(([name, value]) => `  export ${name}='${value}'`);
  return [
    "",
    "Everything stays up until Ctrl-C. To look around, in another terminal:",
    "",
    ...exports,
    `  npx drawdown status`,
    `  npx drawdown account show ${shown.accountId}`,
    `  npx drawdown lots ${shown.accountId}`,
    `  npx drawdown explain event ${shown.eventId} --account ${shown.accountId}`,
    "",
  ].join("\n");
}
