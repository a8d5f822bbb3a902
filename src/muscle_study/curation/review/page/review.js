"use strict";
// Opened from the disk: scripts and pictures are all that can be loaded, so data come as scripts that call
// review.index and review.details. What files said is only ever set as text.
const review = (() => {
  const PAGE = 24;
  const CSV = ["participant_id", "verdict", "reviewer", "comment"];
  const $ = id => document.getElementById(id);
  const tools = $("tools").elements;
  const store = "review:" + location.pathname;

  let all;             // the index: everyone, the worst first
  let verdicts = {};   // participant -> [verdict, reviewer, comment]
  let mine = {};       // those of this browser, over those that the last run honoured
  let list = [];       // places in the index that the filter leaves
  let current = 0;     // place in the list
  let byWord = [];     // participants a remark
  const details = new Map();   // chunk -> texts, or a promise of them

  // ---- data

  function index(read) {
    all = read;
    document.title = read.title;
    $("title").textContent = read.title;
    try {
      mine = JSON.parse(localStorage.getItem(store) || "{}");
      tools.reviewer.value = localStorage.getItem(store + ":reviewer") || "";
    } catch { mine = {}; }   // a browser may keep nothing for pages from the disk
    verdicts = { ...read.verdicts };
    for (const [id, said] of Object.entries(mine)) {
      if (String(said) === String(read.verdicts[id] || null)) delete mine[id];   // honoured by now
      else if (said) verdicts[id] = said;
      else delete verdicts[id];
    }
    byWord = read.words.map(() => 0);
    for (const marks of read.marks) for (const word of new Set(marks)) byWord[word] += 1;
    fillReasons();
    filter();
  }

  function fillReasons() {
    const states = all.states.map((state, i) =>
      ["state:" + i, state, all.state.reduce((n, other) => n + (other === i), 0)]);
    const words = all.words.map((text, i) => ["word:" + i, text, byWord[i]]).sort((a, b) => b[2] - a[2]);
    const option = ([value, text, n]) => new Option(`${text} (${n.toLocaleString("en")})`, value);
    const group = (label, entries) => {
      const made = document.createElement("optgroup");
      made.label = label;
      made.append(...entries.filter(entry => entry[2]).map(option));
      return made;
    };
    tools.reason.replaceChildren(option(["", "everyone", all.ids.length]), group("State", states));
    if (words.length) tools.reason.append(group("Reason", words));
  }

  function chunkOf(place) {
    const chunk = Math.floor(place / all.chunk);
    if (!details.has(chunk)) {
      details.set(chunk, new Promise(resolve => {
        const script = document.createElement("script");
        script.src = `entries/${chunk}.js`;
        script.dataset.chunk = chunk;
        script.addEventListener("load", () => { script.remove(); resolve(details.get(chunk)); });
        document.head.append(script);
      }));
    }
    return Promise.resolve(details.get(chunk));
  }

  function keep() {
    try { localStorage.setItem(store, JSON.stringify(mine)); } catch { /* only a download keeps them */ }
  }

  // ---- filter and pages

  function filter() {
    const [kind, number] = tools.reason.value.split(":");
    const wanted = tools.verdict.value, search = tools.search.value.trim().toLowerCase();
    list = [];
    all.ids.forEach((id, place) => {
      if (kind === "state" && all.state[place] !== +number) return;
      if (kind === "word" && !all.marks[place].includes(+number)) return;
      if (wanted && (saidOf(id)[0] || "none") !== wanted) return;
      if (search && !id.toLowerCase().includes(search)) return;
      list.push(place);
    });
    current = 0;
    draw();
  }

  const firstOfPage = () => Math.floor(current / PAGE) * PAGE;

  function draw() {
    const first = firstOfPage(), shown = list.slice(first, first + PAGE);
    $("cards").replaceChildren(...shown.map(place => card(place, false)));
    $("empty").hidden = list.length > 0;
    $("before").disabled = first === 0;
    $("after").disabled = first + PAGE >= list.length;
    $("place").textContent = list.length
      ? `${(first + 1).toLocaleString("en")}–${(first + shown.length).toLocaleString("en")} of ${list.length.toLocaleString("en")}`
      : "";
    window.scrollTo(0, 0);
    mark();
    count();
  }

  function count() {
    const n = all.ids.reduce((sum, id) => sum + (saidOf(id)[0] !== ""), 0);
    $("progress").textContent = `${n.toLocaleString("en")} of ${all.ids.length.toLocaleString("en")} looked at`;
    $("meter").max = all.ids.length;
    $("meter").value = n;
  }

  function card(place, large) {
    const made = $("card").content.cloneNode(true).firstElementChild;
    const get = name => made.querySelector(name);
    const id = all.ids[place], state = all.states[all.state[place]];
    made.dataset.id = id;
    get(".id").textContent = id;
    get(".state").textContent = state;
    get(".state").classList.add(state);
    get(".columns").append(...all.columns.map(name => {
      const head = document.createElement("span");
      head.textContent = name;
      return head;
    }));
    if (all.picture[place]) {
      get("img").src = `pictures/${encodeURIComponent(id)}.webp`;
      get("img").alt = `Images of ${id}`;
    } else {
      get("img").remove();
      get(".picture").classList.add("lacking");
    }
    const remarks = all.marks[place].map(word => {
      const line = document.createElement("li"), what = document.createElement("b");
      what.textContent = all.words[word];
      line.append(what);
      return line;
    });
    get(".remarks").append(...remarks);
    if (remarks.length) chunkOf(place).then(texts => texts[place % all.chunk].forEach((text, i) => {
      if (text) remarks[i].append(": " + text);
    }));
    const select = () => { if (!large) { current = list.indexOf(place); mark(); } };
    made.addEventListener("pointerdown", select);
    made.addEventListener("focusin", select);
    get(".picture").addEventListener("click", () => zoom(!large));
    get(".accept").addEventListener("click", () => judge(id, "accept"));
    get(".exclude").addEventListener("click", () => judge(id, "exclude"));
    get(".comment").addEventListener("change", event => comment(id, event.target.value));
    paint(made);
    return made;
  }

  function paint(made) {
    const [verdict, , said] = saidOf(made.dataset.id);
    made.dataset.verdict = verdict;
    for (const kind of ["accept", "exclude"]) {
      made.querySelector("." + kind).setAttribute("aria-pressed", verdict === kind);
    }
    made.querySelector(".comment").value = said;
  }

  const cards = id => [...document.querySelectorAll("article")].filter(each => each.dataset.id === id);
  const currentId = () => all.ids[list[current]];

  function mark() {
    for (const each of $("cards").children) {
      const is = each.dataset.id === currentId();
      each.classList.toggle("current", is);
      if (is) each.scrollIntoView({ block: "nearest" });
    }
    if ($("zoom").open) zoom(true);
  }

  // ---- verdicts

  function set(id, said) {
    if (said) verdicts[id] = said; else delete verdicts[id];
    mine[id] = said;
    keep();
    cards(id).forEach(paint);
    count();
  }

  // a comment may stand without a verdict; it is kept here and counts for nothing
  const saidOf = id => verdicts[id] || ["", "", ""];
  const reviewer = id => tools.reviewer.value.trim() || saidOf(id)[1];
  const judge = (id, verdict) => set(id, [verdict, reviewer(id), saidOf(id)[2]]);
  const comment = (id, text) => set(id, [saidOf(id)[0], reviewer(id), text.trim()]);

  function csv() {
    const quoted = text => /[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    const rows = Object.keys(verdicts).filter(id => saidOf(id)[0]).sort().map(id => [id, ...verdicts[id]].map(quoted).join(","));
    return [CSV.join(","), ...rows].join("\n") + "\n";
  }

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    link.download = "verdicts.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // ---- moving

  function go(step) {
    if (!list.length) return;
    const page = firstOfPage();
    current = Math.min(Math.max(current + step, 0), list.length - 1);
    if (firstOfPage() === page) mark(); else draw();
  }

  function turn(pages) {
    const first = firstOfPage() + pages * PAGE;
    if (first < 0 || first >= list.length) return;
    current = first;
    draw();
  }

  const columnsOfCards = () => getComputedStyle($("cards")).gridTemplateColumns.split(" ").length;

  function zoom(open) {
    if (!open || !list.length) return $("zoom").close();
    $("zoom").replaceChildren(card(list[current], true));
    if (!$("zoom").open) $("zoom").showModal();
  }

  function field(name) {
    const made = ($("zoom").open ? $("zoom") : $("cards")).querySelector(
      $("zoom").open ? name : ".current " + name);
    if (made) made.focus();
  }

  const keys = {
    ArrowRight: () => go(1),
    ArrowLeft: () => go(-1),
    ArrowDown: () => go($("zoom").open ? 1 : columnsOfCards()),
    ArrowUp: () => go($("zoom").open ? -1 : -columnsOfCards()),
    PageDown: () => turn(1),
    PageUp: () => turn(-1),
    Enter: () => zoom(!$("zoom").open),
    a: () => { judge(currentId(), "accept"); go(1); },
    x: () => { judge(currentId(), "exclude"); field(".comment"); },
    c: () => field(".comment"),
    u: () => set(currentId(), null),
    d: download,
    f: () => tools.reason.focus(),
    "/": () => tools.search.focus(),
    "?": () => $("help").showModal(),
  };

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    const field = event.target.closest("input, select, button");
    if (field) {
      if (event.key === "Escape" || (event.key === "Enter" && field.matches(".comment"))) {
        event.preventDefault();
        field.blur();
        if (event.key === "Enter") go(1);
      }
      return;
    }
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || (!list.length && !"df/?".includes(event.key))) return;
    event.preventDefault();
    act();
  });

  for (const name of ["reason", "verdict"]) tools[name].addEventListener("change", event => { filter(); event.target.blur(); });
  tools.search.addEventListener("input", filter);
  tools.reviewer.addEventListener("change", () => {
    try { localStorage.setItem(store + ":reviewer", tools.reviewer.value.trim()); } catch { /* as above */ }
  });
  $("tools").addEventListener("submit", event => event.preventDefault());
  $("before").addEventListener("click", () => turn(-1));
  $("after").addEventListener("click", () => turn(1));
  $("download").addEventListener("click", download);
  $("help-button").addEventListener("click", () => $("help").showModal());
  for (const box of [$("zoom"), $("help")]) box.addEventListener("click", event => { if (event.target === box) box.close(); });

  return { index, details: (chunk, texts) => details.set(chunk, texts), csv };
})();
