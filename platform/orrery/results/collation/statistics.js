// What is said of many entries: the best, the Pareto front, and what explains a measure.

// Points of finished rows that have both measures, smaller being better in `x` and `y`.
function measured(rows, chosen, first, second) {
  const points = [];
  for (const row of chosen.filter((one) => rows.isFinished(one))) {
    const x = rows.value(first.name, row);
    const y = rows.value(second.name, row);
    if (typeof x !== "number" || typeof y !== "number") continue;
    points.push({ row, x: first.less ? x : -x, y: second.less ? y : -y });
  }
  return points;
}

function bestRow(rows, chosen, measure) {
  const known = chosen.filter(
    (row) => rows.isFinished(row) && typeof rows.value(measure.name, row) === "number",
  );
  const sign = measure.less ? 1 : -1;
  return known.reduce(
    (best, row) =>
      best === null || sign * (rows.value(measure.name, row) - rows.value(measure.name, best)) < 0
        ? row
        : best,
    null,
  );
}

// The rows that no other beats in one measure without losing in the other.
function paretoFront(points) {
  // points: {row, x, y}, both to be made small
  const front = [];
  const inOrder = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  let lowest = Infinity;
  for (const point of inOrder) {
    if (point.y < lowest) {
      front.push(point);
      lowest = point.y;
    }
  }
  return front;
}

// How much of a measure's variance each option explains alone: omega squared of its values,
// or of the fifths of its range of ranks. What explains nothing scatters around zero.
function importance(rows, drawn, options, measure) {
  const known = foundOnce(
    rows,
    drawn.filter((row) => rows.isFinished(row) && typeof rows.value(measure, row) === "number"),
    measure,
  );
  return options
    .map((name) => {
      const having = known.filter((row) => rows.value(name, row) !== null);
      const groups = grouped(rows, having, name).map((group) =>
        group.map((row) => rows.value(measure, row)),
      );
      return { name, count: having.length, share: omegaSquared(groups) };
    })
    .filter((one) => one.share !== null)
    .sort((a, b) => b.share - a.share);
}

// Rows, of attempts of one run that found the same the first: an answer that is computed
// again has no scatter of its own, and would make whatever differs between runs matter.
function foundOnce(rows, known, measure) {
  const found = new Set();
  return known.filter((row) => {
    if (rows.value("kind", row) !== "run") return true;
    const key = JSON.stringify(["experiment", "run", measure].map((name) => rows.value(name, row)));
    return !found.has(key) && found.add(key);
  });
}

// Rows by the value of an option; many numbers are five groups of about the same size.
function grouped(rows, having, name) {
  const values = new Map();
  for (const row of having) {
    const value = rows.value(name, row);
    if (!values.has(value)) values.set(value, []);
    values.get(value).push(row);
  }
  if (values.size <= 5 || typeof rows.value(name, having[0]) !== "number") {
    return [...values.values()];
  }
  const groups = [[], [], [], [], []];
  let before = 0;
  for (const [, same] of [...values].sort(([a], [b]) => a - b)) {
    // equal numbers stay together
    groups[Math.floor((5 * before) / having.length)].push(...same);
    before += same.length;
  }
  return groups.filter((group) => group.length);
}

// The share of variance between groups, without what chance puts there; null where too few.
function omegaSquared(groups) {
  const all = groups.flat();
  const within = all.length - groups.length;
  if (groups.length < 2 || within < 2) return null;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = (values, centre) =>
    values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const total = squares(all, mean(all));
  const inside = groups.reduce((sum, group) => sum + squares(group, mean(group)), 0);
  const error = inside / within;
  if (!(total > 0)) return null;
  return (total - inside - (groups.length - 1) * error) / (total + error);
}
