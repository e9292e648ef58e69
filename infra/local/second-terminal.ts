/**
 * What to type in a second terminal while `npm start` runs: how commands find the servers, unless its
 * user has set that, and how a customer's dashboard is opened.
 */
export function secondTerminal(
  servers: Readonly<Record<string, string>> | null,
  url: string,
): string[] {
  return [
    ...Object.entries(servers ?? {}).map(([name, value]) => `export ${name}=${value}`),
    "npm run drawdown -- account create acme --time-zone Europe/Berlin",
    `npm run drawdown -- dashboard-link acme --api ${url}`,
  ];
}
