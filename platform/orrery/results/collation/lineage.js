// What the chosen entries rest on: files, datasets, summaries, posteriors or ensembles, reports.

const STAGES = ["input file", "dataset", "summaries", "posterior or ensemble", "report"];
const STAGE_OF = { inputs: 0, datasets: 1, summaries: 2, posteriors: 3, ensembles: 3 };
const LEARNED = 3;
const REPORT = 4;
const NODE = { width: 168, height: 44, gap: 14, between: 60 };
const LANE = 12; // pixels between arrows that pass below boxes

// Nodes by stage and arrows between them; what two entries share is one node.
function lineageGraph(rows, chosen) {
  const nodes = new Map();
  const arrows = new Map();
  const add = (stage, identity, label) => {
    const name = `${stage}|${identity}`;
    if (!nodes.has(name)) nodes.set(name, { name, stage, identity, label });
    return name;
  };
  const join = (from, to) => arrows.set(`${from}>${to}`, [from, to]);
  for (const row of chosen) {
    const report = add(REPORT, rows.value("place", row), rows.name(row));
    const lineage = rows.detail(row).lineage;
    const stage = (one) => STAGE_OF[one.kind] ?? LEARNED;
    const known = new Map(lineage.map((one) => [one.fingerprint, stage(one)]));
    const used = new Set(lineage.flatMap((one) => one.parents));
    // all of them first, under their own names
    for (const one of lineage) add(stage(one), one.fingerprint, one.key);
    for (const one of lineage) {
      const node = add(stage(one), one.fingerprint, one.key);
      for (const parent of one.parents) {
        const before = known.get(parent) ?? stage(one) - 1;
        join(add(before, parent, STAGES[before]), node);
      }
      // what something else was made from leads to the report by way of that
      if (!used.has(one.fingerprint)) join(node, report);
    }
  }
  return { nodes: [...nodes.values()], arrows: [...arrows.values()] };
}

// The lanes of arrows that pass a column, by where they start. They go below all boxes:
// through one they would seem to come from it.
function lanesBelow(arrows, passes) {
  const lanes = new Map();
  for (const [from, to] of arrows) {
    if (passes(from, to) && !lanes.has(from)) lanes.set(from, lanes.size);
  }
  return lanes;
}

function lineageFigure(rows, chosen) {
  const { nodes, arrows } = lineageGraph(rows, chosen);
  const called = new Map(nodes.map((node) => [node.name, node]));
  const places = new Map();
  const counts = STAGES.map(() => 0);
  for (const node of nodes) {
    const x = 4 + node.stage * (NODE.width + NODE.between);
    places.set(node.name, { x, y: 28 + counts[node.stage]++ * (NODE.height + NODE.gap) });
  }
  const passes = (from, to) => called.get(to).stage - called.get(from).stage > 1;
  const lanes = lanesBelow(arrows, passes);
  const bottom = 28 + Math.max(...counts) * (NODE.height + NODE.gap);
  const width = 8 + STAGES.length * (NODE.width + NODE.between) - NODE.between;
  const height = bottom + 6 + lanes.size * LANE;
  const svg = shape("svg", {
    role: "img",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "aria-label": `Lineage: ${nodes.length} things, ${arrows.length} arrows`,
  });
  STAGES.forEach((stage, i) => {
    const x = 4 + i * (NODE.width + NODE.between);
    svg.append(shape("text", { x, y: 15, class: "title" }, stage));
  });
  for (const [from, to] of arrows) {
    const lane = passes(from, to) ? bottom + lanes.get(from) * LANE : null;
    svg.append(arrow(places.get(from), places.get(to), lane));
  }
  for (const node of nodes) svg.append(box(node, places.get(node.name)));
  const described = (name) =>
    `${STAGES[called.get(name).stage]} ${called.get(name).label} (${called.get(name).identity})`;
  const numbers = () => arrows.map(([from, to]) => [described(from), described(to)]);
  const wide = element("div", { class: "wide", tabindex: "0", role: "region" }, svg);
  wide.setAttribute("aria-label", "Lineage");
  return figure("Lineage", wide, ["this", "leads to this"], numbers);
}

function arrow(from, to, lane) {
  const x1 = from.x + NODE.width;
  const y1 = from.y + NODE.height / 2;
  const x2 = to.x - 2;
  const y2 = to.y + NODE.height / 2;
  const head = `M${to.x - 7} ${y2 - 4}L${to.x - 1} ${y2}L${to.x - 7} ${y2 + 4}`;
  const bend = (xa, ya, xb, yb) => {
    const middle = (xa + xb) / 2;
    return `C${middle} ${ya} ${middle} ${yb} ${xb} ${yb}`;
  };
  const way =
    lane === null
      ? bend(x1, y1, x2, y2)
      : `${bend(x1, y1, x1 + NODE.between, lane)}H${to.x - NODE.between}` +
        bend(to.x - NODE.between, lane, x2, y2);
  return shape("path", { d: `M${x1} ${y1}${way}${head}`, class: "arrow" });
}

function box(node, { x, y }) {
  return shape(
    "g",
    {},
    shape("rect", { x, y, width: NODE.width, height: NODE.height, rx: 6, class: "node" }),
    shape("text", { x: x + 9, y: y + 18, class: "label" }, shortened(node.label)),
    shape("text", { x: x + 9, y: y + 35, class: "tick" }, shortened(node.identity)),
    shape("title", {}, `${node.label}\n${node.identity}`),
  );
}

function shortened(text) {
  return text.length > 22 ? `${text.slice(0, 21)}…` : text;
}
