// Preloaded into every process of the run: its clock is moved, and may step a few seconds after the start.
import { readFileSync } from "node:fs";

const STEPS_AFTER_MS = 4_000;
const movedMs = Number(readFileSync(process.env["FIRE_CLOCK_FILE"] ?? "", "utf8"));
const stepMs = Number(process.env["FIRE_CLOCK_STEP_MS"] ?? 0);
const RealDate = Date;
const began = performance.now();

function shift(): number {
  return performance.now() - began < STEPS_AFTER_MS ? movedMs : movedMs + stepMs;
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: []) =>
    args.length === 0 ? new target(target.now() + shift()) : Reflect.construct(target, args),
  get: (target, name) =>
    name === "now" ? () => target.now() + shift() : Reflect.get(target, name, target),
});
