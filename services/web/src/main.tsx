import "./tokens.css";
import "./base.css";
import "./parts.css";
import "./ui/layout.css";
import { QueryClientProvider } from "@tanstack/preact-query";
import { render } from "preact";
import { Router } from "wouter-preact";
import { prefix } from "./api/address";
import { queries } from "./api/queries";
import { App, fetchAhead } from "./app";
import { keepFiles } from "./ui/offline";
import { applied, remembered } from "./ui/preferences";

applied(remembered());
fetchAhead();
if (import.meta.env.PROD) addEventListener("load", keepFiles);
render(
  <QueryClientProvider client={queries}>
    <Router base={prefix}>
      <App />
    </Router>
  </QueryClientProvider>,
  document.getElementById("page") as HTMLElement,
);
