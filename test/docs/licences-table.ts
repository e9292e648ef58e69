import { ALLOWED, licenceRows } from "../../infra/supply-chain/licences.ts";
import { table } from "./table.ts";

/** The licences that are allowed, and the packages that are shipped. */
export function licencesTable(): string {
  const allowed = Object.entries(ALLOWED).map(([name, why]) => [name, why]);
  return [
    table(["licence", "allowed, since it is"], allowed),
    table(["package", "version", "licence"], licenceRows()),
  ].join("\n\n");
}
