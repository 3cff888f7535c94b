// Curves of the chosen entries, laid over each other, each plot with the table behind it.

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

// A panel for each parameter; those of one name in two units are two.
function posteriorPanels(all, width) {
  const parameters = all.flatMap((series) => series.curve.parameters);
  const kinds = new Map(parameters.map(({ name, unit }) => [`${name} [${unit}]`, { name, unit }]));
  return [...kinds.values()].map(({ name, unit }) => posteriorPanel(name, unit, all, width));
}

function posteriorPanel(name, unit, all, width) {
  const marginals = all
    .map((series) => ({
      ...series,
      marginal: series.curve.parameters.find((one) => one.name === name && one.unit === unit),
    }))
    .filter((series) => series.marginal);
  const points = marginals.map(({ marginal }) => densityPoints(marginal));
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
  // runs with as many tests have the same band
  const bands = new Map(those.map(({ curve }) => [String(curve.upper), curve]));
  for (const curve of bands.values()) {
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

// A panel for each unit in which errors are.
function errorPanels(all, width) {
  const units = [...new Set(all.map((series) => series.curve.unit))];
  return units.map((unit) =>
    errorPanel(all.filter((series) => series.curve.unit === unit), unit, width),
  );
}

function errorPanel(all, unit, width) {
  const middles = ({ curve }) =>
    curve.rmse.map((_, i) => (curve.edges[i] + curve.edges[i + 1]) / 2);
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

// What trials reported as series, by its name.
function reported(rows, chosen) {
  const found = new Map();
  chosen.forEach((row, index) => {
    const reports = rows.detail(row).curves.reports || [];
    reports.forEach((report, step) => {
      for (const [name, value] of Object.entries(report)) {
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
