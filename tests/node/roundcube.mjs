// A day in Roundcube: node roundcube.mjs CHROMIUM URL USER PASSWORD FRIEND SCREENSHOTS. Prints what was seen as JSON.
import { chromium } from "playwright-core";

const [executablePath, url, user, password, friend, screenshots] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.setDefaultTimeout(60000);
const seen = { errors: [] };
page.on("pageerror", (error) => seen.errors.push(String(error)));
const look = (name) => page.screenshot({ path: `${screenshots}/${name}.png` });
const command = (...words) => page.evaluate((args) => void rcmail.command(...args), words);
// Nothing is under way: no request of Roundcube's own is open.
const settled = () => page.waitForFunction(() => !rcmail.busy && !window.jQuery?.active);
const row = (subject) => page.locator("#messagelist tbody tr", { hasText: subject });
const subjects = async () =>
  (await page.locator("#messagelist tbody tr:visible .subject > a").allInnerTexts()).map((text) => text.trim());
const frame = page.frameLocator("#messagecontframe");
const select = async (subject) => {
  await row(subject).locator("td.subject").click();
  await frame.locator("h2.subject", { hasText: subject }).waitFor();
  await settled();
};

await page.goto(url);
await page.fill("#rcmloginuser", user);
await page.fill("#rcmloginpwd", password);
await page.click("#rcmloginsubmit");
await page.waitForSelector("#messagelist tbody tr");
await settled();
seen.folders = await page.locator("#mailboxlist li > a").allInnerTexts();
seen.list = await subjects();
await look("1-list");

await select("Read me");
seen.body = await frame.locator("#messagebody").innerText();
seen.attachments = await frame.locator("#attachment-list li").allInnerTexts();
await look("2-read");

await page.fill("#mailsearchform", "needle");
await page.press("#mailsearchform", "Enter");
await page.waitForFunction(() => document.querySelectorAll("#messagelist tbody tr").length === 1);
await settled();
seen.found = await subjects();
await look("3-search");
await command("reset-search");
await page.waitForFunction(() => document.querySelectorAll("#messagelist tbody tr").length > 3);
await settled();

await select("Flag me");
await command("mark", "flagged");
await settled();
await select("Move me");
await command("move", "Archive");
await row("Move me").waitFor({ state: "hidden" });
await settled();
await select("Junk me");
await command("move", "Spam");
await row("Junk me").waitFor({ state: "hidden" });
await settled();
await select("Delete me");
await command("delete");
await row("Delete me").waitFor({ state: "hidden" });
await settled();
// After a move Roundcube opens the next message, and so reads it: this comes last.
await select("Keep new");
await command("mark", "unread");
await settled();
await look("4-after-moves");
seen.left = await subjects();

const compose = async (subject, body) => {
  await command("compose");
  await page.waitForSelector("#compose-subject");
  await page.locator("#compose_to input, .recipient-input input").first().fill(`${friend},`);
  await page.fill("#compose-subject", subject);
  await page.fill("#composebody", body);
};
await compose("A draft", "Not yet finished");
await command("savedraft");
await page.waitForFunction(() => document.querySelector("[name=_draft_saveid]")?.value);
await settled();
await look("5-draft");
page.on("dialog", (dialog) => dialog.accept());
await page.goto(`${url}?_task=mail&_mbox=Drafts`);
await page.waitForSelector("#messagelist tbody tr");
await settled();
seen.drafts = await subjects();

await compose("Sent größer", "Written in Roundcube, straßenweise");
await look("6-compose");
await page.locator(".formbuttons .send").click();
await page.waitForSelector("#mailboxlist");
await settled();
await page.goto(`${url}?_task=mail&_mbox=Sent`);
await page.waitForSelector("#messagelist tbody tr");
await settled();
seen.sent = await subjects();
await look("7-sent");

// Conversations, and a folder made in the settings.
await page.goto(`${url}?_task=mail&_mbox=INBOX`);
await page.waitForSelector("#messagelist tbody tr");
await page.evaluate(() => void rcmail.set_list_options([], "subject", "ASC", 1));
await page.waitForFunction(() => rcmail.env.threading);
await settled();
await look("8-threads");
await page.goto(`${url}?_task=settings&_action=edit-folder&_mbox=&_framed=0`);
await page.fill("input[name=_name]", "Größe & mehr");
await Promise.all([page.waitForNavigation(), page.evaluate(() => rcmail.gui_objects.editform.submit())]);
await look("9-folder");
await page.goto(`${url}?_task=mail&_mbox=Drafts&_refresh=1`);
await page.waitForSelector("#mailboxlist");
await settled();
await look("10-folders");
await page.locator("#taskmenu a.logout").click();
await page.waitForSelector("#rcmloginuser");
await browser.close();
console.log(JSON.stringify(seen));
