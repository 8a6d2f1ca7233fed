// Takes README's picture of a report with its first failure open: node picture.mjs CHROMIUM REPORT.html PICTURE.png
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, report, picture] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath });
const page = await browser.newPage({ viewport: { width: 1000, height: 820 } });
await page.goto(pathToFileURL(report).href);
await page.locator(".failure summary").first().click();
await page.evaluate("document.querySelector('.about').remove()"); // of this machine
await page.mouse.move(0, 0);
await page.screenshot({ path: picture });
await browser.close();
