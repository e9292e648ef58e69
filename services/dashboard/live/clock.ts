import { computed, signal } from "@preact/signals";

/** The time, updated every second while the page is visible. */
export const second = signal(Date.now());

/** The time, updated every minute. */
export const minute = computed(() => second.value - (second.value % 60_000));

setInterval(() => {
  if (document.visibilityState === "visible") second.value = Date.now();
}, 1000);
