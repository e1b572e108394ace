// Filters in Roundcube: node roundcube_sieve.mjs CHROMIUM URL USER PASSWORD SCREENSHOTS. Prints what was seen as JSON.
import { chromium } from "playwright-core";

const [executablePath, url, user, password, screenshots] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.setDefaultTimeout(60000);
const seen = { errors: [], messages: [] };
page.on("pageerror", (error) => seen.errors.push(String(error)));
const look = (name) => page.screenshot({ path: `${screenshots}/${name}.png` });
const settled = () => page.waitForFunction(() => window.rcmail && !rcmail.busy && !window.jQuery?.active);
const settings = async (action) => {
  await page.goto(`${url}?_task=settings&_action=${action}`);
  await settled();
};
// What Roundcube says once it has saved.
const told = async () => {
  const message = page.locator("#messagestack div:not(.loading)");
  await message.first().waitFor();
  seen.messages.push((await message.last().innerText()).trim());
};

await page.goto(url);
await page.fill("#rcmloginuser", user);
await page.fill("#rcmloginpwd", password);
await page.click("#rcmloginsubmit");
await page.waitForSelector("#mailboxlist");
await settled();

await settings("plugin.managesieve");
await page.evaluate(() => void rcmail.command("plugin.managesieve-add"));
const form = page.frameLocator("#filter-box");
await form.locator("#_name").fill("Größe: invoices");
// The list of inputs that the skin's script makes of the field; until then others follow it, which stay hidden.
await form.locator("#rule_target0_list input").first().fill("invoice");
await form.locator("#action_mailbox0").selectOption("Archive");
await look("1-filter");
await form.locator("button.submit").click();
await told();
await page.locator("#filterslist tr", { hasText: "Größe: invoices" }).waitFor();
await settled();
await look("2-filters");

await settings("plugin.managesieve-vacation");
await page.fill("#vacation_subject", "Away until Monday");
await page.fill("#vacation_reason", "Ich bin nicht da.\nSchöne Grüße");
await page.selectOption("#vacation_status", "on");
await look("3-vacation");
await page.click("button.submit");
await told();
await settled();

await settings("plugin.managesieve");
seen.filters = (await page.locator("#filterslist td").allInnerTexts()).map((text) => text.trim());
await look("4-both");
await browser.close();
console.log(JSON.stringify(seen));
