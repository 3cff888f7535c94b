
// Pictures of a run's page: where a pointer is, in the units of the axes, and enlarged ones.

const DIGITS = 4;

const written = (value) => String(Number(value.toPrecision(DIGITS))).replace("-", "\u2212");

/** Returns the value at a fraction of a side, from its low end to its high one. */
function along(side, fraction) {
  if (!side.log) return side.low + fraction * (side.high - side.low);
  return side.low * (side.high / side.low) ** fraction;
}

/** Returns a line's value at an abscissa, between two of its points; none beyond its ends. */
function interpolated({ x, y }, at) {
  const after = x.findIndex((value) => value >= at);
  if (after < 0 || at < x[0]) return null;
  if (after === 0) return y[0];
  const [left, right] = [x[after - 1], x[after]];
  const part = right > left ? (at - left) / (right - left) : 1;
  return y[after - 1] + part * (y[after] - y[after - 1]);
}

/** Returns what a curve has at an abscissa; of points the nearest, and where it is. */
function value(curve, at) {
  if (curve.joined) {
    const found = interpolated(curve, at);
    return found === null ? null : `${curve.name}: ${written(found)}`;
  }
  const distances = curve.x.map((x) => Math.abs(x - at));
  const nearest = distances.indexOf(Math.min(...distances));
  return `${curve.name} at ${written(curve.x[nearest])}: ${written(curve.y[nearest])}`;
}

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
  const x = along(one.x, right);
  const sides = [[one.x, x], [one.y, along(one.y, up)]];
  const named = sides.filter(([side]) => side.name).map(([side, at]) => `${side.name} = ${written(at)}`);
  const curves = one.curves.map((curve) => value(curve, x)).filter((found) => found !== null);
  return [named.join(", "), ...curves].join(" \u00b7 ");
}

/** Says below a picture what a pointer on it is at, and marks the abscissa there. */
function follow(held, axes, line) {
  const cross = document.createElement("span");
  cross.className = "cross";
  held.append(cross);
  const leave = () => {
    line.textContent = "";
    cross.style.display = "none";
  };
  held.addEventListener("pointermove", (event) => {
    const box = held.getBoundingClientRect();
    const place = found(axes, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    if (!place) return leave();
    line.textContent = reading(place);
    const [, top, , height] = place.one.box.map((part) => `${100 * part}%`);
    const left = `${event.clientX - box.left}px`;
    Object.assign(cross.style, { display: "block", left, top, height, borderLeftWidth: "1px" });
  });
  held.addEventListener("pointerleave", leave);
}

/** Puts a picture into a box of its own size, in which the mark stands. */
function hold(image) {
  const held = document.createElement("div");
  held.className = "held";
  image.replaceWith(held);
  held.append(image);
  return held;
}

function emptyLine() {
  const line = document.createElement("p");
  line.className = "at";
  return line;
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
  const line = emptyLine();
  follow(held, axes, line);
  dialog.append(tools, wide, line);
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
  const line = emptyLine();
  follow(hold(image), axes, line);
  const tools = document.createElement("p");
  tools.className = "tools";
  tools.append(button("Enlarge", () => enlarge(image, axes)));
  figure.querySelector(".wide").after(line, tools);
}
