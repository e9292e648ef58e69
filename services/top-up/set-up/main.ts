import { z } from "zod";
import { recordChargeLimits } from "../../../shared/ledger/payments/charge-limits.ts";
import { openDatabase } from "../../../shared/ledger/postgres/database.ts";
import { readEnvironment, readSettings } from "../../../shared/runtime/settings.ts";
import { requireChargeable, TOP_UP_CEILINGS } from "../ceilings-setting.ts";
import { gatewayEnvironment, kindOf } from "../gateways/open-gateway.ts";

// Set-up runs this file. It needs no gateway's keys, and without PAYMENT_GATEWAY takes the simulated
// gateway, as `npm start` does.
const environment = z.object({
  PAYMENT_GATEWAY: gatewayEnvironment.PAYMENT_GATEWAY.default("simulated"),
  TOP_UP_CEILINGS,
});

const { PAYMENT_GATEWAY: gateway, TOP_UP_CEILINGS: ceilings } = readEnvironment(
  environment,
  process.env,
);
const { minimumCharges } = kindOf(gateway);
requireChargeable(ceilings, { name: gateway, minimumCharges });
const database = openDatabase(readSettings(process.env).database, {
  name: "drawdown-set-up",
  connections: 1,
  onError: (error) => console.error(`lost a connection to Postgres: ${error.message}`),
});
try {
  await recordChargeLimits(database, minimumCharges, ceilings);
} finally {
  await database.end();
}
