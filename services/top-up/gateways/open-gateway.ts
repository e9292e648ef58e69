import { z } from "zod";
import { InvalidSettings, optional } from "../../../shared/runtime/settings.ts";
import type { GatewayKind, PaymentGateway } from "./payment-gateway.ts";
import { simulated } from "./simulated/settings.ts";
import { stripe } from "./stripe/settings.ts";

/** The values of `PAYMENT_GATEWAY`: each has a folder, and a line here. */
const KINDS: Readonly<Record<string, GatewayKind>> = {
  simulated,
  stripe,
};

const REAL = Object.entries(KINDS).filter(([, { isSimulated }]) => !isSimulated);

/** The settings of all gateways, and the choice of one. */
export const gatewayEnvironment = {
  NODE_ENV: optional("`production` refuses the simulated gateway"),
  PAYMENT_GATEWAY: z
    .enum(Object.keys(KINDS))
    .describe(
      "The gateway that charges cards; `npm start` runs the simulated one unless this is set",
    ),
  ...Object.fromEntries(
    Object.values(KINDS).flatMap(({ environment, optionalEnvironment = {} }) =>
      Object.entries({ ...environment, ...optionalEnvironment }),
    ),
  ),
};

/** A gateway with its settings. */
export interface ChosenGateway {
  readonly name: string;
  readonly set: Readonly<Record<string, string>>;
}

/**
 * Chooses the gateway. There is no default, and the simulated one is refused where it could replace a
 * real one by mistake. Throws InvalidSettings.
 */
export function chooseGateway(
  name: string,
  environment: Readonly<Record<string, unknown>>,
): ChosenGateway {
  const kind = kindOf(name);
  if (kind.isSimulated) refuseInPlaceOfReal(name, environment);
  const names = Object.keys(kind.environment);
  const textsOf = (variables: readonly string[]) =>
    variables.flatMap((variable): [string, string][] => {
      const value = environment[variable];
      return typeof value === "string" ? [[variable, value]] : [];
    });
  const set = [...textsOf(names), ...textsOf(Object.keys(kind.optionalEnvironment ?? {}))];
  if (textsOf(names).length < names.length) {
    throw new InvalidSettings(`PAYMENT_GATEWAY is ${name}, which needs ${names.join(" and ")}.`);
  }
  return { name, set: Object.fromEntries(set) };
}

export function openGateway({ name, set }: ChosenGateway): Promise<PaymentGateway> {
  return kindOf(name).open(set);
}

export function kindOf(name: string): GatewayKind {
  const kind = KINDS[name];
  if (kind === undefined) throw new Error(`there is no payment gateway ${name}`);
  return kind;
}

function refuseInPlaceOfReal(name: string, environment: Readonly<Record<string, unknown>>): void {
  if (environment["NODE_ENV"] === "production") {
    const real = REAL.map(([other]) => other).join(" or ");
    throw new InvalidSettings(
      `PAYMENT_GATEWAY is ${name}, which takes no money and is refused where NODE_ENV is production: use ${real} there.`,
    );
  }
  for (const [, { environment: read }] of REAL) {
    const names = Object.keys(read);
    if (names.every((variable) => environment[variable] === undefined)) continue;
    throw new InvalidSettings(
      `PAYMENT_GATEWAY is ${name}, but ${names.join(" or ")} is set: choose one gateway.`,
    );
  }
}
