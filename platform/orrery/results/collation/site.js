// The page: what is filtered, sorted and chosen is in its address, and drawn from there.

const USUAL_OPTIONS = 5; // columns at first
const LEAST_SHARE = 0.2; // of the entries that have such an option
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
  try {
    history.replaceState(null, "", `#${words}`);
  } catch {
    // some browsers allow a hundred changes in half a minute: the next one is as good
  }
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
  const options = rows.varying(base, LEAST_SHARE).filter((name) => !name.endsWith(".type"));
  return [...new Set([...options.slice(0, USUAL_OPTIONS), ...measures])];
}

// The two measures: those of all entries, and which way is better by those that are shown.
function chosenMeasures(base, found = base) {
  const known = rows.measures(base, ["objective.", "metric.", "seconds"]);
  const names = known.map(([name]) => name);
  const usual = usualMeasures(known, base);
  return ["first", "second"].map((which, i) => {
    const name = names.includes(state[which]) ? state[which] : usual[i];
    const less = state[`${which}Less`];
    return { name, less: less === "" ? rows.lessIsBetter(name, found) : less === "1" };
  });
}

// Objectives of sweeps first, then what tells most of a posterior or an ensemble; the second
// is one that some entry has beside the first, as those of another sweep are not.
function usualMeasures(known, base) {
  const told = /(information_gain|log_probability)$|^metric\.rmse.*minimum$/;
  const goals = rows.objectives;
  const rank = ([name, count]) => {
    // a sweep names its goals in the order of their weight
    const goal = goals.indexOf(name.replace(/^objective\./, ""));
    if (goal >= 0) return 8 - goal / goals.length;
    const group = name.startsWith("objective.") ? 4 : told.test(name) ? 2 : 0;
    return group + count / rows.count;
  };
  const others = known.filter(([name]) => name !== "seconds");
  const best = [...others].sort((a, b) => rank(b) - rank(a)).map(([name]) => name);
  const together = (name) =>
    base.some((row) => [best[0], name].every((one) => rows.value(one, row) !== null));
  const second = best.slice(1).find((name) => name.startsWith("objective.") && together(name));
  return [best[0] ?? "seconds", second ?? "seconds"];
}

function chosenRows() {
  return state.chosen.map((place) => rows.byPlace.get(place));
}

function draw() {
  const base = rows.filtered({ ...state, search: "" }).rows;
  const { rows: found, problems } = rows.filtered(state);
  keepingFocus(() => {
    drawControls(base, found);
    drawCount(found, problems);
    drawTable(found, columnNames(base));
  });
  const measures = chosenMeasures(base, found);
  drawBest(found, measures);
  drawCoordinates(found, columnNames(base), measures[0]);
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

function drawControls(base, found) {
  if (at("search").value !== state.search) at("search").value = state.search;
  for (const name of ["kind", "experiment", "status"]) {
    const values = [...new Set(rows.columns.get(name))].filter(isKnown).sort(ordered);
    fill(at(name), [["", "all"], ...values.map((value) => [value, value])], state[name]);
  }
  const names = rows.measures(base, ["objective.", "metric.", "seconds"]).map(([name]) => name);
  const measures = chosenMeasures(base, found);
  ["first", "second"].forEach((which, i) => {
    fill(at(which), names.map((name) => [name, name]), measures[i].name);
    const { less } = measures[i];
    const undecided = less === null ? [["?", "that sweeps disagree on"]] : [];
    const ways = [...undecided, ["", "if larger"], ["1", "if smaller"]];
    fill(at(`${which}-less`), ways, less === null ? "?" : less ? "1" : "");
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
  let width = document.body.clientWidth;
  addEventListener("resize", () => {
    // phones change the height whenever somebody scrolls
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    draw();
  });
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
