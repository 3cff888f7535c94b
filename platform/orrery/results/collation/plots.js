// Plots of many entries: the best of them, all their choices; and curves of the chosen ones.

const HEIGHT = 250;
const CLASSES = 5; // shades of the parallel coordinates
const AXIS = 112; // the least distance of two of its axes
const MOST_AXES = 9;

// --- the best, and what cannot be improved without a loss ----------------------------------

// Points of all rows that have both measures, smaller being better in `x` and `y`.
function measured(rows, chosen, first, second) {
  const points = [];
  for (const row of chosen) {
    const x = rows.value(first.name, row);
    const y = rows.value(second.name, row);
    if (typeof x !== "number" || typeof y !== "number") continue;
    points.push({ row, x: first.less ? x : -x, y: second.less ? y : -y });
  }
  return points;
}

function bestRow(rows, chosen, measure) {
  const known = chosen.filter((row) => typeof rows.value(measure.name, row) === "number");
  const sign = measure.less ? 1 : -1;
  return known.reduce(
    (best, row) =>
      best === null || sign * (rows.value(measure.name, row) - rows.value(measure.name, best)) < 0
        ? row
        : best,
    null,
  );
}

function scatter(rows, points, front, first, second, width, open) {
  const xs = points.map((point) => rows.value(first.name, point.row));
  const ys = points.map((point) => rows.value(second.name, point.row));
  const plot = axes({
    title: `${points.length} entries, ${front.length} on the Pareto front`,
    width,
    height: HEIGHT + 60,
    xRange: padded(extent(xs)),
    yRange: padded(extent(ys)),
    xLabel: first.name,
    yLabel: second.name,
  });
  const inFront = new Set(front.map((point) => point.row));
  points.forEach((point, i) => {
    const best = inFront.has(point.row);
    const dot = shape(
      "circle",
      {
        cx: plot.x(xs[i]),
        cy: plot.y(ys[i]),
        r: best ? 5 : 3,
        class: best ? "dot front" : "dot",
      },
      shape("title", {}, `${rows.name(point.row)}: ${shown(xs[i])}, ${shown(ys[i])}`),
    );
    dot.addEventListener("click", () => open(point.row));
    plot.svg.append(dot);
  });
  const steps = front.map((point) => [
    rows.value(first.name, point.row),
    rows.value(second.name, point.row),
  ]);
  plot.svg.append(shape("path", { d: path(steps, plot), class: "frontline" }));
  return plot.svg;
}

// --- parallel coordinates -------------------------------------------------------------------

// An axis of a column: numbers in their range, or else every value in its place.
function coordinateAxis(rows, name, drawn) {
  const values = drawn.map((row) => rows.value(name, row));
  const known = values.filter((value) => value !== null);
  const numeric = known.every((value) => typeof value === "number");
  if (numeric) {
    const range = extent(known);
    const positive = range[0] > 0 && range[1] / range[0] > 50;
    const to = positive ? Math.log10 : (value) => value;
    const place = scale(range.map(to), [1, 0]);
    return { name, marks: range, place: (value) => place(to(value)) };
  }
  const marks = [...new Set(known)].sort(ordered);
  const step = marks.length > 1 ? 1 / (marks.length - 1) : 0;
  return { name, marks, place: (value) => 1 - marks.indexOf(value) * step };
}

function coordinates(rows, drawn, chosen, names, width) {
  const all = names.slice(0, MOST_AXES).map((name) => coordinateAxis(rows, name, drawn));
  const wide = Math.max(width, AXIS * all.length);
  const height = HEIGHT + 70;
  const from = 46;
  const to = height - 40;
  const x = (i) => 8 + (i * (wide - 72)) / Math.max(all.length - 1, 1);
  const y = (axis, row) => from + axis.place(rows.value(axis.name, row)) * (to - from);
  const svg = shape("svg", {
    role: "img",
    width: wide,
    height,
    viewBox: `0 0 ${wide} ${height}`,
    "aria-label": `Parallel coordinates of ${drawn.length} entries: ${names.join(", ")}`,
  });
  const trace = (row) =>
    all
      .map((axis, i) => [i, axis])
      .filter(([, axis]) => rows.value(axis.name, row) !== null)
      .map(([i, axis], n) => `${n ? "L" : "M"}${x(i).toFixed(1)} ${y(axis, row).toFixed(1)}`)
      .join("");
  for (const [shade, text] of shaded(all[all.length - 1], rows, drawn, trace)) {
    svg.append(shape("path", { d: text, class: `trace shade${shade}` }));
  }
  chosen.forEach((row, index) => {
    const mark = { class: `line strong ink${index % MOST_COLOURS}` };
    const dashed = { "stroke-dasharray": dashes(index) };
    const title = shape("title", {}, rows.name(row));
    svg.append(shape("path", { d: trace(row), ...mark, ...dashed }, title));
  });
  all.forEach((axis, i) => {
    const anchor = i === 0 ? "" : i === all.length - 1 ? "end" : "middle";
    svg.append(...axisMarks(axis, x(i), from, to, i % 2 ? 30 : 14, anchor));
  });
  return svg;
}

// One path for each shade instead of one for each row: a thousand rows are drawn at once.
function shaded(last, rows, drawn, trace) {
  const paths = new Map();
  for (const row of drawn) {
    const value = rows.value(last.name, row);
    const place = value === null ? 0 : 1 - last.place(value);
    const shade = Math.min(CLASSES - 1, Math.floor(CLASSES * place));
    paths.set(shade, (paths.get(shade) || "") + trace(row));
  }
  return [...paths].sort(([a], [b]) => a - b);
}

// An axis with its name, whose height differs from its neighbours', so that they do not meet.
function axisMarks(axis, x, from, to, height, anchor) {
  const name = axis.name.split(".").slice(-2).join(".");
  const title = shape("title", {}, axis.name);
  const rule = shape("line", { x1: x, x2: x, y1: from, y2: to, class: "axis" });
  const label = shape("text", { x, y: height, class: `label ${anchor}` }, name, title);
  const marks = axis.marks.map((mark) =>
    shape(
      "text",
      { x: x + 5, y: from + axis.place(mark) * (to - from) + 4, class: "tick halo" },
      shown(mark),
    ),
  );
  return [rule, label, ...marks];
}

// --- curves of the chosen entries -----------------------------------------------------------

// The curves of one kind: for each chosen row those of the wanted keys, or else its first.
// The first curve of a row has the row's own colour, in all plots.
function seriesOf(rows, chosen, kind, wanted) {
  return chosen.flatMap((row, place) => {
    const curves = rows.detail(row).curves[kind] || {};
    const keys = Object.keys(curves);
    const drawn = wanted.length ? keys.filter((key) => wanted.includes(key)) : keys.slice(0, 1);
    return drawn.map((key, n) => ({
      label: `${rows.name(row)}: ${curves[key].label}`,
      index: place + n * chosen.length,
      curve: curves[key],
    }));
  });
}

function posteriorPanels(all, width) {
  const names = [];
  for (const series of all) {
    for (const parameter of series.curve.parameters) {
      if (!names.includes(parameter.name)) names.push(parameter.name);
    }
  }
  return names.map((name) => posteriorPanel(name, all, width));
}

function posteriorPanel(name, all, width) {
  const marginals = all
    .map((series) => ({
      ...series,
      marginal: series.curve.parameters.find((parameter) => parameter.name === name),
    }))
    .filter((series) => series.marginal);
  const points = marginals.map(({ marginal }) => densityPoints(marginal));
  const unit = marginals[0].marginal.unit;
  const plot = axes({
    title: name,
    width,
    height: HEIGHT,
    xRange: extent(points.flat().map(([x]) => x)),
    yRange: [0, 1.05 * extent(points.flat().map(([, y]) => y))[1]],
    xLabel: unit ? `${name} [${unit}]` : name,
    yLabel: "density",
  });
  marginals.forEach((series, i) => plot.svg.append(line(series, points[i], plot)));
  const rows = () =>
    marginals.flatMap((series, i) => points[i].map(([x, y]) => [series.label, x, y]));
  return figure(`Posterior of ${name}`, plot.svg, ["posterior", name, "density"], rows);
}

function densityPoints(marginal) {
  const step = (marginal.to - marginal.from) / (marginal.density.length - 1);
  return marginal.density.map((height, i) => [
    Number((marginal.from + i * step).toPrecision(6)),
    Number(((height / 1000) * marginal.peak).toPrecision(4)),
  ]);
}

function posteriorTable(all) {
  const rows = all.flatMap((series) =>
    series.curve.parameters.map((parameter) => [
      series.label,
      parameter.name,
      parameter.unit,
      parameter.median,
      parameter.lower,
      parameter.upper,
      series.curve.draws,
    ]),
  );
  const head = ["posterior", "parameter", "unit", "median", "16 %", "84 %", "draws"];
  return table(head, rows, "Medians and 16 to 84 % of the draws");
}

function tarpPanel(all, width) {
  const plot = axes({
    title: "TARP: on the diagonal if the posterior is right",
    width,
    height: HEIGHT + 60,
    xRange: [0, 1],
    yRange: [0, 1],
    xLabel: "credibility level",
    yLabel: "expected coverage",
  });
  plot.svg.append(shape("path", { d: path([[0, 0], [1, 1]], plot), class: "reference" }));
  for (const series of all) {
    const { levels, coverage } = series.curve;
    plot.svg.append(line(series, levels.map((level, i) => [level, coverage[i]]), plot));
  }
  const rows = () =>
    all.flatMap(({ label, curve }) =>
      curve.levels.map((level, i) => [label, level, curve.coverage[i]]),
    );
  const head = ["posterior", "level", "coverage"];
  const summary = table(
    ["posterior", "tests", "area to curve", "p"],
    all.map(({ label, curve }) => [label, curve.tests, curve.area, curve.pvalue]),
    "TARP: area between curve and diagonal, and p-value",
  );
  return [figure("TARP", plot.svg, head, rows), summary];
}

function rankPanels(all, width) {
  const names = [...new Set(all.flatMap((series) => series.curve.names))];
  return names.map((name) => rankPanel(name, all, width));
}

function rankPanel(name, all, width) {
  const those = all.filter((series) => series.curve.names.includes(name));
  const of = (series) => series.curve.difference[series.curve.names.indexOf(name)];
  const edges = those.flatMap((series) => [...series.curve.lower, ...series.curve.upper]);
  const plot = axes({
    title: name,
    width,
    height: HEIGHT,
    xRange: [0, 1],
    yRange: padded(extent([...edges, ...those.flatMap(of)])),
    xLabel: "rank of the truth",
    yLabel: "ECDF less uniform",
  });
  for (const { curve } of those) {
    plot.svg.append(band(curve.levels, curve.lower, curve.upper, plot));
  }
  for (const series of those) {
    const points = series.curve.levels.map((level, i) => [level, of(series)[i]]);
    plot.svg.append(line(series, points, plot));
  }
  const rows = () =>
    those.flatMap((series) =>
      series.curve.levels.map((level, i) => [
        series.label,
        level,
        of(series)[i],
        series.curve.lower[i],
        series.curve.upper[i],
      ]),
    );
  const head = ["posterior", "rank", "difference", "lower edge", "upper edge"];
  return figure(`SBC ranks of ${name}`, plot.svg, head, rows);
}

function errorPanel(all, width) {
  const middles = ({ curve }) =>
    curve.rmse.map((_, i) => (curve.edges[i] + curve.edges[i + 1]) / 2);
  const unit = all[0].curve.unit;
  const plot = axes({
    title: "Root mean square errors in bins of the truth",
    width,
    height: HEIGHT + 60,
    xRange: extent(all.flatMap((series) => series.curve.edges)),
    yRange: [0, 1.1 * extent(all.flatMap((series) => series.curve.rmse))[1]],
    xLabel: "truth",
    yLabel: `RMSE [${unit}]`,
  });
  for (const series of all) {
    const places = middles(series);
    plot.svg.append(line(series, places.map((x, i) => [x, series.curve.rmse[i]]), plot));
  }
  const rows = () =>
    all.flatMap(({ label, curve }) =>
      curve.rmse.map((error, i) => [
        label,
        curve.edges[i],
        curve.edges[i + 1],
        curve.tests[i],
        error,
        curve.rmse_error[i],
      ]),
    );
  const head = ["ensemble", "from", "to", "tests", "RMSE", "its error"];
  return figure("RMSE", plot.svg, head, rows);
}

function trainingPanel(all, width) {
  const members = all.flatMap((series) => series.curve.members.map((member) => [series, member]));
  const losses = members.flatMap(([, member]) => [...member.train, ...member.validation]);
  const plot = axes({
    title: "Losses: validation, and dotted training",
    width,
    height: HEIGHT + 60,
    xRange: extent(members.flatMap(([, member]) => member.epochs)),
    yRange: padded(extent(losses)),
    xLabel: "epoch",
    whole: true,
    yLabel: "−log q(θ | x), mean [nat]",
  });
  for (const [series, member] of members) {
    const at = (losses) => member.epochs.map((epoch, i) => [epoch, losses[i]]);
    plot.svg.append(line(series, at(member.train), plot, "thin"));
    plot.svg.append(line(series, at(member.validation), plot));
  }
  const rows = () =>
    members.flatMap(([series, member]) =>
      member.epochs.map((epoch, i) => [
        series.label,
        epoch,
        member.train[i],
        member.validation[i],
        epoch === member.best ? "kept" : "",
      ]),
    );
  const head = ["estimator", "epoch", "training", "validation", ""];
  return figure("Training", plot.svg, head, rows);
}

// --- what trials reported -------------------------------------------------------------------

// A trial's reports as series by what was reported: numbers, or objects of numbers.
function reported(rows, chosen) {
  const found = new Map();
  chosen.forEach((row, index) => {
    const reports = rows.detail(row).curves.reports || [];
    reports.forEach((report, step) => {
      const named = typeof report === "number" ? { reported: report } : report || {};
      for (const [name, value] of Object.entries(named)) {
        if (typeof value !== "number") continue;
        if (!found.has(name)) found.set(name, new Map());
        const all = found.get(name);
        if (!all.has(row)) all.set(row, { index, label: rows.name(row), points: [] });
        all.get(row).points.push([step + 1, value]);
      }
    });
  });
  return [...found].map(([name, all]) => [name, [...all.values()]]);
}

function reportPanel(name, all, width) {
  const points = all.flatMap((series) => series.points);
  const plot = axes({
    title: `Trials' reports: ${name}`,
    width,
    height: HEIGHT,
    xRange: extent(points.map(([x]) => x)),
    yRange: padded(extent(points.map(([, y]) => y))),
    xLabel: "report",
    whole: true,
    yLabel: name,
  });
  for (const series of all) plot.svg.append(line(series, series.points, plot));
  const rows = () => all.flatMap(({ label, points }) => points.map(([x, y]) => [label, x, y]));
  return figure(name, plot.svg, ["trial", "report", name], rows);
}
