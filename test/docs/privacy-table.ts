import { ACCOUNT_TABLES } from "../../shared/ledger/privacy/account-tables.ts";
import { table } from "./table.ts";

/** What each table holds about accounts, from the list that exports and erasures follow. */
export function privacyTable(): string {
  const rows = ACCOUNT_TABLES.map(({ table: name, personal, erasing, notExported }) => [
    `\`${name}\``,
    personal,
    erasing,
    notExported === undefined ? "yes" : `no: ${notExported}`,
  ]);
  return table(["table", "may be personal", "when the account is erased", "exported"], rows);
}
