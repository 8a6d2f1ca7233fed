// Looks at reports in Chromium: node page.mjs CHROMIUM FOLDER. Each check is one line of JSON on standard output, with
// an error if it did not hold; reports_test in Go starts this and says what is in the pages.
import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { chromium } from "playwright-core";

const [executablePath, folder] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath });
const screens = {
  wide: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  "wide, dark": { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
  "phone, dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true, isMobile: true },
};

// check opens a page and looks at it. Whatever the page, nothing may be on its console, and it may load nothing.
async function check(test, name, options, look) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  const url = pathToFileURL(path.join(folder, name + ".html")).href;
  page.on("console", (m) => complaints.push(`console: ${m.text()}`));
  page.on("pageerror", (e) => complaints.push(`error: ${e.message}`));
  page.on("dialog", (d) => { complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
  page.on("request", (r) => {
    if (r.url() !== url && !r.url().startsWith("data:")) complaints.push(`loads ${r.url()}`);
  });
  page.setDefaultTimeout(20_000);
  let error = "";
  try {
    await page.goto(url);
    await look(page, complaints);
    assert.deepEqual(complaints, []);
  } catch (e) {
    error = e.stack;
  }
  await context.close();
  console.log(JSON.stringify({ test, error }));
}

// accessible asks axe-core, with all its rules, best practices too.
async function accessible(page) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate("axe.run()");
  assert.ok(passes.length > 10, "axe has looked at nothing");
  const found = violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).slice(0, 3).join(" ")}`);
  assert.deepEqual(found, []);
}

async function fits(page) {
  const needs = await page.evaluate("document.documentElement.scrollWidth"), has = page.viewportSize().width;
  assert.ok(needs <= has, `the page is ${needs} wide on a screen of ${has}`);
}

// Every kind of page on every screen: as it opens, with all of it open, and with a case in the dialog.
async function lookAt(screen, options) {
  for (const name of ["guests", "outcomes", "unfinished", "hostile"]) {
    if (name === "hostile" && options.colorScheme === "dark") continue; // its colours are those of the others
    await check(`${name}, ${screen}`, name, options, async (page) => {
      await fits(page);
      for (const summary of await page.locator("summary").all()) await summary.click();
      for (const row of await page.locator(".open").all()) await row.click();
      await accessible(page);
      await fits(page);
      if (await page.locator(".step .case").count() === 0) return;
      await page.locator(".step .case").last().click();
      await accessible(page);
      await fits(page);
    });
  }
}
await Promise.all(Object.entries(screens).map(([screen, options]) => lookAt(screen, options)));

const wide = screens.wide;

await check("a failure and its reason are on the first screen", "sample", screens.phone, async (page) => {
  for (const text of ["Failed", "interrupted: by SIGTERM", "Mistake: a typo", "the status is not the one that is"]) {
    const box = await page.getByText(text).first().boundingBox();
    assert.ok(box && box.y + box.height <= 844, `${text} is at ${JSON.stringify(box)}`);
  }
});

await check("a failure is found in one click in the list", "sample", wide, async (page) => {
  const found = page.locator(".failure").first().getByText("Cannot find device");
  assert.equal(await found.isVisible(), false);
  await page.locator(".failure summary").first().click();
  await found.waitFor();
  for (const text of ["status 1", "Look at the name.", "ip -n testns link set v1 up", "exit status 1 ENODEV",
    "other.md:3"]) {
    assert.ok(await page.locator(".failure").first().getByText(text, { exact: false }).first().isVisible(), text);
  }
});

await check("a failure is found in two clicks in the table", "sample", wide, async (page) => {
  await page.locator(".row .open").first().click();
  await page.locator(".step .case:has(.fail)").click();
  const dialog = page.getByRole("dialog");
  assert.match(await dialog.innerText(), /veth-pair · iproute2 · name = left, net = 10.1.7/);
  assert.match(await dialog.innerText(), /fail Create the namespaces \/ Mistake: a typo/);
  assert.match(await dialog.innerText(), /expected\s+status 1\s+found\s+status 0/);
});

await check("by keyboard", "guests", wide, async (page) => {
  await page.keyboard.press("/");
  assert.equal(await page.evaluate("document.activeElement.id"), "find");
  await page.keyboard.type("7.3 netlink");
  assert.equal(await page.getByRole("status").innerText(), "1 of 40 cases, in 1 of 1 scenarios");
  await page.locator(".open").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.match(await page.getByRole("dialog").innerText(),
    /not run Create the namespaces\s+veth-pair · netlink on 7.3/);
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal(await page.evaluate("document.activeElement.className"), "case"); // back where it was
});

await check("the filter", "guests", wide, async (page) => {
  const columns = () => page.locator("thead tr:last-child th:visible").allInnerTexts();
  const failures = () => page.locator(".failure:visible").count();
  assert.deepEqual([(await columns()).length, await failures()], [10, 6]);

  await page.getByRole("button", { name: "2 fail" }).click();
  assert.deepEqual(await columns(), ["scenario", "iproute2", "iproute2", "time"]);
  assert.deepEqual(await page.locator(".guests th:visible").allInnerTexts(), ["5.10", "6.12+iproute2-6.1"]);
  assert.equal(await failures(), 2);
  await page.locator(".open").click();
  assert.deepEqual(await page.locator(".step:visible th").allInnerTexts(), ["Mistake: a typo"]);

  await page.getByRole("searchbox").fill("EEXIST");
  assert.equal(await page.getByRole("status").innerText(), "1 of 40 cases, in 1 of 1 scenarios");
  await page.getByRole("searchbox").fill("no such thing");
  assert.equal(await page.getByRole("status").innerText(), "0 of 40 cases, in 0 of 1 scenarios");
  assert.deepEqual([await page.locator(".row:visible").count(), await failures()], [0, 0]);

  await page.getByRole("searchbox").fill("");
  await page.getByRole("button", { name: "40 all" }).click();
  assert.deepEqual([(await columns()).length, await failures()], [10, 6]);
  assert.equal(await page.locator(".step:visible").count(), 9);
  assert.equal(await page.getByRole("status").innerText(), "");
});

await check("the same step elsewhere", "guests", wide, async (page) => {
  await page.locator(".open").click();
  await page.locator(".step .case").first().click();
  await page.getByRole("button", { name: "not run netlink on 7.3" }).click();
  assert.match(await page.getByRole("dialog").innerText(), /the kernel panicked/);
});

await check("every outcome has a word, a shape and a colour", "outcomes", wide, async (page) => {
  const all = await page.evaluate(`[...document.querySelectorAll(".chip .o")].map((o) => ({
    word: o.parentElement.innerText.replace(/\\d+/, "").trim(),
    shape: getComputedStyle(o, "::before").maskImage,
    colour: getComputedStyle(o).color,
  }))`);
  assert.deepEqual(all.map((o) => o.word),
    ["error", "fail", "xpass", "flaky", "not run", "blocked", "xfail", "skip", "pass"]);
  assert.equal(new Set(all.map((o) => o.shape)).size, all.length);
  for (const o of all) assert.match(o.shape, /^url\("data:image/);
  const text = await page.evaluate("getComputedStyle(document.body).color");
  for (const o of all) assert.notEqual(o.colour, text);
  for (const o of await page.locator("td .o").all()) assert.match(await o.textContent(), /^[a-z ]+ \d+$/);
});

await check("attempts and an expectation", "outcomes", wide, async (page) => {
  await page.locator(".open").click();
  await page.locator(".step .case:has(.flaky)").click();
  await page.getByText("attempt 1, 3 ms").click();
  const dialog = page.getByRole("dialog");
  assert.match(await dialog.innerText(), /attempt 1, 3 ms\s+the first one failed[^]*pass\s*attempt 2, 4 ms/);
  await page.keyboard.press("Escape");
  await page.locator(".step .case:has(.xfail)").click();
  assert.match(await dialog.innerText(),
    /Expected to fail: expectations.yaml:7: the kernel forgets it · https:\/\/x.example\/1 · valid until 2027-01-31/);
});

await check("without scripts", "sample", { ...wide, javaScriptEnabled: false }, async (page) => {
  assert.equal(await page.getByRole("searchbox").count(), 0);
  await page.locator(".failure summary").first().click();
  const text = await page.locator(".failure").first().innerText();
  for (const part of ["expected: status 1", "hint:     Look at the name.", "$ ip link set vnic-prodns netns prodns",
    "repair:   ip -n testns link set v1 up", "fail    after"]) {
    assert.ok(text.includes(part), `${part} is not in ${text}`);
  }
  assert.match(await page.locator(".row").innerText(), /Connect two network namespaces/);
});

await check("hostile text stays text", "hostile", wide, async (page) => {
  const elements = () => page.evaluate(
    "document.querySelectorAll('img, a[href*=x]:not(.evidence), script:not([id])').length");
  assert.equal(await elements(), 1); // the page's own script
  for (const summary of await page.locator("summary").all()) await summary.click();
  for (const row of await page.locator(".open").all()) await row.click();
  for (const c of await page.locator(".step .case").all()) {
    await c.click();
    assert.match(await page.getByRole("dialog").innerText(), /<\/script><script>alert\(1\)<\/script>/);
    await page.keyboard.press("Escape");
  }
  assert.equal(await elements(), 1);
  assert.equal(await page.evaluate("/[\\u202e\\u0000-\\u0008]/.test(document.body.textContent)"), false);
});

await check("a script that is not the page's own does not run", "hostile", wide, async (page, complaints) => {
  await page.evaluate(`document.body.append(
    Object.assign(document.createElement("script"), { text: "window.ran = 1" }))`);
  assert.equal(await page.evaluate("window.ran"), undefined);
  assert.match(complaints.pop(), /Content Security Policy/);
});

// How long it takes is told, not judged: beside it a page of nothing but as much text. What makes a page slow is
// judged: the number of its elements, and that no details are read before they are asked for.
const took = {};
for (const name of ["trivial", "large"]) {
  await check(`${name} opens`, name, wide, async (page) => {
    const { duration } = await page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()");
    took[name] = Math.round(duration);
  });
}
console.log(JSON.stringify({ log: `5,000 cases open in ${took.large} ms, as much plain text in ${took.trivial} ms` }));

await check("a large run is light until it is opened", "large", wide, async (page) => {
  assert.match(await page.locator(".summary").innerText(), /^5000 cases: /);
  const elements = await page.evaluate("document.querySelectorAll('*').length");
  assert.ok(elements < 10_000, `${elements} elements`);
  assert.equal(await page.evaluate("read.size"), 0);
  await page.getByRole("searchbox").fill("scenario-49 netlink 6.12 step-9");
  assert.match(await page.getByRole("status").innerText(), /^1 of 5000 cases/);
  await page.locator(".open:visible").click();
  await page.locator(".step .case:visible").click();
  assert.match(await page.getByRole("dialog").innerText(), /scenario-49 · netlink on 6.12/);
  assert.equal(await page.evaluate("read.size"), 1);
});

await browser.close();
