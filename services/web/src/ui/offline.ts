import { prefix } from "../api/address";

/** Whether the page can be opened without a connection: browsers allow it on https and localhost. */
export const opensOffline: boolean = "serviceWorker" in navigator;

/** Has the browser keep the page's own files, so that a reload without a connection opens it. */
export function keepFiles(): void {
  if (!opensOffline) return;
  // A browser that refuses (private windows, switched off) shows the page while it is connected.
  navigator.serviceWorker.register(`${prefix}/worker.js`).catch(() => undefined);
}
