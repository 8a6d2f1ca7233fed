// What a reader can do with the report: find cases by outcome and text, open scenarios, steps and failures. All that
// the run told comes from the page's data and is put into the page as text.
"use strict";

const byId = (id) => document.getElementById(id);
const index = JSON.parse(byId("index").textContent);
const table = byId("matrix");

// element makes an element with classes and children; strings become text. Children that are absent are left out.
function element(name, classes, ...children) {
  const e = document.createElement(name);
  if (classes) e.className = classes;
  e.append(...children.filter(Boolean));
  return e;
}

// shape is an outcome as a shape, followed by its word or by other text.
function shape(outcome, ...children) {
  return element("span", "o " + outcome.replace(" ", "-"), ...children);
}

// prose is a text in which what stands between backquotes is code.
function prose(text) {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [text];
  return parts.map((part, n) => (n % 2 ? element("code", "", part) : part));
}

for (const e of document.querySelectorAll(".why, .because")) e.replaceChildren(...prose(e.textContent));

// ---- the cases

const cases = [];
const named = new Map(); // by ROW.STEP.COLUMN
index.rows.forEach((row, r) => {
  for (const c of row.cases) {
    Object.assign(c, { row: r, matches: true });
    cases.push(c);
    named.set(`${r}.${c.step}.${c.column}`, c);
  }
});
const stepOf = (c) => index.rows[c.row].steps[c.step];

// details of a row are read when one of its cases is opened for the first time.
const read = new Map();
function detailsOf(c) {
  if (!read.has(c.row)) read.set(c.row, JSON.parse(byId("details-" + c.row).textContent));
  return read.get(c.row)[c.detail];
}

// ---- one case

// pairs is a list of names and texts, without those that are empty.
function pairs(list) {
  const dl = element("dl", "pair");
  for (const [name, text, classes] of list) {
    if (text) dl.append(element("dt", "", name), element("dd", classes, text));
  }
  return dl;
}

function problem(p) {
  const e = element("div", "problem", element("p", "said", ...prose(p.message)), element("p", "where", p.where));
  e.append(pairs([["expected", p.expected], ["found", p.found], ["hint", p.hint, "prose"],
    ["diagnosis", (p.diagnosis || []).join("\n")]]));
  return e;
}

// block is a preformatted text that can be scrolled by keyboard.
function block(classes, ...children) {
  const pre = element("pre", classes, ...children);
  pre.tabIndex = 0;
  return pre;
}

function terminal(commands) {
  const lines = [];
  const line = (classes, text) => lines.push(element("span", classes, text.replace(/\n?$/, "\n")));
  for (const c of commands) {
    line("command", "$ " + c.command + (c.took ? "   # " + c.took : ""));
    if (c.output) line("output", c.output);
    if (c.kernel) line("output", "kernel: " + c.kernel);
    if (c.status) line("status", "exit status " + c.status);
    if (c.note) line("note", "^ " + c.note);
  }
  return block("terminal", ...lines);
}

function checks(list) {
  return element("ul", "checks", ...list.map((k) => {
    const also = [`${k.phase}, line ${k.line}`, k.took && "waited " + k.took, k.reason, k.found && "found " + k.found,
      k.hint && "hint: " + k.hint].filter(Boolean).join(" · ");
    return element("li", "", shape(k.outcome, element("span", "hidden", k.outcome)),
      element("span", "text", ...prose(k.text), element("span", "also", ...prose(also))));
  }));
}

// play is what is known of one play of a case.
function play(d) {
  const parts = [];
  const part = (title, e) => parts.push(element("h3", "", title), e);
  if (d.reason) parts.push(element("p", "reason", d.reason));
  for (const p of d.problems || []) parts.push(problem(p));
  if (d.commands) part("Commands", terminal(d.commands));
  if (d.checks) part("Checks", checks(d.checks));
  return parts;
}

function attempt(a, n) {
  return element("details", "attempt",
    element("summary", "", shape(a.outcome, element("span", "word", a.outcome)), `attempt ${n + 1}, ${a.took}`),
    element("div", "detail", ...play(a)));
}

// detail is all that is shown of a case.
function detail(c) {
  const d = detailsOf(c);
  const parts = [element("p", "where", [d.where, c.took].filter(Boolean).join(" · "))];
  if (d.expectation) parts.push(element("p", "reason", "Expected to fail: " + d.expectation.join(" · ")));
  if (d.evidence) {
    const link = element("a", "evidence", "evidence");
    link.href = d.evidence.href;
    parts.push(element("p", "where", link, " in " + d.evidence.path));
  }
  parts.push(...play(d));
  if (d.attempts) parts.push(element("h3", "", "Attempts"), ...d.attempts.map(attempt));
  if (d.notPlayed) {
    parts.push(element("h3", "", "Not played"), element("ul", "", ...d.notPlayed.map((s) => element("li", "", s))));
  }
  if (parts.length === 1) parts.push(element("p", "reason", "Nothing is known of it but the outcome."));
  return parts;
}

// ---- the dialog

const dialog = byId("case");

function show(c) {
  const row = index.rows[c.row];
  byId("case-title").replaceChildren(shape(c.outcome, element("span", "word", c.outcome)), " " + stepOf(c).name);
  dialog.querySelector("header .where").textContent =
    [row.id, index.columns[c.column], row.variables].filter(Boolean).join(" · ");
  const elsewhere = row.cases.filter((other) => other.step === c.step);
  dialog.querySelector(".places").replaceChildren(...elsewhere.map((other) => {
    const button = element("button", "case " + other.outcome.replace(" ", "-"),
      shape(other.outcome, element("span", "hidden", other.outcome)), index.columns[other.column]);
    button.type = "button";
    button.setAttribute("aria-current", other === c);
    button.addEventListener("click", () => {
      show(other);
      dialog.querySelector(".places [aria-current='true']").focus();
    });
    return button;
  }));
  dialog.querySelector(":scope > .detail").replaceChildren(...detail(c));
  if (!dialog.open) dialog.showModal();
}

dialog.querySelector(".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (e) => { // beside it
  if (e.target === dialog) dialog.close();
});

// ---- failures: their details are shown when they are opened for the first time

const failures = [...document.querySelectorAll(".failure")].map((e) => {
  const of = e.dataset.cases.split(" ").map((name) => named.get(name));
  e.querySelector("details").addEventListener("toggle", () => {
    e.querySelector(".detail").replaceChildren(...detail(of[0]));
  }, { once: true });
  return { e, of };
});

// ---- the matrix: a row opens its steps

const rows = table ? [...table.querySelectorAll("tbody .row")].map((tr, r) => ({ tr, r, steps: [] })) : [];
const filter = { outcome: "", words: [] };
const filtered = () => filter.outcome !== "" || filter.words.length > 0;

function stepRow(row, step, n) {
  const name = step.mistake ? step.name.replace(/^.* \/ (?=Mistake: )/, "") : step.name; // it is below its step
  const tr = element("tr", step.mistake ? "step mistake" : "step", element("th", "", name));
  tr.firstChild.scope = "row";
  index.columns.forEach((column, at) => {
    const td = element("td", "");
    const c = named.get(`${row.r}.${n}.${at}`);
    if (c) {
      const button = element("button", "case", shape(c.outcome, element("span", "hidden", c.outcome + ", " + column)),
        element("span", "ms", c.took));
      button.type = "button";
      button.addEventListener("click", () => show(c));
      td.append(button);
    }
    tr.append(td);
  });
  tr.append(element("td", "took"));
  return tr;
}

function toggle(row) {
  const open = row.button.getAttribute("aria-expanded") !== "true";
  row.button.setAttribute("aria-expanded", open);
  if (open && row.steps.length === 0) {
    row.steps = index.rows[row.r].steps.map((step, n) => stepRow(row, step, n));
    row.tr.after(...row.steps);
  }
  filterSteps(row, open);
  filterColumns([row.tr, ...row.steps]);
}

for (const row of rows) {
  const th = row.tr.firstElementChild;
  row.button = element("button", "open", element("span", "", ...th.childNodes));
  row.button.type = "button";
  row.button.setAttribute("aria-expanded", "false");
  row.button.addEventListener("click", () => toggle(row));
  th.append(row.button);
}
if (index.columns.length > 6) table.classList.add("many");

// ---- the filter

let hiddenColumns = new Set();

// text is what is searched of a case; it is made when it is searched for the first time.
function text(c) {
  const row = index.rows[c.row];
  c.text ??= [row.id, row.title, stepOf(c).name, index.columns[c.column], c.outcome, c.why].join(" ").toLowerCase();
  return c.text;
}

function filterSteps(row, open) {
  row.steps.forEach((tr, n) => {
    const ofStep = index.columns.map((_, at) => named.get(`${row.r}.${n}.${at}`));
    tr.hidden = !open || !ofStep.some((c) => c?.matches);
    ofStep.forEach((c, at) => tr.cells[at + 1].classList.toggle("other", Boolean(c && !c.matches)));
  });
}

function filterColumns(trs) {
  for (const tr of trs) {
    index.columns.forEach((_, at) => { tr.cells[at + 1].hidden = hiddenColumns.has(at); });
  }
}

function filterGuests() {
  let at = 0;
  for (const th of table.querySelectorAll(".guests th")) {
    const span = Number(th.dataset.span ??= th.colSpan);
    let shown = 0;
    for (const end = at + span; at < end; at++) shown += hiddenColumns.has(at) ? 0 : 1;
    th.hidden = shown === 0;
    th.colSpan = Math.max(shown, 1);
  }
}

function apply() {
  const inRow = new Set(), inColumn = new Set();
  let found = 0;
  for (const c of cases) {
    c.matches = (filter.outcome === "" || c.outcome === filter.outcome) &&
      filter.words.every((word) => text(c).includes(word));
    if (!c.matches) continue;
    found++;
    inRow.add(c.row);
    inColumn.add(c.column);
  }
  for (const { e, of } of failures) e.hidden = !of.some((c) => c.matches);
  const failed = byId("failed");
  if (failed) failed.hidden = failures.every(({ e }) => e.hidden);
  hiddenColumns = new Set(filtered() && found > 0 ? [...index.columns.keys()].filter((at) => !inColumn.has(at)) : []);
  for (const row of rows) {
    row.tr.hidden = !inRow.has(row.r);
    filterSteps(row, row.button.getAttribute("aria-expanded") === "true");
  }
  filterColumns([table.tHead.rows[table.tHead.rows.length - 1], ...rows.flatMap((row) => [row.tr, ...row.steps])]);
  filterGuests();
  const told = `${found} of ${cases.length} cases, in ${inRow.size} of ${rows.length} scenarios`;
  byId("found").textContent = filtered() ? told : "";
}

const chips = [...document.querySelectorAll(".chip")];
for (const chip of chips) {
  chip.disabled = false;
  chip.addEventListener("click", () => {
    filter.outcome = chip.dataset.outcome;
    for (const other of chips) other.setAttribute("aria-pressed", other === chip);
    apply();
  });
}

const find = byId("find");
if (find) {
  find.hidden = false;
  find.addEventListener("input", () => {
    filter.words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    apply();
  });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || e.target === find || dialog.open || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    find.focus();
  });
}
