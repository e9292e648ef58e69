/** Why there is nothing to show. */
export type Reason = "none" | "expired" | "key";

const SAID: Readonly<Record<Reason, { title: string; text: string }>> = {
  none: {
    title: "This page opens with a link",
    text: "The product that you use your credits in has a link to it, made for your account. Open that link again: it is good for a short while only, and for one tab.",
  },
  expired: {
    title: "This link has expired",
    text: "A link to your credits is good for a short while only. Go back to where you opened it and open it again. Nothing is lost.",
  },
  key: {
    title: "This key does not open the operators' page",
    text: "It has been revoked, or lacks the scope admin. Make another with the command line and open /dashboard/#key=<key>.",
  },
};

/** The page for whoever has no access, or none any more. */
export function NoAccess({ reason }: { reason: Reason }) {
  const { title, text } = SAID[reason];
  return (
    <main class="page narrow">
      <section class="card">
        <h1 class="title">{title}</h1>
        <p class="note">{text}</p>
      </section>
    </main>
  );
}
