import { type Child, type ChildEnd, describeEnd } from "./child-process.ts";

/** A server of the stack. Every start uses the same port and data. */
export interface Part {
  readonly name: string;
  /** Undefined while it is stopped. */
  readonly pid: number | undefined;
  start(): Promise<void>;
  /** Stops it gracefully. */
  stop(): Promise<void>;
  /** kill -9, like a power cut. */
  kill(): Promise<void>;
}

export function createPart(
  name: string,
  launch: () => Promise<Child>,
  say: (line: string) => void,
): Part {
  let child: Child | undefined;
  const onEnd = (end: ChildEnd) => {
    child = undefined;
    if (!end.isRequested) say(`${name} ${describeEnd(end)}, unexpectedly: see its log.`);
  };
  return {
    name,
    get pid() {
      return child?.pid;
    },
    async start() {
      if (child !== undefined)
        throw new Error(`${name} is already running as process ${child.pid}`);
      child = await launch();
      void child.ended.then(onEnd);
    },
    async stop() {
      await child?.stop();
    },
    async kill() {
      await child?.kill();
    },
  };
}
