// What the chosen entries rest on: dataset, summaries, posterior or ensemble, report.

const STAGES = ["dataset", "summaries", "posterior or ensemble", "report"];
const NODE = { width: 168, height: 44, gap: 14, between: 60 };

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
    const report = add(3, rows.value("place", row), rows.name(row));
    for (const one of rows.detail(row).lineage) {
      if (one.kind === "datasets") {
        const dataset = add(0, one.fingerprint, one.key);
        join(dataset, report);
        continue;
      }
      const learned = add(2, one.fingerprint, one.key);
      join(learned, report);
      if (one.definition) {
        const summaries = add(1, `${one.dataset} ${one.definition}`, one.key);
        if (one.dataset) join(add(0, one.dataset, "dataset"), summaries);
        join(summaries, learned);
      } else if (one.dataset) join(add(0, one.dataset, "dataset"), learned);
    }
  }
  return { nodes: [...nodes.values()], arrows: withoutShortcuts([...arrows.values()]) };
}

// A dataset that something was learned from needs no arrow of its own to the report.
function withoutShortcuts(arrows) {
  const used = new Set(arrows.filter(([, to]) => !to.startsWith("3|")).map(([from]) => from));
  return arrows.filter(([from, to]) => !(from.startsWith("0|") && to.startsWith("3|") && used.has(from)));
}

function lineageFigure(rows, chosen) {
  const { nodes, arrows } = lineageGraph(rows, chosen);
  const places = new Map();
  const counts = [0, 0, 0, 0];
  for (const node of nodes) {
    const x = 4 + node.stage * (NODE.width + NODE.between);
    places.set(node.name, { x, y: 28 + counts[node.stage]++ * (NODE.height + NODE.gap) });
  }
  const width = 8 + 4 * NODE.width + 3 * NODE.between;
  const height = 34 + Math.max(...counts) * (NODE.height + NODE.gap);
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
  for (const [from, to] of arrows) svg.append(arrow(places.get(from), places.get(to)));
  for (const node of nodes) svg.append(box(node, places.get(node.name)));
  const called = new Map(nodes.map((node) => [node.name, node]));
  const described = (name) =>
    `${STAGES[called.get(name).stage]} ${called.get(name).label} (${called.get(name).identity})`;
  const numbers = () => arrows.map(([from, to]) => [described(from), described(to)]);
  const wide = element("div", { class: "wide", tabindex: "0", role: "region" }, svg);
  wide.setAttribute("aria-label", "Lineage");
  return figure("Lineage", wide, ["this", "leads to this"], numbers);
}

function arrow(from, to) {
  const x1 = from.x + NODE.width;
  const y1 = from.y + NODE.height / 2;
  const y2 = to.y + NODE.height / 2;
  const middle = (x1 + to.x) / 2;
  const head = `M${to.x - 7} ${y2 - 4}L${to.x - 1} ${y2}L${to.x - 7} ${y2 + 4}`;
  const d = `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${to.x - 2} ${y2}${head}`;
  return shape("path", { d, class: "arrow" });
}

function box(node, { x, y }) {
  const identity = node.stage === 1 ? node.identity.split(" ")[1] : node.identity;
  return shape(
    "g",
    {},
    shape("rect", { x, y, width: NODE.width, height: NODE.height, rx: 6, class: "node" }),
    shape("text", { x: x + 9, y: y + 18, class: "label" }, shortened(node.label)),
    shape("text", { x: x + 9, y: y + 35, class: "tick" }, shortened(identity)),
    shape("title", {}, `${node.label}\n${node.identity}`),
  );
}

function shortened(text) {
  return text.length > 22 ? `${text.slice(0, 21)}…` : text;
}
