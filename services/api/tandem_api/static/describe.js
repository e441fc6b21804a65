"use strict";
SwaggerUIBundle({
  url: document.getElementById("api").dataset.document,
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  // The validator would be a service of another host.
  validatorUrl: null,
});
