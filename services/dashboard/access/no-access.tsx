export type Reason = "none" | "expired";

const TEXTS: Readonly<Record<Reason, { title: string; text: string }>> = {
  none: {
    title: "This page opens with a link",
    text: "Open it again from the product in which you use your credits. Each link works only for a short time, and in one tab.",
  },
  expired: {
    title: "This link has expired",
    text: "Links to your credits work only for a short time. Go back to where you opened it, and open it again. Nothing is lost.",
  },
};

/** The page without access. */
export function NoAccess({ reason }: { reason: Reason }) {
  const { title, text } = TEXTS[reason];
  return (
    <main class="page narrow">
      <section class="card">
        <h1 class="title">{title}</h1>
        <p class="note">{text}</p>
      </section>
    </main>
  );
}
