/** JSON.stringify's replacer for amounts: decimal strings. */
export function amountsAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
