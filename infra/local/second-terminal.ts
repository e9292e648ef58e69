import { writeFile } from "node:fs/promises";

/** Writes how commands find the servers of this run as lines of a shell; only its user may read it. */
export async function writeServers(
  file: string,
  servers: Readonly<Record<string, string>>,
): Promise<void> {
  const lines = Object.entries(servers).map(([name, value]) => `export ${name}=${value}\n`);
  await writeFile(file, lines.join(""), { mode: 0o600 });
}

/**
 * What to type in a second terminal while `npm start` runs: the file that says where the servers are,
 * unless its user has set that, and how a customer's dashboard is opened.
 */
export function secondTerminal(serversFile: string | null, url: string): string[] {
  return [
    ...(serversFile === null ? [] : [`. ${serversFile}`]),
    "npm run drawdown -- account create acme --time-zone Europe/Berlin",
    `npm run drawdown -- dashboard-link acme --api ${url}`,
  ];
}
