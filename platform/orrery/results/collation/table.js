// The table of entries: its columns, its order, its pages.

const PAGE_LENGTH = 25;
const MOST_CHOSEN = 12;

function drawTable(found, names) {
  const descending = state.sort.startsWith("-");
  const sort = state.sort.replace(/^-/, "");
  const sorted = rows.sorted(found, sort, descending);
  const last = Math.floor(Math.max(found.length - 1, 0) / PAGE_LENGTH);
  const page = Math.max(0, Math.min(Number(state.page) || 0, last));
  const shownRows = sorted.slice(page * PAGE_LENGTH, (page + 1) * PAGE_LENGTH);
  const fixed = ["status", "began", "seconds"].filter((name) => hasValues(name, found));
  const heads = ["name", ...fixed, ...names.filter((name) => !fixed.includes(name))];
  const right = new Set(heads.filter((name) => hasNumbers(name, found)));
  replace(
    at("runs").tHead,
    element(
      "tr",
      {},
      element("th", { scope: "col" }, "choose"),
      ...heads.map((name) => headCell(name, sort, descending, right.has(name))),
    ),
  );
  replace(at("runs").tBodies[0], ...shownRows.map((row) => tableRow(row, heads, right)));
  drawPager(page, found.length);
  drawColumns(names);
}

function hasValues(name, found) {
  return found.some((row) => isKnown(rows.value(name, row)));
}

function hasNumbers(name, found) {
  return found.some((row) => typeof rows.value(name, row) === "number");
}

function headCell(name, sort, descending, right) {
  const sorted = name === sort;
  const group = name === "began" ? "UTC" : name.includes(".") ? name.split(".")[0] : "";
  const mark = sorted ? (descending ? " ↓" : " ↑") : "";
  const choose = () => change({ sort: sorted && !descending ? `-${name}` : name });
  const button = element(
    "button",
    { type: "button", class: "plain", title: name, "data-focus": `sort-${name}`, onclick: choose },
    shortName(name) + mark,
  );
  const order = sorted ? (descending ? "descending" : "ascending") : null;
  const small = group ? element("small", {}, group) : null;
  const about = { scope: "col", "aria-sort": order, class: right ? "number" : null };
  return element("th", { ...about, "data-column": name }, small, button);
}

function tableRow(row, heads, right) {
  const place = rows.value("place", row);
  const choose = element("input", {
    type: "checkbox",
    "aria-label": `choose ${rows.name(row)}`,
    "data-focus": `choose-${place}`,
    checked: state.chosen.includes(place),
    onchange: (event) => chooseRow(place, event.target.checked),
  });
  const cells = heads.slice(1).map((name) => valueCell(name, row, right.has(name)));
  return element(
    "tr",
    { "data-place": place },
    element("td", {}, choose),
    element("th", { scope: "row" }, opener(row)),
    ...cells,
  );
}

function opener(row) {
  const place = rows.value("place", row);
  const open = () => change({ open: place, page: state.page });
  return element(
    "button",
    { type: "button", class: "plain", "data-focus": `open-${place}`, onclick: open },
    rows.name(row),
  );
}

function valueCell(name, row, right) {
  const value = rows.value(name, row);
  const found = cell(value);
  found.dataset.column = name;
  found.classList.toggle("number", right);
  if (name === "status") addStatus(found, row, String(value));
  if (name === "began" && value) found.textContent = String(value).slice(0, 16).replace("T", " ");
  return found;
}

function addStatus(found, row, status) {
  if (["finished", "failed", "damaged", "running"].includes(status)) found.classList.add(status);
  const wrong = String(rows.value("problems", row) || rows.value("reason", row) || "");
  if (wrong) found.append(element("small", { class: "told", title: wrong }, wrong.slice(0, 200)));
}

function chooseRow(place, chosen) {
  const others = state.chosen.filter((one) => one !== place);
  if (chosen && others.length >= MOST_CHOSEN) {
    draw();
    at("count").textContent = `at most ${MOST_CHOSEN} can be chosen`;
    return;
  }
  change({ chosen: chosen ? [...others, place] : others, page: state.page });
}

function drawPager(page, count) {
  const pages = Math.max(1, Math.ceil(count / PAGE_LENGTH));
  const step = (name, to) =>
    element(
      "button",
      {
        type: "button",
        "data-focus": `page-${name}`,
        disabled: to < 0 || to >= pages,
        onclick: () => change({ page: String(to) }),
      },
      name,
    );
  const where = `page ${page + 1} of ${pages}`;
  replace(at("pager"), step("previous", page - 1), where, step("next", page + 1));
}

function drawColumns(names) {
  const remove = (name) => () => change({ columns: names.filter((one) => one !== name) });
  const items = names.map((name) =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button", "aria-label": `remove ${name}`, onclick: remove(name) },
        `${name} ×`,
      ),
    ),
  );
  replace(at("shown-columns"), ...items);
}
