// What is best among the entries that are shown, and which options matter for it.

const MOST_SHARES = 12; // options of which it is said how much they explain

function drawBest(found, [first, second]) {
  const undecided = [first, second].find((measure) => measure.less === null);
  if (undecided) {
    const text =
      `Of ${undecided.name} one of these sweeps seeks more and another less: ` +
      "filter to one of them, or choose above which is better.";
    replace(at("best"), element("p", {}, text));
    return;
  }
  const best = bestRow(rows, found, first);
  if (best === null) {
    replace(at("best"), element("p", {}, "None of these entries has finished with this measure."));
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

function drawCoordinates(found, columns, first) {
  const measure = first.name;
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
    // what two sweeps seek in opposite directions is not one measure
    first.less === null ? null : importanceTable(found, measure),
  );
}

function importanceTable(found, measure) {
  const options = rows.varying(found).filter((name) => !name.endsWith(".type"));
  const shares = importance(rows, found, options, measure);
  if (!shares.length) return null;
  const lines = shares.slice(0, MOST_SHARES).map(({ name, share, count }) => [name, share, count]);
  const head = ["option", "share of the variance", "entries"];
  const title =
    `How much of ${measure} each option explains alone (omega squared); ` +
    "what attempts of one run found again counts once";
  return table(head, lines, title);
}

function widthOf(node) {
  return Math.max(280, Math.min(node.clientWidth, 900));
}
