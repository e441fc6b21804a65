/**
 * The service worker: opens the page where there is no connection.
 *
 * It keeps the page's own files, which are the same for everybody, and nothing else: no answer of
 * the API passes through it. A connected browser gets the newest page from the server.
 * The build fills in the names of the files.
 */
const FILES = [];
const VERSION = "";

const PREFIX = "tandem-page-";
const KEPT = PREFIX + VERSION;
const SCOPE = self.registration.scope;
const NAMES = new Set(FILES.map((name) => new URL(name, SCOPE).href));
/** A connection that answers later than this counts as none: the page itself is small. */
const PATIENCE_MS = 5000;
/** Addresses that are not the page's. */
const OTHERS = /^(api|assets|docs|setup|join|reset|healthz|readyz|metrics)(\/|$)/;

self.addEventListener("install", (event) => {
  const wanted = [new Request(SCOPE, { cache: "no-cache", headers: { Accept: "text/html" } }), ...NAMES];
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(wanted)));
});

// Runs once no tab is open any more that has an older page: until then that keeps its files.
self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(PREFIX) && name !== KEPT))
      .then((old) => Promise.all(old.map((name) => caches.delete(name)))),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(SCOPE)) return;
  const path = request.url.slice(SCOPE.length);
  if (request.mode === "navigate") {
    if (!OTHERS.test(path)) event.respondWith(page(request));
  } else if (NAMES.has(request.url)) {
    event.respondWith(kept(request.url).then((found) => found ?? fetch(request)));
  }
});

/** The server's page; the kept one where the server does not answer. */
async function page(request) {
  const asked = fetch(request).catch(() => null);
  const late = new Promise((done) => setTimeout(done, PATIENCE_MS, null));
  const answer = await Promise.race([asked, late]);
  if (answer !== null && !isAway(answer.status)) return answer;
  return (await kept(SCOPE)) ?? (await asked) ?? Response.error();
}

/** What a proxy says while the server behind it is not there. */
const isAway = (status) => status === 502 || status === 503 || status === 504;

async function kept(url) {
  const cache = await caches.open(KEPT);
  return cache.match(url, { ignoreVary: true });
}
