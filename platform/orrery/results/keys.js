// Keys on a picture: arrows step along what it shows, and the line below says what is there.

const HINT = "\u2190 \u2192 next value \u00b7 \u2191 \u2193 next curve \u00b7 Home, End \u00b7 Esc";

const inRows = ({ one, curve }) => one.y.rows && !curve.across;

/** Returns the curves that keys step along, each with those of its points that are in sight. */
function tracks(axes) {
  const all = axes.flatMap((one) => one.curves.map((curve) => ({ one, curve })));
  const seen = all.map((track) => {
    const { x } = track.curve;
    const side = inRows(track) ? track.one.y : track.one.x;
    const inSight = (at) => Math.abs(fractionOf(side, at) - 0.5) <= 0.5 + 1e-6;
    // a step's corners share their abscissa: a pointer reads the first of them
    return { ...track, stops: [...x.keys()].filter((i) => x[i] !== x[i - 1] && inSight(x[i])) };
  });
  return seen.filter(({ stops }) => stops.length);
}

/** Returns where a key leads from a curve and one of its points, or null if it leads nowhere. */
function stepped(all, [track, stop], key) {
  const { one, curve, stops } = all[track];
  const bounded = (number, count) => Math.min(count - 1, Math.max(0, number));
  const beside = { ArrowLeft: stop - 1, ArrowRight: stop + 1, Home: 0, End: Infinity }[key];
  if (beside !== undefined) return [track, bounded(beside, stops.length)];
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (!step) return null;
  const next = bounded(track + step, all.length);
  if (next === track) return [track, stop];
  // another curve of the same axes is read where this one was
  const places = all[next].stops.map((i) => all[next].curve.x[i]);
  return [next, all[next].one === one ? nearest(places, curve.x[stops[stop]]) : 0];
}

/** Returns what a pointer there would read, this curve first, after the name of the axes. */
function readingAt(track, i) {
  const { one, curve } = track;
  const at = curve.x[i];
  const others = one.curves.filter((other) => other !== curve);
  if (inRows(track)) return line([one.title, ...inRow({ ...one, curves: [curve, ...others] }, at)]);
  const place = curve.across ? one.x.name : one.x.name && `${one.x.name} = ${exactly(at, one.x)}`;
  const here = curve.across ? value(curve, at, one) : said(curve.name, numbersAt(curve, i), one.y);
  // what is shaded over all rows is in none of them
  const level = others.filter((other) => other.across || !one.y.rows);
  return line([one.title, place, here, ...level.map((other) => value(other, at, one))]);
}

/** Returns the fractions of the sides of its axes at which a point of a curve is. */
function markAt(track, i) {
  const { one, curve } = track;
  const [at, { y, low, high }] = [curve.x[i], numbersAt(curve, i)];
  const up = fractionOf(one.y, inRows(track) ? at : (y ?? (low + high) / 2));
  if (inRows(track)) return [fractionOf(one.x, curve.y[i]), up];
  return [fractionOf(one.x, at), curve.across ? 0.5 : Math.min(1, Math.max(0, up))];
}

/** Lets keys read a picture, from an own place among what Tab goes to. */
function readByKeys(held, axes, name, show, leave) {
  const all = tracks(axes);
  if (!all.length) return;
  const reader = document.createElement("div");
  reader.className = "reader";
  reader.tabIndex = 0;
  // arrows reach the page also where a screen reader takes them elsewhere
  reader.setAttribute("role", "application");
  reader.setAttribute("aria-label", `Values of ${name}, by arrow keys`);
  let place = null;
  reader.addEventListener("focus", () => show(HINT));
  reader.addEventListener("blur", () => {
    place = null;
    leave();
  });
  reader.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const left = event.key === "Escape" && place;
    const next = left ? null : stepped(all, place ?? [0, 0], event.key);
    if (!left && !next) return;
    event.preventDefault();
    // the first key of all but the ends shows where one is
    place = place || ["Home", "End"].includes(event.key) ? next : [0, 0];
    if (left) return show(HINT);
    const [track, i] = [all[place[0]], all[place[0]].stops[place[1]]];
    show(readingAt(track, i), track.one, markAt(track, i));
  });
  held.append(reader);
}
