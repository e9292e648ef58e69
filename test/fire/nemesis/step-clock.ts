// Preloaded into one process: its clock steps a few seconds after the start.
const AFTER_MS = 4_000;
const stepMs = Number(process.env["FIRE_CLOCK_STEP_MS"]);
const RealDate = Date;
const began = performance.now();

function shift(): number {
  return performance.now() - began < AFTER_MS ? 0 : stepMs;
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: []) =>
    args.length === 0 ? new target(target.now() + shift()) : Reflect.construct(target, args),
  get: (target, name) =>
    name === "now" ? () => target.now() + shift() : Reflect.get(target, name, target),
});
