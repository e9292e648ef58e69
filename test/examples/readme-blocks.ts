/** A fenced block of Markdown, with the language that it names. */
interface Block {
  readonly language: string;
  readonly text: string;
}

/** The blocks that name a language, in order. */
export function fencedBlocks(text: string): Block[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", inside = ""]) => ({
    language,
    text: inside,
  }));
}

/**
 * What is typed into the first terminal: the commands that end, and the one that runs on. What npm
 * installs is here, so the install is a dry run; the demo plays its hour in seconds.
 */
export function firstTerminal(block: Block | undefined): { before: string; running: string } {
  const lines = (block?.text ?? "").trim().split("\n");
  const running = lines.pop() ?? "";
  const before = lines
    .join("\n")
    .replace("npm ci ", "npm ci --dry-run --no-audit ")
    .replace("npm run demo -- --exit", "npm run demo -- --exit --speed-up 2000");
  return { before, running };
}
