import { type ChildProcess, spawn } from "node:child_process";

/**
 * Invariant: no process given to the guard outlives this one by more than `GRACE_SECONDS`.
 *
 * The guard is a shell in a session of its own that reads from a pipe which only this process
 * holds. However this process ends (Ctrl-C, an exception, kill -9), the kernel closes the pipe, and
 * the guard stops what is still on its list. It ends by itself when the list is empty.
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

/** From now on `pid`, the leader of a process group, gets `signal` when this process is gone. */
export function guardProcess(pid: number, signal: Signal): void {
  guarded.set(pid, signal);
  if (guard === undefined) guard = startGuard();
  else guard.stdin?.write(`add ${pid} ${signal}\n`);
}

/** The process has ended: its number may soon be another's. */
export function releaseProcess(pid: number): void {
  if (!guarded.delete(pid)) return;
  guard?.stdin?.write(`drop ${pid} -\n`);
  if (guarded.size > 0) return;
  guard?.stdin?.end();
  guard = undefined;
}

/** With the whole list, so that a guard that was lost can be replaced. */
function startGuard(): ChildProcess {
  const shell = spawn("/bin/sh", ["-c", GUARD, "drawdown-guard"], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => undefined); // without a shell there is no second line of defence
  shell.stdin.on("error", () => undefined);
  shell.once("exit", () => {
    if (guard === shell) guard = startGuard();
  });
  shell.unref();
  if ("unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
  for (const [pid, signal] of guarded) shell.stdin.write(`add ${pid} ${signal}\n`);
  return shell;
}
