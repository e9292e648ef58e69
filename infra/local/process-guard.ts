import { type ChildProcess, spawn } from "node:child_process";

/**
 * Invariant: no guarded process outlives this one by more than `GRACE_SECONDS`.
 *
 * The guard is a shell in its own session that reads from a pipe of this process. However this process
 * ends (even by kill -9), the kernel closes the pipe, and the guard stops the processes on its list. It
 * exits when the list is empty.
 */
const GRACE_SECONDS = 25;

const GUARD = `
list=""
while read -r word pid signal; do
  case "$word" in
    add) list="$list $pid:$signal" ;;
    drop) kept=""; for item in $list; do [ "\${item%%:*}" = "$pid" ] || kept="$kept $item"; done; list="$kept" ;;
  esac
done
for item in $list; do kill -s "\${item##*:}" "\${item%%:*}" 2>/dev/null; done
turns=$((${GRACE_SECONDS} * 5))
while [ "$turns" -gt 0 ]; do
  alive=""
  for item in $list; do kill -0 "\${item%%:*}" 2>/dev/null && alive="yes"; done
  [ -n "$alive" ] || exit 0
  turns=$((turns - 1))
  sleep 0.2
done
for item in $list; do kill -s KILL "-\${item%%:*}" 2>/dev/null; done
`;

type Signal = "TERM" | "INT";

let guard: ChildProcess | undefined;
const guarded = new Map<number, Signal>();

/** Sends `signal` to `pid`, the leader of a process group, when this process is gone. */
export function guardProcess(pid: number, signal: Signal): void {
  guarded.set(pid, signal);
  if (guard === undefined) guard = startGuard();
  else guard.stdin?.write(`add ${pid} ${signal}\n`);
}

/** Call it when the process has ended, since its id may be reused. */
export function releaseProcess(pid: number): void {
  if (!guarded.delete(pid)) return;
  guard?.stdin?.write(`drop ${pid} -\n`);
  if (guarded.size > 0) return;
  guard?.stdin?.end();
  guard = undefined;
}

/** Gets the whole list, so that it can replace a lost guard. */
function startGuard(): ChildProcess {
  const shell = spawn("/bin/sh", ["-c", GUARD, "drawdown-guard"], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => undefined); // without a shell there is no guard
  shell.stdin.on("error", () => undefined);
  shell.once("exit", () => {
    if (guard === shell) guard = startGuard();
  });
  shell.unref();
  if ("unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
  for (const [pid, signal] of guarded) shell.stdin.write(`add ${pid} ${signal}\n`);
  return shell;
}
