import { z } from "zod";
import { environment as simulatedGateway } from "../../infra/simulated-gateway/settings.ts";
import { environment as api } from "../../services/api/settings.ts";
import { environment as commandLine } from "../../services/cli/operate/settings.ts";
import { environment as topUp } from "../../services/top-up/settings.ts";
import { environment as everyService } from "../../shared/runtime/settings.ts";
import { table } from "./table.ts";

const READ_BY = [
  ["Every service", everyService],
  ["The API", api],
  ["The top-up service", topUp],
  ["The simulated gateway", simulatedGateway],
  ["The command line", commandLine],
] as const;

const schema = z.object({
  properties: z.record(
    z.string(),
    z.object({
      description: z.string(),
      default: z.union([z.string(), z.number()]).optional(),
      enum: z.array(z.string()).optional(),
    }),
  ),
  required: z.array(z.string()).default([]),
});

/** The settings of each process, from its schema. */
export function settingsTables(): string {
  return READ_BY.map(([who, environment]) => `## ${who}\n\n${settingsTable(environment)}`).join(
    "\n\n",
  );
}

/** The names of the settings of these processes. */
export function settingNames(...of: readonly (typeof READ_BY)[number][0][]): string[] {
  return READ_BY.filter(([who]) => of.includes(who)).flatMap(([, environment]) =>
    Object.keys(schema.parse(z.toJSONSchema(environment, { io: "input" })).properties),
  );
}

function settingsTable(environment: z.ZodType): string {
  const { properties, required } = schema.parse(z.toJSONSchema(environment, { io: "input" }));
  const rows = Object.entries(properties).map(
    ([name, { description, default: usual, enum: of }]) => [
      `\`${name}\``,
      required.includes(name)
        ? "required"
        : usual === undefined || usual === ""
          ? ""
          : `\`${usual}\``,
      of === undefined
        ? description
        : `${description}. One of ${of.map((one) => `\`${one}\``).join(", ")}`,
    ],
  );
  return table(["name", "default", "meaning"], rows);
}
