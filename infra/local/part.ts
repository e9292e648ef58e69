import { type Child, type ChildEnd, describeEnd } from "./child-process.ts";

/** A server of the stack: each start is on the same port and on the same data. */
export interface Part {
  readonly name: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  start(): Promise<void>;
  /** In good order. */
  stop(): Promise<void>;
  /** kill -9: what a power cut or the kernel's memory killer does. */
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
    if (!end.asked) say(`${name} ${describeEnd(end)}, though nobody stopped it: see its log.`);
  };
  return {
    name,
    get pid() {
      return child?.pid;
    },
    async start() {
      if (child !== undefined) throw new Error(`${name} runs already, as process ${child.pid}`);
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
