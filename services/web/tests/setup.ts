// What modules of the page expect of a document while they load.
Object.assign(globalThis, {
  document: { querySelector: () => null, visibilityState: "visible", addEventListener: () => undefined },
});
