// node batch_page.mjs PLAYWRIGHT PAGE FOLDER POINTS: reviews the cases of a batch by key, as the page's own help says, and prints what it saw as JSON.
// FOLDER gets the decisions that were saved. Five cases are expected; the first gets a new prompt of POINTS, the last is never come to.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [, , playwright, page_file, folder, points] = process.argv;
const { chromium } = createRequire(import.meta.url)(playwright);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const url = pathToFileURL(path.resolve(page_file)).href;
const seen = { errors: [], outside: [], dialogs: [], steps: [] };

const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
page.setDefaultTimeout(60000);
page.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
page.on("pageerror", (error) => seen.errors.push(String(error)));
page.on("dialog", (dialog) => { seen.dialogs.push(dialog.message()); dialog.accept(); });
page.on("request", (request) => { if (request.url() !== url && !/^(data|blob):/.test(request.url())) seen.outside.push(request.url()); });

// Which case is the current one, what each card says, how far one is, and whether the current card can be seen.
const look = () => page.evaluate(() => {
  const cards = [...document.querySelectorAll("article")];
  const box = document.querySelector("article.current")?.getBoundingClientRect();
  return { current: cards.findIndex((card) => card.classList.contains("current")), said: cards.map((card) => card.querySelector("output").value), progress: document.getElementById("progress").value, visible: !box || (box.top < innerHeight && box.bottom > 0) };
});
const press = async (...keys) => {
  for (const key of keys) {
    await page.keyboard.press(key);
    seen.steps.push({ key, ...(await look()) });
  }
};
const save = async (name) => {
  const [saved] = await Promise.all([page.waitForEvent("download"), press("s")]);
  seen.file = saved.suggestedFilename();
  await saved.saveAs(path.join(folder, name));
};

await page.goto(url);
await page.locator("article").nth(4).waitFor();
seen.keys = await page.locator("p kbd").allTextContents();
await press("s");  // nobody said who decides
await page.keyboard.type("Raju Spark");  // a name full of keys: the page asked for it, and decides nothing by it
await press("Escape");
await press("j", "j", "j", "k");
await press("r", "k", "u", "a");
await page.locator("article").nth(2).locator("[name=note]").fill("upside down");
await press("Escape", "r");
await press("p", "u");
await press("k", "k", "ArrowUp", "p");
await page.locator("article").nth(0).locator("[name=points]").fill("1, 2");
seen.two_numbers = await page.locator("article").nth(0).locator("[name=points]").evaluate((input) => input.validationMessage);
await page.locator("article").nth(0).locator("[name=points]").fill(points);
await press("Escape");
await save("decisions.json");
await page.reload();
seen.reloaded = await look();
await browser.close();
console.log(JSON.stringify(seen));
