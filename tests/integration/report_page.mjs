// node report_page.mjs PLAYWRIGHT PAGE PICTURES: opens the page from disk in Chromium as a reader would, and prints what it saw as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [, , playwright, page_file, pictures] = process.argv;
const { chromium } = createRequire(import.meta.url)(playwright);
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"],
});
const url = pathToFileURL(path.resolve(page_file)).href;
const seen = { errors: [], outside: [], widths: {}, cut: {} };

async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(240000);  // a busy machine draws in software
  page.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("dialog", (dialog) => { seen.errors.push("a dialog: " + dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => { if (request.url() !== url && !/^(data|blob):/.test(request.url())) seen.outside.push(request.url()); });
  const start = Date.now();
  await page.goto(url);
  seen.open_ms ??= Date.now() - start;
  return page;
}

async function turn_pages(page) {
  const viewer = page.locator("#viewer");
  if (!(await viewer.count())) return;
  await viewer.scrollIntoViewIfNeeded();
  await page.waitForFunction(() => document.getElementById("viewer").dataset.state, null, { timeout: 240000 });
  seen.viewer = { state: await viewer.getAttribute("data-state"), note: await page.locator("#viewer-note").textContent() };
  if (seen.viewer.state === "ready") {
    const places = () => page.locator("#viewer output").evaluateAll((all) => all.map((one) => one.dataset.mm));
    seen.viewer.before = await places();
    await page.locator("[data-pane=left] canvas").focus();
    for (let i = 0; i < 5; ++i) await page.keyboard.press("ArrowUp");
    await page.waitForTimeout(1500);
    seen.viewer.after = await places();
    await viewer.screenshot({ path: path.join(pictures, "viewer.png") });
  }
}

async function review(page) {
  await page.locator("tr[data-timepoint='before'] [data-verdict]").selectOption("accepted");
  await page.locator("tr[data-timepoint='after'] [data-verdict]").selectOption("needs-a-prompt");
  await page.locator("tr[data-timepoint='after'] [data-comment]").fill("leaks <b> into the psoas");
  await page.locator("#review button").click();
  seen.without_reader = await page.locator("#review-said").textContent();
  await page.locator("#reader").fill("Doe^Jane");
  const [saved] = await Promise.all([page.waitForEvent("download"), page.locator("#review button").click()]);
  await saved.saveAs(path.join(pictures, "review.json"));
  await page.locator("#review").screenshot({ path: path.join(pictures, "review.png") });
  seen.plot = await page.evaluate(() => window.retromass_plot && { labels: window.retromass_plot.series.map((s) => s.label), data: window.retromass_plot.data });
}

for (const [name, options] of Object.entries({
  "light-1280": { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  "dark-1920": { viewport: { width: 1920, height: 1080 }, colorScheme: "dark" },
})) {
  const page = await open(options);
  if (name === "light-1280") {
    await turn_pages(page);
    await review(page);
  }
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: path.join(pictures, name + "-first.png") });
  await page.screenshot({ path: path.join(pictures, name + ".png"), fullPage: true });
  seen.cut[name] = await page.locator(".wide").evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.querySelector("caption, th").textContent));
  seen.widths[name] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (name === "light-1280") {
    seen.focusable = await page.locator("[tabindex='0']").count();
    seen.pictures = await page.locator("img").evaluateAll((all) => all.map((one) => ({ alt: one.alt, width: one.naturalWidth, shown: one.closest(".sheet") ? one.clientWidth : 0 })));
    seen.headings = await page.locator("h1, h2, h3").evaluateAll((all) => all.map((one) => Number(one.tagName[1])));
    await page.pdf({ path: path.join(pictures, "print.pdf"), preferCSSPageSize: true });
  }
  await page.context().close();
}
await browser.close();
console.log(JSON.stringify(seen));
