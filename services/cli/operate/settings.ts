import { z } from "zod";
import { readEnvironment } from "../../../shared/runtime/settings.ts";

/** Without a user and password, which fetch refuses, in an error that shows them. */
const ADDRESS = /^([^\s=,]+)=(https?:\/\/[^\s/=,@]+)\/?$/;

/** The command line's settings, in addition to those of every service. */
export const environment = z.object({
  HEALTH_ADDRESSES: z
    .string()
    .transform((list) => list.split(",").map((one) => one.trim()))
    .pipe(z.array(z.string().regex(ADDRESS, "must be name=http://host:port, separated by commas")))
    .optional()
    .describe(
      "Where `drawdown status` asks services for their health: `name=http://host:port`, several separated by commas. `npm start` and Compose set it",
    ),
});

/** A service, and where it answers `/livez` and `/readyz`. */
export interface HealthAddress {
  readonly name: string;
  readonly address: string;
}

/** Null: it is not known where services answer. Throws InvalidSettings. */
export function readHealthAddresses(env: NodeJS.ProcessEnv): readonly HealthAddress[] | null {
  const { HEALTH_ADDRESSES: addresses } = readEnvironment(environment, env);
  if (addresses === undefined) return null;
  return addresses.map((text) => {
    const [, name = "", address = ""] = ADDRESS.exec(text) ?? [];
    return { name, address };
  });
}
