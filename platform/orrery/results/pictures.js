
// Pictures of a run's page: where a pointer is, in the units of the axes, and enlarged ones.

const DIGITS = 4;
const PLACES = 3; // of a side's span that are told apart

/** Returns a number to as many digits as a pointer tells apart on a side, and some more. */
function written(value, side, more = 0) {
  const span = Math.abs(side.high - side.low);
  const wide = side.log || span >= 1e6 || span < 1e-6;
  const decimals = Math.max(0, PLACES + more - Math.ceil(Math.log10(span)));
  const rounded = wide ? value.toPrecision(DIGITS) : value.toFixed(decimals);
  return String(Number(rounded)).replace("-", "\u2212");
}

/** Returns the value at a fraction of a side, from its low end to its high one. */
function along(side, fraction) {
  if (!side.log) return side.low + fraction * (side.high - side.low);
  return side.low * (side.high / side.low) ** fraction;
}

/** Returns the fraction of a side at which a value is, which may be beyond its ends. */
function fractionOf(side, value) {
  if (!side.log) return (value - side.low) / (side.high - side.low);
  return Math.log(value / side.low) / Math.log(side.high / side.low);
}

/** Returns a line's value at an abscissa, between two of its points; none beyond its ends. */
function interpolated({ x, y }, at, one) {
  const after = x.findIndex((value) => value >= at);
  if (after < 0 || at < x[0]) return null;
  if (after === 0) return y[0];
  // what is straight in the picture is so in fractions of its sides
  const [left, middle, right] = [x[after - 1], at, x[after]].map((value) => fractionOf(one.x, value));
  const [first, second] = [y[after - 1], y[after]].map((value) => fractionOf(one.y, value));
  const part = right > left ? (middle - left) / (right - left) : 1;
  const found = along(one.y, first + part * (second - first));
  return Number.isFinite(found) ? found : null;
}

function nearest(values, at) {
  const distances = values.map((value) => Math.abs(value - at));
  return distances.indexOf(Math.min(...distances));
}

// what was drawn is known better than where a pointer is
const exactly = (found, side) => written(found, side, 1);

/** Returns numbers of a curve in words: its name, what is drawn, and the ends of its interval. */
function said(name, { y, low, high }, side) {
  // an interval of no length is its middle: the noise of some surveys is in what they are held against
  const middle = y ?? (low === high ? low : NaN);
  const ends = Number.isFinite(low ?? NaN) && low !== high && `${exactly(low, side)} to ${exactly(high, side)}`;
  if (!Number.isFinite(middle ?? NaN)) return ends ? `${name}: ${ends}` : null;
  return `${name}: ${exactly(middle, side)}${ends ? ` (${ends})` : ""}`;
}

const numbersAt = ({ y, low, high }, i) => ({ y: y?.[i], low: low?.[i], high: high?.[i] });

/** Returns what a curve has at an abscissa; of points the nearest, and where it is. */
function value(curve, at, one) {
  if (curve.across) return said(curve.name, numbersAt(curve, 0), one.x);
  if (curve.joined) {
    const between = (y) => y && interpolated({ x: curve.x, y }, at, one);
    const [y, low, high] = [curve.y, curve.low, curve.high].map(between);
    return said(curve.name, { y, low, high }, one.y);
  }
  const there = nearest(curve.x, at);
  const where = curve.x[there] === at ? "" : ` at ${exactly(curve.x[there], one.x)}`;
  return said(`${curve.name}${where}`, numbersAt(curve, there), one.y);
}

/** Returns what stands in the row of a figure that a pointer is in. */
function inRow(one, at) {
  const [place, words] = one.y.rows[nearest(one.y.rows.map(([row]) => row), at)];
  const [across, points] = [true, false].map((is) => one.curves.filter((curve) => !!curve.across === is));
  const here = points.filter((curve) => !curve.joined && curve.x.includes(place));
  const found = here.map((curve) => said(curve.name, numbersAt(curve, curve.x.indexOf(place)), one.x));
  return [words, ...found, ...across.map((curve) => value(curve, at, one))];
}

const line = (parts) => parts.filter(Boolean).join(" \u00b7 ");

/** Returns the axes at a place in a picture, and the fractions of their sides there. */
function found(axes, x, y) {
  for (const one of axes) {
    const [left, top, width, height] = one.box;
    const [right, up] = [(x - left) / width, 1 - (y - top) / height];
    if (right >= 0 && right <= 1 && up >= 0 && up <= 1) return { one, right, up };
  }
  return null;
}

function reading({ one, right, up }) {
  const [x, y] = [along(one.x, right), along(one.y, up)];
  const sides = one.y.rows ? [[one.x, x]] : [[one.x, x], [one.y, y]];
  const named = sides.filter(([side]) => side.name).map(([side, at]) => `${side.name} = ${written(at, side)}`);
  const others = one.y.rows ? inRow(one, y) : one.curves.map((curve) => value(curve, x, one));
  return line([named.join(", "), ...others]);
}

/** Says on a line what a pointer or keys on a picture are at, and marks it there. */
function follow(held, axes, name, shown) {
  const [cross, dot] = ["cross", "dot"].map((kind) => {
    const mark = document.createElement("span");
    mark.className = kind;
    held.append(mark);
    return mark;
  });
  const show = (words, one = null, [right, up] = [0, null]) => {
    shown.textContent = words;
    cross.style.display = one ? "block" : "none";
    dot.style.display = one && up !== null ? "block" : "none";
    if (!one) return;
    const [left, top, width, height] = one.box;
    const part = (fraction) => `${100 * fraction}%`;
    Object.assign(cross.style, { left: part(left + right * width), top: part(top), height: part(height) });
    if (up === null) return;
    Object.assign(dot.style, { left: cross.style.left, top: part(top + (1 - up) * height) });
    dot.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const leave = () => show("");
  const read = (event) => {
    const box = held.getBoundingClientRect();
    const place = found(axes, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    if (!place) return leave();
    show(reading(place), place.one, [place.right, null]);
  };
  // a finger moves the page, and what it has touched stays to be read when it is lifted
  held.addEventListener("pointerdown", read);
  held.addEventListener("pointermove", read);
  held.addEventListener("pointerleave", (event) => {
    // a page that keys scroll moves away from below a pointer
    if (event.pointerType !== "touch" && dot.style.display !== "block") leave();
  });
  readByKeys(held, axes, name, show, leave);
}

/** Puts a picture into a box of its own size, in which the mark stands. */
function hold(image) {
  const held = document.createElement("div");
  held.className = "held";
  image.replaceWith(held);
  held.append(image);
  return held;
}

/** Returns all that may be said of axes at once, which is more than is anywhere. */
function most(one) {
  const rows = one.y.rows?.map(([at]) => inRow(one, at)) ?? [[]];
  const curves = one.curves.filter((curve) => !one.y.rows || curve.across);
  const all = curves.map((curve) => {
    const side = curve.across ? one.x : one.y;
    return said(`${curve.name} at ${exactly(curve.x.at(-1), one.x)}`, numbersAt(curve, curve.x.length >> 1), side);
  });
  const sides = [one.x, one.y].map((side) => `${side.name} = ${exactly(side.high, side)}`);
  return rows.map((words) => line([one.title, ...sides, ...words, ...all]));
}

/** Returns a line to be read, and its place, as high as the longest of what it may say. */
function emptyLine(axes) {
  const shown = document.createElement("p");
  shown.className = "at";
  shown.setAttribute("aria-live", "polite");
  const place = document.createElement("div");
  place.className = "said";
  const longest = [HINT, ...axes.flatMap(most)].reduce((one, other) => (other.length > one.length ? other : one));
  // numbers elsewhere may have more digits
  place.dataset.longest = longest.replace(/\d+(\.\d+)?/g, "$&00");
  place.append(shown);
  return [shown, place];
}

/** Shows a picture on the whole window, in steps up to eight times its width. */
function enlarge(image, axes) {
  const dialog = document.createElement("dialog");
  dialog.className = "zoom";
  dialog.setAttribute("aria-label", image.alt.split(". ")[0]);
  const wide = document.createElement("div");
  wide.className = "wide";
  wide.tabIndex = 0;
  wide.setAttribute("role", "group");
  wide.setAttribute("aria-label", "The figure, enlarged");
  const larger = image.cloneNode();
  wide.append(larger);
  const held = hold(larger);
  let width = 1;
  const scale = (factor) => {
    width = Math.min(8, Math.max(0.25, width * factor));
    held.style.width = `${100 * width}%`;
  };
  const tools = document.createElement("p");
  tools.className = "tools";
  tools.append(
    button("Larger", () => scale(1.5)),
    button("Smaller", () => scale(1 / 1.5)),
    button("Close", () => dialog.close()),
  );
  const [shown, place] = emptyLine(axes);
  follow(held, axes, image.alt.split(". ")[0], shown);
  dialog.append(tools, wide, place);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  // at first the whole figure is seen
  const { naturalWidth, naturalHeight } = image;
  scale(Math.min(1, (wide.clientHeight * naturalWidth) / (naturalHeight * wide.clientWidth)));
}

for (const figure of document.querySelectorAll("figure")) {
  const image = figure.querySelector("img");
  const axes = JSON.parse(figure.querySelector("script").textContent);
  const [shown, place] = emptyLine(axes);
  follow(hold(image), axes, image.alt.split(". ")[0], shown);
  const tools = document.createElement("p");
  tools.className = "tools";
  tools.append(button("Enlarge", () => enlarge(image, axes)));
  figure.querySelector(".wide").after(place, tools);
}
