// The page: what is filtered, sorted and chosen is in its address, and drawn from there.

const PAGE_LENGTH = 25;
const MOST_CHOSEN = 12;
const USUAL_OPTIONS = 5;
const PANEL = 300; // the least width of one of several plots
const USUAL = {
  search: "",
  kind: "",
  experiment: "",
  status: "",
  sort: "-began",
  page: "0",
  first: "",
  firstLess: "",
  second: "",
  secondLess: "",
  open: "",
  columns: [],
  chosen: [],
  keys: [],
};

const data = JSON.parse(document.getElementById("data").textContent);
const rows = new Rows(data);
const at = (id) => document.getElementById(id);
let state = fromAddress();

// --- the address ------------------------------------------------------------------------

function fromAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  const found = {};
  for (const [name, usual] of Object.entries(USUAL)) {
    found[name] = Array.isArray(usual) ? words.getAll(name) : words.get(name) ?? usual;
  }
  found.chosen = found.chosen.filter((place) => rows.byPlace.has(place));
  found.columns = found.columns.filter((name) => rows.columns.has(name));
  return found;
}

function toAddress() {
  const words = new URLSearchParams();
  for (const [name, usual] of Object.entries(USUAL)) {
    if (Array.isArray(usual)) state[name].forEach((value) => words.append(name, value));
    else if (state[name] !== usual) words.set(name, state[name]);
  }
  history.replaceState(null, "", `#${words}`);
}

function change(changes) {
  state = { ...state, page: "0", ...changes };
  toAddress();
  draw();
}

// --- what is shown ----------------------------------------------------------------------

// The columns that explain most: options in which the shown entries differ, and measures.
function columnNames(base) {
  if (state.columns.length) return state.columns;
  const measures = chosenMeasures(base).map((measure) => measure.name);
  // the type of a group of options says little beside its options
  const options = rows.varying(base).filter((name) => !name.endsWith(".type"));
  return [...new Set([...options.slice(0, USUAL_OPTIONS), ...measures])];
}

function chosenMeasures(base) {
  const known = rows.measures(base, ["objective.", "metric.", "seconds"]);
  const names = known.map(([name]) => name);
  const usual = usualMeasures(known);
  return ["first", "second"].map((which, i) => {
    const name = names.includes(state[which]) ? state[which] : usual[i];
    const less = state[`${which}Less`];
    return { name, less: less === "" ? lessIsBetter(name) : less === "1" };
  });
}

// Objectives of sweeps first, then what tells most of a posterior or an ensemble.
function usualMeasures(known) {
  const told = /(information_gain|log_probability)$|^metric\.rmse.*minimum$/;
  const rank = ([name, count]) =>
    (name.startsWith("objective.") ? 4 : told.test(name) ? 2 : 0) + count / rows.count;
  const others = known.filter(([name]) => name !== "seconds");
  const best = [...others].sort((a, b) => rank(b) - rank(a)).map(([name]) => name);
  const second = best[1] && best[1].startsWith("objective.") ? best[1] : "seconds";
  return [best[0] ?? "seconds", second];
}

function chosenRows() {
  return state.chosen.map((place) => rows.byPlace.get(place));
}

function draw() {
  const base = rows.filtered({ ...state, search: "" }).rows;
  const { rows: found, problems } = rows.filtered(state);
  keepingFocus(() => {
    drawControls(base);
    drawCount(found, problems);
    drawTable(found, columnNames(base));
  });
  const measures = chosenMeasures(base);
  drawBest(found, measures);
  drawCoordinates(found, columnNames(base), measures[0].name);
  drawComparison();
  drawDialog();
}

// Whatever had the focus has it after it was drawn again.
function keepingFocus(action) {
  const name = document.activeElement?.dataset?.focus;
  action();
  if (name) document.querySelector(`[data-focus="${CSS.escape(name)}"]`)?.focus();
}

// --- controls ---------------------------------------------------------------------------

function drawControls(base) {
  if (at("search").value !== state.search) at("search").value = state.search;
  for (const name of ["kind", "experiment", "status"]) {
    const values = [...new Set(rows.columns.get(name))].filter(isKnown).sort(ordered);
    fill(at(name), [["", "all"], ...values.map((value) => [value, value])], state[name]);
  }
  const names = rows.measures(base, ["objective.", "metric.", "seconds"]).map(([name]) => name);
  const measures = chosenMeasures(base);
  ["first", "second"].forEach((which, i) => {
    fill(at(which), names.map((name) => [name, name]), measures[i].name);
    at(`${which}-less`).value = measures[i].less ? "1" : "";
  });
}

function fill(select, choices, value) {
  const options = choices.map(([key, label]) => element("option", { value: key }, label));
  replace(select, ...options);
  select.value = value;
}

function drawCount(found, problems) {
  const all = rows.count === 1 ? "1 entry" : `${rows.count} entries`;
  at("count").textContent = [`${found.length} of ${all}`, ...problems].join("; ");
}

// --- the table --------------------------------------------------------------------------

function drawTable(found, names) {
  const descending = state.sort.startsWith("-");
  const sort = state.sort.replace(/^-/, "");
  const sorted = rows.sorted(found, sort, descending);
  const page = Math.min(Number(state.page), Math.floor(Math.max(found.length - 1, 0) / PAGE_LENGTH));
  const shownRows = sorted.slice(page * PAGE_LENGTH, (page + 1) * PAGE_LENGTH);
  const fixed = ["status", "began", "seconds"].filter((name) => hasValues(name, found));
  const heads = ["name", ...fixed, ...names.filter((name) => !fixed.includes(name))];
  const right = new Set(heads.filter((name) => hasNumbers(name, found)));
  replace(
    at("runs").tHead,
    element(
      "tr",
      {},
      element("th", { scope: "col" }, "choose"),
      ...heads.map((name) => headCell(name, sort, descending, right.has(name))),
    ),
  );
  replace(at("runs").tBodies[0], ...shownRows.map((row) => tableRow(row, heads, right)));
  drawPager(page, found.length);
  drawColumns(names);
}

function hasValues(name, found) {
  return found.some((row) => isKnown(rows.value(name, row)));
}

function hasNumbers(name, found) {
  return found.some((row) => typeof rows.value(name, row) === "number");
}

function headCell(name, sort, descending, right) {
  const sorted = name === sort;
  const group = name.includes(".") ? name.split(".")[0] : "";
  const parts = group ? name.split(".").slice(1) : [name];
  const short = parts.slice(-2).join(".");
  const mark = sorted ? (descending ? " ↓" : " ↑") : "";
  const choose = () => change({ sort: sorted && !descending ? `-${name}` : name });
  const button = element(
    "button",
    { type: "button", class: "plain", title: name, "data-focus": `sort-${name}`, onclick: choose },
    short + mark,
  );
  const order = sorted ? (descending ? "descending" : "ascending") : null;
  const small = group ? element("small", {}, group) : null;
  const about = { scope: "col", "aria-sort": order, class: right ? "number" : null };
  return element("th", { ...about, "data-column": name }, small, button);
}

function tableRow(row, heads, right) {
  const place = rows.value("place", row);
  const choose = element("input", {
    type: "checkbox",
    "aria-label": `choose ${rows.name(row)}`,
    "data-focus": `choose-${place}`,
    checked: state.chosen.includes(place),
    onchange: (event) => chooseRow(place, event.target.checked),
  });
  const cells = heads.slice(1).map((name) => valueCell(name, row, right.has(name)));
  return element(
    "tr",
    { "data-place": place },
    element("td", {}, choose),
    element("th", { scope: "row" }, opener(row)),
    ...cells,
  );
}

function opener(row) {
  const place = rows.value("place", row);
  const open = () => change({ open: place, page: state.page });
  return element(
    "button",
    { type: "button", class: "plain", "data-focus": `open-${place}`, onclick: open },
    rows.name(row),
  );
}

function valueCell(name, row, right) {
  const value = rows.value(name, row);
  const found = cell(value);
  found.dataset.column = name;
  found.classList.toggle("number", right);
  if (name === "status") addStatus(found, row, String(value));
  if (name === "began" && value) found.textContent = String(value).slice(0, 16).replace("T", " ");
  return found;
}

function addStatus(found, row, status) {
  if (["finished", "failed", "damaged", "running"].includes(status)) found.classList.add(status);
  const wrong = rows.value("problems", row) || rows.value("reason", row);
  if (wrong) found.append(element("small", { class: "told", title: wrong }, wrong.slice(0, 200)));
}

function chooseRow(place, chosen) {
  const others = state.chosen.filter((one) => one !== place);
  if (chosen && others.length >= MOST_CHOSEN) {
    draw();
    at("count").textContent = `at most ${MOST_CHOSEN} can be chosen`;
    return;
  }
  change({ chosen: chosen ? [...others, place] : others, page: state.page });
}

function drawPager(page, count) {
  const pages = Math.max(1, Math.ceil(count / PAGE_LENGTH));
  const step = (name, to) =>
    element(
      "button",
      {
        type: "button",
        "data-focus": `page-${name}`,
        disabled: to < 0 || to >= pages,
        onclick: () => change({ page: String(to) }),
      },
      name,
    );
  const where = `page ${page + 1} of ${pages}`;
  replace(at("pager"), step("previous", page - 1), where, step("next", page + 1));
}

function drawColumns(names) {
  const remove = (name) => () => change({ columns: names.filter((one) => one !== name) });
  const items = names.map((name) =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button", "aria-label": `remove ${name}`, onclick: remove(name) },
        `${name} ×`,
      ),
    ),
  );
  replace(at("shown-columns"), ...items);
}

// --- the best ---------------------------------------------------------------------------

function drawBest(found, [first, second]) {
  const best = bestRow(rows, found, first);
  if (best === null) {
    replace(at("best"), element("p", {}, "None of these entries has this measure."));
    return;
  }
  const points = measured(rows, found, first, second);
  const front = paretoFront(points);
  const open = (row) => change({ open: rows.value("place", row) });
  const sentence = element(
    "p",
    { id: "best-entry", "data-place": rows.value("place", best) },
    `Best by ${first.name}, ${shown(rows.value(first.name, best))}: `,
    opener(best),
  );
  const width = widthOf(at("best"));
  const drawing = scatter(rows, points, front, first, second, width, open);
  const listed = front.map((point) => [
    opener(point.row),
    rows.value(first.name, point.row),
    rows.value(second.name, point.row),
  ]);
  const all = () =>
    points.map(({ row }) => [rows.name(row), rows.value(first.name, row), rows.value(second.name, row)]);
  replace(
    at("best"),
    sentence,
    figure("Measures", drawing, ["entry", first.name, second.name], all),
    table(["entry", first.name, second.name], listed, "The Pareto front: no entry is better in both"),
  );
}

function drawCoordinates(found, columns, measure) {
  const numbers = rows.measures(found, ["option.", "objective.", "metric.", "seconds"]);
  const varying = new Set([...rows.varying(found), ...numbers.map(([name]) => name)]);
  const names = columns.filter((name) => varying.has(name) && name !== measure);
  if (varying.has(measure)) names.push(measure);
  if (names.length < 2) {
    const text = "These entries differ in no option: add columns to the table, or filter less.";
    replace(at("coordinates"), element("p", {}, text));
    return;
  }
  const drawn = found.filter((row) => names.some((name) => rows.value(name, row) !== null));
  const drawing = coordinates(rows, drawn, chosenRows(), names, widthOf(at("coordinates")));
  const wide = element("div", { class: "wide", tabindex: "0", role: "region" }, drawing);
  wide.setAttribute("aria-label", "Parallel coordinates");
  const numbersOf = () =>
    drawn.map((row) => [rows.name(row), ...names.map((name) => rows.value(name, row))]);
  const help = `Axes are the columns of the table; the stronger a line, the more it has of the last, ${measure}.`;
  replace(
    at("coordinates"),
    element("p", { class: "help" }, help),
    figure("Parallel coordinates", wide, ["entry", ...names], numbersOf),
  );
}

function widthOf(node) {
  return Math.max(280, Math.min(node.clientWidth, 900));
}

// --- comparison and lineage -------------------------------------------------------------

let compared = "";

function drawComparison() {
  const width = at("comparison").clientWidth;
  const wanted = JSON.stringify([state.chosen, state.keys, width]);
  if (wanted === compared) return;
  compared = wanted;
  const chosen = chosenRows();
  if (!chosen.length) {
    const text = "Choose runs or trials in the table: their curves are laid over each other here.";
    replace(at("comparison"), element("p", {}, text));
    replace(at("lineage"), element("p", {}, "Choose runs in the table."));
    return;
  }
  const parts = comparison(chosen, width);
  replace(at("comparison"), chosenList(chosen), keyChoice(chosen), ...parts);
  const rested = chosen.filter((row) => rows.detail(row).lineage.length);
  const nothing = element("p", {}, "The chosen ones name nothing that they rest on.");
  replace(at("lineage"), rested.length ? lineageFigure(rows, rested) : nothing);
}

function chosenList(chosen) {
  const remove = (row) => () => chooseRow(rows.value("place", row), false);
  const items = chosen.map((row) =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button", "aria-label": `leave out ${rows.name(row)}`, onclick: remove(row) },
        `${rows.name(row)} ×`,
      ),
    ),
  );
  return element("ul", { class: "legend", "aria-label": "Chosen ones" }, ...items);
}

// Which of the data of the chosen runs are drawn: at first the first of each run.
function keyChoice(chosen) {
  const kinds = ["posteriors", "tarp", "sbc", "rmse", "training"];
  const curves = chosen.map((row) => rows.detail(row).curves);
  const keys = [...new Set(curves.flatMap((one) => kinds.flatMap((kind) => Object.keys(one[kind] || {}))))];
  if (keys.length < 2) return null;
  const toggle = (key, on) =>
    change({ keys: on ? [...state.keys, key] : state.keys.filter((one) => one !== key), page: state.page });
  const boxes = keys.map((key) =>
    element(
      "label",
      {},
      element("input", {
        type: "checkbox",
        checked: state.keys.includes(key),
        onchange: (event) => toggle(key, event.target.checked),
      }),
      key,
    ),
  );
  const title = "Data to compare; the first of each run when none is ticked";
  return element("fieldset", { class: "keys" }, element("legend", {}, title), ...boxes);
}

function comparison(chosen, width) {
  const of = (kind) => seriesOf(rows, chosen, kind, state.keys);
  const one = Math.min(width, 640);
  const columns = Math.max(1, Math.floor(width / PANEL));
  const small = Math.floor((width - 16 * (columns - 1)) / columns);
  const panels = (all) => {
    const style = `grid-template-columns: repeat(${columns}, minmax(0, 1fr))`;
    return element("div", { class: "panels", style }, ...all);
  };
  const part = (kind, title, made) => {
    const all = of(kind);
    if (!all.length) return [];
    return [element("h3", {}, title), legend(all), ...made(all)];
  };
  const parts = [
    ...part("posteriors", "Posteriors", (all) => [
      panels(posteriorPanels(all, small)),
      posteriorTable(all),
    ]),
    ...part("tarp", "Expected coverage", (all) => tarpPanel(all, one)),
    ...part("sbc", "Ranks of simulation-based calibration", (all) => [panels(rankPanels(all, small))]),
    ...part("rmse", "Errors of ensembles", (all) => [errorPanel(all, one)]),
    ...part("training", "Training", (all) => [trainingPanel(all, one)]),
  ];
  const reports = reported(rows, chosen).map(([name, all]) => reportPanel(name, all, small));
  if (reports.length) parts.push(element("h3", {}, "Reports of trials"), panels(reports));
  return parts.length ? parts : [element("p", {}, "The chosen ones have no curves.")];
}

// --- one entry --------------------------------------------------------------------------

function drawDialog() {
  const dialog = at("run");
  const row = rows.byPlace.get(state.open);
  if (row === undefined) {
    if (dialog.open) dialog.close();
    return;
  }
  replace(dialog, ...entryParts(row));
  if (!dialog.open) dialog.showModal();
}

function entryParts(row) {
  const link = rows.link(row);
  const detail = rows.detail(row);
  const problems = String(rows.value("problems", row) || "").split("\n").filter(Boolean);
  const answers = detail.answers.map((one) => [
    one.data,
    one.quantity,
    one.unit,
    one.median ?? null,
    one.lower ?? null,
    one.upper ?? null,
  ]);
  const head = ["data", "quantity", "unit", "median", "16 %", "84 %"];
  return [
    element(
      "header",
      {},
      element("h2", { id: "run-title" }, rows.name(row)),
      element("button", { type: "button", onclick: () => at("run").close() }, "Close"),
    ),
    link ? element("p", {}, element("a", { href: link }, "The page of this run")) : null,
    ...problems.map((problem) => element("p", { class: "problem" }, problem)),
    detail.reason ? element("pre", {}, detail.reason) : null,
    answers.length ? table(head, answers, "Answers") : null,
    ...["verdict.", "objective.", "option.", "metric."].map((group) => groupTable(group, row)),
    pairs("Entry", ["place", "experiment", "run", "status", "began", "seconds", "host"], row, ""),
  ];
}

function groupTable(group, row) {
  const names = [...rows.columns.keys()].filter((name) => name.startsWith(group));
  const titles = { "verdict.": "Verdicts", "objective.": "Objectives" };
  const title = titles[group] || { "option.": "Options", "metric.": "Metrics" }[group];
  return pairs(title, names.filter((name) => rows.value(name, row) !== null), row, group);
}

function pairs(title, names, row, group) {
  if (!names.length) return null;
  const lines = names.map((name) => {
    const value = cell(rows.value(name, row));
    value.dataset.column = name;
    return element("tr", {}, element("th", { scope: "row" }, name.slice(group.length)), value);
  });
  const body = element("table", { class: "pairs" }, element("tbody", {}, ...lines));
  return element("details", { open: names.length < 12 }, element("summary", {}, title), body);
}

// --- events -----------------------------------------------------------------------------

function listen() {
  at("search").addEventListener("input", (event) => change({ search: event.target.value }));
  for (const name of ["kind", "experiment", "status"]) {
    at(name).addEventListener("change", (event) => change({ [name]: event.target.value }));
  }
  for (const which of ["first", "second"]) {
    at(which).addEventListener("change", (event) =>
      change({ [which]: event.target.value, [`${which}Less`]: "" }),
    );
    at(`${which}-less`).addEventListener("change", (event) =>
      change({ [`${which}Less`]: event.target.value || "0" }),
    );
  }
  at("clear").addEventListener("click", () =>
    change({ search: "", kind: "", experiment: "", status: "" }),
  );
  for (const form of ["filters", "measures", "add-column"]) {
    at(form).addEventListener("submit", (event) => event.preventDefault());
  }
  at("add-column").addEventListener("submit", addColumn);
  at("usual-columns").addEventListener("click", () => change({ columns: [] }));
  at("run").addEventListener("close", () => {
    const place = state.open;
    if (place) change({ open: "", page: state.page });
    document.querySelector(`[data-focus="${CSS.escape(`open-${place}`)}"]`)?.focus();
  });
  addEventListener("hashchange", () => {
    state = fromAddress();
    draw();
  });
  addEventListener("resize", draw);
}

function addColumn() {
  const name = at("column-name").value;
  if (!rows.columns.has(name)) {
    at("count").textContent = `no column is called ${name}`;
    return;
  }
  const base = rows.filtered({ ...state, search: "" }).rows;
  at("column-name").value = "";
  change({ columns: [...new Set([...columnNames(base), name])] });
}

function introduce() {
  const kinds = rows.columns.get("kind");
  const trials = kinds.filter((kind) => kind === "trial").length;
  const wrong = rows.columns.get("problems").filter(Boolean).length;
  const parts = [`${rows.count - trials} runs`, `${trials} trials`];
  if (wrong) parts.push(`${wrong} with something that could not be read`);
  at("summary").textContent = `${data.title}: ${parts.join(", ")}`;
  const names = [...rows.columns.keys()].map((name) => element("option", { value: name }));
  replace(at("column-names"), ...names);
}

introduce();
listen();
draw();
