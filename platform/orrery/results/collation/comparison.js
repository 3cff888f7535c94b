// The chosen entries: their curves over each other, and what they rest on.

const PANEL = 300; // the least width of one of several plots

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
    ...part("rmse", "Errors of ensembles", (all) => errorPanels(all, one)),
    ...part("training", "Training", (all) => [trainingPanel(all, one)]),
  ];
  const reports = reported(rows, chosen).map(([name, all]) => reportPanel(name, all, small));
  if (reports.length) parts.push(element("h3", {}, "Reports of trials"), panels(reports));
  return parts.length ? parts : [element("p", {}, "The chosen ones have no curves.")];
}
