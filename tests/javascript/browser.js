// SPDX-License-Identifier: MIT
// A real browser for a test: takes commands as lines of JSON on stdin and answers each with
// a line. Settings, from the environment: CHROMIUM.

const fs = require("fs");
const readline = require("readline");
const { chromium } = require("playwright-core");

const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const TIMEOUT = 15000;

let browser = null;
let page = null;
// What no page may ever do: fail, break its policy, ask for what is not there, open a dialog.
let complaints = [];

async function open({ url, ...options }) {
  await page?.context().close();
  complaints = [];
  const context = await browser.newContext(options);
  context.setDefaultTimeout(TIMEOUT);
  page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`error: ${error}`));
  page.on("console", (message) => message.type() === "error" && complaints.push(`console: ${message.text()}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on("request", (request) => new URL(request.url()).origin !== new URL(url).origin
    && complaints.push(`request: ${request.url()}`));
  await page.goto(url);
}

// What the rules for accessibility find. DevTools may run what the page's policy forbids.
async function axe() {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

const commands = {
  open,
  axe,
  text: ({ selector }) => page.textContent(selector),
  attribute: ({ selector, name }) => page.getAttribute(selector, name),
  wait: ({ selector, text }) => page.locator(selector).filter({ hasText: new RegExp(text) }).first().waitFor(),
  count: ({ selector }) => page.locator(selector).count(),
  click: ({ selector }) => page.click(selector),
  fill: ({ selector, text }) => page.fill(selector, text),
  press: ({ key }) => page.keyboard.press(key),
  focused: () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim()),
  resize: (size) => page.setViewportSize(size),
  overflow: () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
  screenshot: ({ path }) => page.screenshot({ path, fullPage: true }).then(() => null),
  complaints: () => complaints.splice(0),
};

async function main() {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { command, ...details } = JSON.parse(line);
    let answer;

    try {
      answer = { result: await commands[command](details) ?? null };
    } catch (error) {
      answer = { error: String(error) };
    }
    console.log(JSON.stringify(answer));
  }
  await browser.close();
}

main();
