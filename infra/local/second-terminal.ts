import { writeFile } from "node:fs/promises";

/** Writes how commands find the servers of this run as lines of a shell; only its user may read it. */
export async function writeServers(
  file: string,
  servers: Readonly<Record<string, string>>,
): Promise<void> {
  await writeFile(
    file,
    exports(servers)
      .map((line) => `${line}\n`)
      .join(""),
    { mode: 0o600 },
  );
}

function exports(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `export ${name}=${value}`);
}

/**
 * What to type in a second terminal while `npm start` runs: the file that says where the servers are, or
 * what its user has not set, and how a customer's dashboard is opened.
 */
export function secondTerminal(
  servers: string | Readonly<Record<string, string>>,
  url: string,
): string[] {
  return [
    ...(typeof servers === "string" ? [`. ${servers}`] : exports(servers)),
    "npm run drawdown -- account create acme --time-zone Europe/Berlin",
    `npm run drawdown -- dashboard-link acme --api ${url}`,
  ];
}
