// One entry with everything that its document says.

const TITLES = {
  "verdict.": "Verdicts",
  "objective.": "Objectives",
  "option.": "Options",
  "metric.": "Metrics",
  "identity.": "Data and code",
};

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
  // where no interval is known
  const alone = detail.answers.some((one) => (one.predicted_mean ?? null) !== null);
  const answers = detail.answers.map((one) => [
    one.data,
    one.quantity,
    one.unit,
    one.median ?? null,
    one.lower ?? null,
    one.upper ?? null,
    ...(alone ? [one.predicted_mean ?? null] : []),
  ]);
  const head = ["data", "quantity", "unit", "median", "16 %", "84 %", ...(alone ? ["predicted mean"] : [])];
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
    ...["verdict.", "objective.", "option.", "metric.", "identity."].map((group) => groupTable(group, row)),
    pairs("Entry", ["place", "experiment", "run", "status", "began", "seconds", "host"], row, ""),
  ];
}

function groupTable(group, row) {
  const names = [...rows.columns.keys()].filter((name) => name.startsWith(group));
  return pairs(TITLES[group], names.filter((name) => rows.value(name, row) !== null), row, group);
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
