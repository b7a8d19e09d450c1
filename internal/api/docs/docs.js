"use strict";

// make makes an element; text goes in as text and never as markup.
function make(tag, props = {}, ...children) {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
}

let schemas = {};

function resolve(schema) {
  const ref = schema && schema.$ref;
  return ref ? schemas[ref.split("/").pop()] || {} : schema || {};
}

function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.oneOf) return schema.oneOf.map(typeName).join(" or ");
  const types = [].concat(schema.type || "any").filter((t) => t !== "null");
  if (types[0] === "array") return "list of " + typeName(schema.items);
  if (schema.enum) return schema.enum.join(" | ");
  if (types[0] === "object" && schema.additionalProperties && schema.additionalProperties.type) return "object of " + typeName(schema.additionalProperties);
  return types.join(" or ") + (schema.format ? " (" + schema.format + ")" : "");
}

function table(head, rows) {
  return make("table", {},
    make("thead", {}, make("tr", {}, ...head.map((h) => make("th", { scope: "col", textContent: h })))),
    make("tbody", {}, ...rows.map((r) => make("tr", {}, ...r.map((c) => make("td", {}, c instanceof Node ? c : String(c)))))));
}

function code(text) { return make("code", { textContent: text }); }

function properties(schema) {
  const s = resolve(schema);
  const list = s.type === "array" || (Array.isArray(s.type) && s.type.includes("array"));
  const of = list ? resolve(s.items) : s;
  if (schema.oneOf) return make("div", {}, ...schema.oneOf.map((one) => make("div", {}, make("h4", { textContent: typeName(one) }), properties(one))));
  if (!of.properties) return make("p", {}, code(typeName(schema)));
  const need = new Set(of.required || []);
  return make("div", {}, make("p", {}, code(typeName(schema))), table(["key", "type", "meaning"],
    Object.entries(of.properties).map(([name, p]) => [code(name + (need.has(name) ? "" : "?")), typeName(p), p.description || ""])));
}

function operation(method, path, op) {
  const d = make("details", { id: op.operationId });
  d.dataset.words = (method + " " + path + " " + op.summary).toLowerCase();
  const socket = op.responses && op.responses["101"];
  d.append(make("summary", {}, make("span", { className: "method", textContent: socket ? "SOCKET" : method.toUpperCase() }), code(path), make("span", { className: "text", textContent: op.summary || "" })));
  for (const text of (op.description || "").split("\n\n")) if (text) d.append(make("p", { textContent: text }));
  if (op.parameters && op.parameters.length) {
    d.append(make("h3", { textContent: "Parameters" }), table(["name", "in", "type", "meaning"],
      op.parameters.map((p) => [code(p.name + (p.required ? "" : "?")), p.in, typeName(p.schema), p.description || (p.schema && p.schema.description) || ""])));
  }
  const body = op.requestBody && op.requestBody.content["application/json"];
  if (body) d.append(make("h3", { textContent: "Body" }), properties(body.schema));
  d.append(make("h3", { textContent: "Answers" }));
  for (const [status, r] of Object.entries(op.responses || {})) {
    d.append(make("p", {}, make("b", { textContent: status }), " " + (r.description || "")));
    const content = r.content && (r.content["application/json"] || (status === "default" && r.content["application/problem+json"]));
    if (content && content.schema) d.append(properties(content.schema));
  }
  return d;
}

function show(doc) {
  schemas = doc.components.schemas;
  document.getElementById("about").textContent = doc.info.description + " Version " + doc.info.version + ".";
  const groups = new Map();
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const method of ["get", "post", "put", "patch", "delete"]) {
      const op = item[method];
      if (!op) continue;
      const tag = (op.tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(method, path, op));
    }
  }
  const main = document.getElementById("operations"), index = document.getElementById("index");
  for (const [tag, ops] of [...groups].sort()) {
    main.append(make("section", { id: "tag-" + tag }, make("h2", { textContent: tag }), ...ops));
    index.append(make("a", { href: "#tag-" + tag, textContent: tag }));
  }
  if (location.hash) {
    const at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (at) { at.open = true; at.scrollIntoView(); }
  }
}

document.getElementById("filter").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const section of document.querySelectorAll("section")) {
    let any = false;
    for (const d of section.querySelectorAll("details")) {
      d.hidden = !words.every((w) => d.dataset.words.includes(w));
      any = any || !d.hidden;
    }
    section.hidden = !any;
  }
});

fetch("/openapi.json").then((r) => {
  if (!r.ok) throw new Error("HTTP " + r.status);
  return r.json();
}).then(show).catch((err) => {
  document.getElementById("about").textContent = "The description of the API could not be loaded: " + err.message;
});
