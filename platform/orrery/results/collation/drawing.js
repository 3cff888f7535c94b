// Elements, numbers as text, axes and lines: what plots are made of.

const SVG = "http://www.w3.org/2000/svg";
const DASHES = ["", "6 3", "2 2", "8 3 2 3", "10 4", "4 2"];
const MOST_COLOURS = 6;
const MARGIN = { top: 26, right: 12, bottom: 40, left: 54 };

// An element with attributes and children; text is only ever text.
function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function replace(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null));
}

// A value as text: numbers to four digits, a dash where there is none.
function shown(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return minus(String(value));
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return minus(value.toExponential(2));
  return minus(String(Number(value.toPrecision(4))));
}

function minus(text) {
  return text.replaceAll("-", "\u2212");
}

// A cell that shows a value and holds all of its digits.
function cell(value, tag = "td") {
  const number = typeof value === "number";
  return element(
    tag,
    { "data-value": value === null ? "" : String(value), class: number ? "number" : null },
    shown(value),
  );
}

function table(head, rows, caption) {
  const right = (i) => (rows.some((row) => typeof row[i] === "number") ? "number" : null);
  const titles = head.map((title, i) => element("th", { scope: "col", class: right(i) }, title));
  return element(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...titles)),
      element(
        "tbody",
        {},
        ...rows.map((row) => element("tr", {}, ...row.map((value) => asCell(value)))),
      ),
    ),
  );
}

function asCell(value) {
  return value instanceof Node ? element("td", {}, value) : cell(value);
}

// The plots whose numbers are open, by title: they stay so when a plot is drawn anew.
const withNumbers = new Set();

// A plot with the table behind it, which is made once somebody asks for it.
function figure(title, drawing, head, rows) {
  const details = element("details", {}, element("summary", {}, "As a table"));
  details.addEventListener("toggle", () => {
    if (!details.open) {
      withNumbers.delete(title);
      return;
    }
    withNumbers.add(title);
    if (!details.querySelector("table")) {
      details.append(table(head, rows(), `${title}: numbers`));
    }
  });
  details.open = withNumbers.has(title);
  return element("figure", {}, drawing, details);
}

// Round numbers that divide a range into about `wanted` parts.
function ticks(low, high, wanted = 4) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const found = [];
  // counted: to one of the largest integers adding one changes nothing
  for (let n = 0; n <= wanted && (first + n) * step <= high + 1e-9 * step; n++) {
    found.push(Number(((first + n) * step).toPrecision(12)));
  }
  return found;
}

function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  if (low === high) return [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  return [low, high];
}

function padded([low, high], share = 0.05) {
  const more = share * (high - low);
  return [low - more, high + more];
}

function scale([low, high], [first, last]) {
  return (value) => first + ((value - low) / (high - low)) * (last - first);
}

// An empty plot: `plot.svg` with axes and labels, `plot.x` and `plot.y` from numbers to places.
// Across only integers are marked where what is counted is `whole`.
function axes({ title, width, height, xRange, yRange, xLabel, yLabel, whole = false }) {
  const x = scale(xRange, [MARGIN.left, width - MARGIN.right]);
  const y = scale(yRange, [height - MARGIN.bottom, MARGIN.top]);
  const svg = shape("svg", {
    role: "img",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "aria-label": `${title}; across ${xLabel || "values"}, upward ${yLabel || "values"}`,
  });
  svg.append(shape("text", { x: MARGIN.left, y: 15, class: "title" }, title));
  for (const value of ticks(...xRange, width < 340 ? 4 : 6)) {
    if (whole && !Number.isInteger(value)) continue;
    const at = x(value);
    const foot = height - MARGIN.bottom;
    svg.append(
      shape("line", { x1: at, x2: at, y1: MARGIN.top, y2: foot, class: "grid" }),
      shape("text", { x: at, y: foot + 15, class: "tick middle" }, shown(value)),
    );
  }
  for (const value of ticks(...yRange)) {
    const at = y(value);
    svg.append(
      shape("line", {
        x1: MARGIN.left,
        x2: width - MARGIN.right,
        y1: at,
        y2: at,
        class: "grid",
      }),
      shape("text", { x: MARGIN.left - 6, y: at + 4, class: "tick end" }, shown(value)),
    );
  }
  const middle = (MARGIN.left + width - MARGIN.right) / 2;
  svg.append(shape("text", { x: middle, y: height - 6, class: "label middle" }, xLabel));
  const turned = `translate(13 ${(MARGIN.top + height - MARGIN.bottom) / 2}) rotate(-90)`;
  svg.append(shape("text", { transform: turned, class: "label middle" }, yLabel));
  return { svg, x, y, width, height };
}

// The second six have the colours of the first six, and other dashes.
function dashes(index) {
  return DASHES[(index + Math.floor(index / MOST_COLOURS)) % DASHES.length];
}

function path(points, plot) {
  let pen = "M";
  let text = "";
  for (const [x, y] of points) {
    if (x === null || y === null) {
      pen = "M";
      continue;
    }
    text += `${pen}${plot.x(x).toFixed(1)} ${plot.y(y).toFixed(1)}`;
    pen = "L";
  }
  return text;
}

// A line of a series: its colour and its dashes both tell it from others.
function line(series, points, plot, extra = "") {
  return shape(
    "path",
    {
      d: path(points, plot),
      class: `line ink${series.index % MOST_COLOURS} ${extra}`,
      "stroke-dasharray": extra.includes("thin") ? "1 3" : dashes(series.index),
    },
    shape("title", {}, series.label),
  );
}

function band(levels, lower, upper, plot) {
  const there = levels.map((level, i) => [level, upper[i]]);
  const back = levels.map((level, i) => [level, lower[i]]).reverse();
  return shape("path", { d: `${path([...there, ...back], plot)}Z`, class: "band" });
}

// Which colour and dashes is whose.
function legend(all) {
  const items = all.map((series) =>
    element(
      "li",
      {},
      shape(
        "svg",
        { width: 34, height: 10, "aria-hidden": "true" },
        shape("line", {
          x1: 1,
          x2: 33,
          y1: 5,
          y2: 5,
          class: `line ink${series.index % MOST_COLOURS}`,
          "stroke-dasharray": dashes(series.index),
        }),
      ),
      series.label,
    ),
  );
  return element("ul", { class: "legend", "aria-label": "Legend" }, ...items);
}
