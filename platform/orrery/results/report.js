// Tables of a run's page: sorted by a press on a column's name, copied as LaTeX, saved as CSV.

const text = (cell) => {
  const ends = cell.querySelector(".ends");
  const unit = cell.querySelector("small");
  if (!ends) return unit?.textContent ? `${nameOf(cell)} [${unit.textContent}]` : nameOf(cell);
  const [above, below] = [...ends.children].map((end) => end.textContent);
  return `${cell.firstChild.textContent} ${above} ${below}`;
};

const nameOf = (cell) =>
  [...cell.querySelectorAll("button"), cell][0].firstChild?.textContent.trim() ?? "";

const number = (cell) => Number(cell.firstChild?.textContent.replace("\u2212", "-") || NaN);

function compare(one, other, up) {
  const numbers = [number(one), number(other)];
  const known = numbers.map((value) => !Number.isNaN(value));
  // what is no number stands after what is one, upwards and downwards
  if (known[0] !== known[1]) return known[0] ? -1 : 1;
  const order = known[0] ? numbers[0] - numbers[1] : one.textContent.localeCompare(other.textContent);
  return up ? order : -order;
}

function sort(table, head) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const one of table.tHead.rows[0].cells) one.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const cell = (row) => row.cells[head.cellIndex];
  const rows = [...table.tBodies[0].rows].sort((a, b) => compare(cell(a), cell(b), up));
  table.tBodies[0].append(...rows);
}

const lines = (table) => [...table.rows].map((row) => [...row.cells]);

const MARKS = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
const escaped = (words) =>
  words.replace(/[\\~^&%$#_{}]/g, (mark) => MARKS[mark] ?? `\\${mark}`).replace(/\u2609/g, "$_\\odot$");

function typeset(cell) {
  const ends = cell.querySelector(".ends");
  if (!ends) return escaped(text(cell)).replace(/^\u2212|^-(?=\d)/, "$-$");
  const [above, below] = [...ends.children].map((end) => end.textContent.replace("\u2212", "-"));
  return `$${cell.firstChild.textContent.replace("\u2212", "-")}^{${above}}_{${below}}$`;
}

function latex(table) {
  const [head, ...rows] = lines(table).map((cells) => `${cells.map(typeset).join(" & ")} \\\\`);
  const columns = "l".repeat(table.rows[0].cells.length);
  const all = [`\\begin{tabular}{${columns}}`, "\\hline", head, "\\hline", ...rows, "\\hline"];
  return [...all, "\\end{tabular}", ""].join("\n");
}

const quoted = (words) => (/[",\n]/.test(words) ? `"${words.replace(/"/g, '""')}"` : words);
// files keep the names of columns and rows, by which programs find them
function kept(cell) {
  const { column, text: name } = cell.dataset;
  const unit = cell.querySelector("small")?.textContent;
  if (column) return unit ? `${column} [${unit}]` : column;
  return name ?? text(cell);
}
const csv = (table) =>
  lines(table).map((cells) => `${cells.map((cell) => quoted(kept(cell))).join(",")}\r\n`).join("");

async function copy(words) {
  if (navigator.clipboard) return navigator.clipboard.writeText(words);
  const area = document.body.appendChild(document.createElement("textarea"));
  area.value = words;
  area.select();
  document.execCommand("copy");
  area.remove();
}

function save(words, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([words], { type: "text/csv" }));
  link.download = `${name}.csv`;
  link.click();
}

function button(words, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.addEventListener("click", () => act(made));
  return made;
}

for (const table of document.querySelectorAll("table[data-name]")) {
  for (const head of table.tHead.rows[0].cells) {
    const pressed = button("", () => sort(table, head));
    pressed.append(...head.childNodes);
    head.append(pressed);
  }
  const tools = document.createElement("p");
  tools.className = "tools";
  const told = (made) => (made.textContent = "Copied");
  tools.append(
    button("Copy as LaTeX", (made) => copy(latex(table)).then(() => told(made))),
    button("CSV as shown", () => save(csv(table), table.dataset.name)),
  );
  table.parentElement.after(tools);
}
