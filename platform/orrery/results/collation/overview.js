// Plots of all entries that are shown: two measures with their Pareto front, and all choices.

const HEIGHT = 250;
const CLASSES = 5; // shades of the parallel coordinates
const AXIS = 112; // the least distance of two of its axes
const MOST_AXES = 9;

// --- the best, and what cannot be improved without a loss ----------------------------------

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
  // a line ends where an entry has no value, and goes on where it has one again
  const trace = (row) => {
    let pen = "M";
    let text = "";
    all.forEach((axis, i) => {
      const known = rows.value(axis.name, row) !== null;
      if (known) text += `${pen}${x(i).toFixed(1)} ${y(axis, row).toFixed(1)}`;
      pen = known ? "L" : "M";
    });
    return text;
  };
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
  const title = shape("title", {}, axis.name);
  const rule = shape("line", { x1: x, x2: x, y1: from, y2: to, class: "axis" });
  const text = shortName(axis.name);
  const label = shape("text", { x, y: height, class: `label ${anchor}` }, text, title);
  const marks = axis.marks.map((mark) =>
    shape(
      "text",
      { x: x + 5, y: from + axis.place(mark) * (to - from) + 4, class: "tick halo" },
      shown(mark),
    ),
  );
  return [rule, label, ...marks];
}
