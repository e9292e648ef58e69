import { inspect } from "node:util";
import { Worker } from "node:worker_threads";

/** What a worker posts: that it is at some input, then that it is done. */
export type Report = { readonly at: unknown } | { readonly done: unknown };

/**
 * Has a file's worker do jobs, one after another. A job that fails or is not done after `limitMs` throws,
 * with the input that the worker was at: whatever keeps its thread busy for ever is ended.
 */
export function openWorker(file: URL, limitMs: number) {
  let worker: Worker | null = null;
  let onReport: (report: Report) => void = () => undefined;
  let onFailure: (why: string) => void = () => undefined;

  function start(): Worker {
    const started = new Worker(file);
    started.on("message", (report: Report) => onReport(report));
    started.on("error", (error: Error) => onFailure(`${error.message}\n${inspect(error.cause)}`));
    started.on("exit", (code) => onFailure(`ended with ${code}`));
    return started;
  }

  return {
    async run(job: unknown): Promise<unknown> {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      let at: unknown = null;
      onFailure = (why) =>
        reject(new Error(`${why}\njob ${JSON.stringify(job)}, at ${JSON.stringify(at)}`));
      onReport = (report) => {
        if ("done" in report) resolve(report.done);
        else at = report.at;
      };
      const timer = setTimeout(() => onFailure(`not done after ${limitMs} ms`), limitMs);
      worker ??= start();
      worker.postMessage(job);
      try {
        return await promise;
      } catch (error) {
        await worker.terminate();
        worker = null;
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    async close(): Promise<void> {
      await worker?.terminate();
    },
  };
}
