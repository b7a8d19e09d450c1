// Runs the checks in Chromium against a daemon and prints a line of JSON for each: {"name", "ok", "error"}.
//
//   node run.mjs BASE_URL CHROMIUM [PICTURES]
//
// With PICTURES, a directory, a picture of each page that failed is put there.
import path from "node:path";
import { chromium } from "playwright-core";
import { checks } from "./checks.mjs";

const [base, executablePath, pictures] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// What a page says that it must not: an error of a script, or something that the policy forbids.
function listen(page, complaints) {
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|WebSocket connection/.test(message.text())) complaints.push(message.text());
  });
  return page;
}

async function request(method, url, body) {
  return fetch(base + url, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

for (const [name, check] of Object.entries(checks)) {
  const complaints = [];
  const page = listen(await browser.newPage({ viewport: { width: 1280, height: 800 } }), complaints);
  let error = "";
  try {
    await check({ page, browser, base, request, open: (to) => page.goto(base + to), watch: async (other) => listen(other, complaints) });
    if (complaints.length > 0) error = complaints.join("\n");
  } catch (thrown) {
    error = [thrown.message, ...complaints].join("\n");
    if (pictures) await page.screenshot({ path: path.join(pictures, `${name.replaceAll(/\W+/g, "-")}.png`) }).catch(() => {});
  }
  await page.close();
  console.log(JSON.stringify({ name, ok: error === "", error }));
}
await browser.close();
