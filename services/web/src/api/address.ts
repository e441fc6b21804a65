/** The path that this page stands under: "" or, behind a proxy, as "/tandem". */
export const prefix: string = (
  document.querySelector<HTMLMetaElement>('meta[name="tandem-path"]')?.content ?? "/"
).replace(/\/$/, "");
