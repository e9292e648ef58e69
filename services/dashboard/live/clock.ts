import { computed, signal } from "@preact/signals";

/** The time, moving every second, for what is waited for. */
export const second = signal(Date.now());

/** The time, moving every minute, for "today" and "in 9 days". */
export const minute = computed(() => second.value - (second.value % 60_000));

setInterval(() => {
  if (document.visibilityState === "visible") second.value = Date.now();
}, 1000);
