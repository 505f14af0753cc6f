"use strict";

// Whatever comes from the server is set as text, never as markup.

const KEY = "isogloss-key";
const COLOURS = 8;
const at = (id) => document.getElementById(id);
const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });
let about = null;
let colours = new Map();
let shown = null;
let running = null;

function languageName(code) {
  try {
    return names.of(code);
  } catch {
    return code;
  }
}

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function count(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  const key = sessionStorage.getItem(KEY);
  if (key) headers.Authorization = `Bearer ${key}`;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Problem(0, "The server does not answer. Is it still running?");
  }
  const value = await answer.json().catch(() => null);
  if (answer.ok && value) return value;
  throw new Problem(answer.status, value?.error?.message ?? `The server answered with status ${answer.status}.`);
}

// What is asked lives in the address, after #, so that it can be shared and is never sent to a server by itself.

function fromAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  return {
    question: said.get("q") ?? "",
    languages: (said.get("lang") ?? "").split(",").filter((code) => code),
    balance: said.get("balance") ?? "none",
    top: said.get("top") ?? "10",
    words: said.get("words") === "yes",
    view: said.get("view") === "grouped" ? "grouped" : "mixed",
  };
}

function fromForm() {
  return {
    question: at("question").value.trim(),
    languages: [...document.querySelectorAll("#languages input:checked")].map((box) => box.value),
    balance: at("balance").value,
    top: at("top").value,
    words: at("words").checked,
    view: document.querySelector("input[name=view]:checked").value,
  };
}

function toAddress(wanted) {
  const said = new URLSearchParams({ q: wanted.question });
  if (wanted.languages.length) said.set("lang", wanted.languages.join(","));
  if (wanted.balance !== "none") said.set("balance", wanted.balance);
  if (wanted.top !== "10") said.set("top", wanted.top);
  if (wanted.words) said.set("words", "yes");
  if (wanted.view !== "mixed") said.set("view", wanted.view);
  return `#${said}`;
}

function toForm(wanted) {
  at("question").value = wanted.question;
  for (const box of document.querySelectorAll("#languages input")) box.checked = wanted.languages.includes(box.value);
  choose(at("balance"), wanted.balance, "none");
  choose(at("top"), wanted.top, "10");
  if (at("top").selectedOptions[0]?.disabled ?? true) {
    at("top").value = [...at("top").options].filter((option) => !option.disabled).at(-1)?.value ?? "10";
  }
  at("words").checked = wanted.words;
  for (const radio of document.querySelectorAll("input[name=view]")) radio.checked = radio.value === wanted.view;
  sayOptions();
}

function choose(select, value, otherwise) {
  select.value = value;
  if (select.selectedIndex < 0) select.value = otherwise;
}

function sayOptions() {
  const wanted = fromForm();
  const set = [];
  if (wanted.languages.length) set.push(wanted.languages.map(languageName).join(", "));
  if (wanted.balance !== "none") set.push(at("balance").selectedOptions[0].textContent);
  if (wanted.words) set.push("words too");
  at("options-set").textContent = set.length ? `: ${set.join("; ")}` : "";
}

function showProblem(error) {
  at("status").textContent = "";
  at("key-form").hidden = error.status !== 401;
  if (error.status === 401) {
    const wrong = sessionStorage.getItem(KEY) !== null;
    sessionStorage.removeItem(KEY);
    at("problem").textContent = wrong ? "The key is wrong." : "";
    at("problem").hidden = !wrong;
    at("key").focus();
    return;
  }
  at("problem").textContent = error.message;
  at("problem").hidden = false;
}

async function loadAbout() {
  about = await ask("about");
  const codes = Object.keys(about.passages);
  colours = new Map(codes.map((code, index) => [code, `k${(index % COLOURS) + 1}`]));
  const total = Object.values(about.passages).reduce((sum, one) => sum + one, 0);
  at("about").textContent = `Ask in your own language; the answers may be in any. ${count(total, "passage", "passages")} in ${count(codes.length, "language", "languages")}.`;
  at("version").textContent = about.version;
  const boxes = codes.map((code) => {
    const label = make("label");
    label.append(make("input", undefined, { type: "checkbox", value: code }), ` ${languageName(code)}`);
    return label;
  });
  at("languages").replaceChildren(...boxes);
  for (const option of at("top").options) option.disabled = Number(option.value) > about.limits.top_k;
  if (![...at("top").options].some((option) => !option.disabled)) {
    at("top").append(new Option(about.limits.top_k, about.limits.top_k));
  }
  at("words-choice").hidden = !about.words;
  at("question").maxLength = about.limits.text_characters;
  at("key-form").hidden = true;
  at("problem").hidden = true;
}

async function search() {
  const wanted = fromAddress();
  toForm(wanted);
  document.title = wanted.question ? `${wanted.question} – search in every language` : "Search in every language";
  running?.abort();
  if (!wanted.question) {
    shown = null;
    for (const id of ["shares", "answers", "problem"]) at(id).hidden = true;
    at("status").textContent = "";
    return;
  }
  const mine = (running = new AbortController());
  at("problem").hidden = true;
  at("status").textContent = "Searching …";
  at("list").setAttribute("aria-busy", "true");
  try {
    const found = await ask("search", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        question: wanted.question,
        languages: wanted.languages,
        balance: at("balance").value,
        top_k: Number(at("top").value),
        words: wanted.words,
      }),
      signal: mine.signal,
    });
    if (mine.signal.aborted) return;
    shown = found;
    at("key-form").hidden = true;
    show();
  } catch (error) {
    // Another question was asked meanwhile, and its answer is the one to show.
    if (mine.signal.aborted) return;
    shown = null;
    for (const id of ["shares", "answers"]) at(id).hidden = true;
    showProblem(error);
  } finally {
    if (running === mine) at("list").removeAttribute("aria-busy");
  }
}

function show() {
  const languages = Object.entries(shown.languages);
  const hits = shown.hits;
  for (const id of ["shares", "answers"]) at(id).hidden = !hits.length;
  if (!hits.length) {
    at("status").textContent = "Nothing found. Ask in other words, or choose more languages.";
    return;
  }
  at("status").textContent = `${count(hits.length, "answer", "answers")} in ${count(languages.length, "language", "languages")}, ${shown.seconds.toFixed(2)} s`;
  showShares(languages);
  if (document.querySelector("input[name=view]:checked").value === "mixed") {
    at("list").replaceChildren(answerList(hits, "h3"));
    return;
  }
  const groups = languages.flatMap(([code]) => {
    const name = languageName(code);
    const own = hits.filter((hit) => hit.language === code);
    const list = answerList(own, "h4");
    list.setAttribute("aria-label", name);
    return [make("h3", `${name} (${own.length})`), list];
  });
  at("list").replaceChildren(...groups);
}

function showShares(languages) {
  const parts = languages.map(([code, share]) => {
    const part = make("span", undefined, { class: colourOf(code) });
    part.style.flexGrow = share;
    return part;
  });
  at("bar").replaceChildren(...parts);
  at("legend").replaceChildren(
    ...languages.map(([code, share]) => make("li", `${languageName(code)} ${Math.round(100 * share)} %`, { class: colourOf(code) })),
  );
}

function colourOf(code) {
  return colours.get(code) ?? `k${COLOURS}`;
}

function answerList(hits, heading) {
  const list = make("ol");
  list.append(...hits.map((hit) => answerItem(hit, heading)));
  return list;
}

function answerItem(hit, heading) {
  const item = make("li", undefined, { class: "answer" });
  const line = make("p", undefined, { class: "line" });
  line.append(
    make("span", `${hit.rank}.`, { class: "place" }),
    make("span", languageName(hit.language), { class: `language ${colourOf(hit.language)}` }),
  );
  item.append(line);
  if (hit.title) item.append(make(heading, hit.title, { lang: hit.language, dir: "auto" }));
  const text = make("p", hit.text, { class: "text", lang: hit.language, dir: "auto" });
  item.append(text);
  if (hit.text.length > 500 || hit.text.split("\n").length > 6) item.append(unfold(text));
  item.append(details(hit));
  return item;
}

function unfold(text) {
  const button = make("button", "Show all of it", { type: "button", class: "plain", "aria-expanded": "false" });
  text.classList.add("clip");
  button.addEventListener("click", () => {
    const open = !text.classList.toggle("clip");
    button.textContent = open ? "Show less" : "Show all of it";
    button.setAttribute("aria-expanded", String(open));
  });
  return button;
}

function details(hit) {
  const more = make("details");
  const facts = make("dl");
  const add = (name, value) => {
    facts.append(make("dt", name, { dir: "auto" }), make("dd", value, { dir: "auto" }));
  };
  add("id", hit.id);
  add("score", hit.score.toFixed(4));
  if (hit.similarity !== null) add("similarity", hit.similarity.toFixed(4));
  if (hit.words !== null) add("words (BM25)", hit.words.toFixed(2));
  for (const [name, value] of Object.entries(hit.metadata)) add(name, Array.isArray(value) ? value.join(", ") : String(value));
  more.append(make("summary", "Details"), facts);
  return more;
}

function go() {
  const wanted = fromForm();
  if (!wanted.question) return;
  const address = toAddress(wanted);
  if (location.hash === address) search();
  else location.hash = address;
}

async function begin() {
  if (about === null && location.hash) toForm(fromAddress());
  try {
    await loadAbout();
  } catch (error) {
    showProblem(error);
    return;
  }
  await search();
}

at("search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (about === null) begin().then(go);
  else go();
});
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("key").value.trim());
  at("key").value = "";
  begin().then(() => {
    if (about !== null) at("question").focus();
  });
});
at("options").addEventListener("change", () => {
  sayOptions();
  if (shown !== null) go();
});
for (const radio of document.querySelectorAll("input[name=view]")) {
  radio.addEventListener("change", () => {
    if (shown === null) return;
    show();
    history.replaceState(null, "", toAddress({ ...fromAddress(), view: radio.value }));
  });
}
document.querySelector(".skip").addEventListener("click", (event) => {
  // The address after # is the question's.
  event.preventDefault();
  at(at("answers").hidden ? "question" : "answers").focus();
});
addEventListener("hashchange", () => {
  if (about !== null) search();
});
begin();
