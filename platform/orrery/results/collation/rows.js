// The entries: columns unpacked once, then filtered, searched and sorted.

// What is text in a search, and what compares a column: `gain>1.2`, `status=failed`.
const COMPARISON = /^([\w.]+?)(<=|>=|!=|<|>|=)(.+)$/;
// Measures of which less is better, by their names.
const LESS = /(seconds|rmse|loss|error|width|bias|leakage)/;

class Rows {
  constructor(data) {
    this.count = data.rows;
    this.columns = new Map(data.columns.map((column) => [column.name, unpack(column, data)]));
    this.pages = new Set(data.pages);
    this.above = data.above;
    this.page = data.page;
    this.goals = data.goals;
    this.details = new Map();
    this.texts = Array.from({ length: this.count }, (_, row) => this.searched(row));
    this.byPlace = new Map(this.columns.get("place").map((place, row) => [place, row]));
  }

  value(name, row) {
    const column = this.columns.get(name);
    return column ? column[row] : null;
  }

  // The text of a row in which words are searched: all but its numbers.
  searched(row) {
    const words = [];
    for (const column of this.columns.values()) {
      if (typeof column[row] === "string") words.push(column[row]);
    }
    return words.join("\n").toLowerCase();
  }

  // What an entry is called: its experiment, and which of its runs or trials.
  name(row) {
    const experiment = this.value("experiment", row);
    const trial = this.value("trial", row);
    if (this.value("kind", row) === "trial") {
      return trial === null ? this.value("place", row) : `${experiment} · trial ${trial}`;
    }
    const run = String(this.value("run", row)).slice(0, 8);
    return `${experiment} · ${run} · ${this.value("attempt", row)}`;
  }

  // The address of an entry's page, or null where it has none.
  link(row) {
    if (!this.pages.has(row)) return null;
    const parts = `${this.above}${this.value("place", row)}/${this.page}`.split("/");
    return parts.map((part) => (part === ".." ? part : encodeURIComponent(part))).join("/");
  }

  // What only an opened or chosen entry needs.
  detail(row) {
    if (!this.details.has(row)) {
      const element = document.getElementById(`row-${row}`);
      this.details.set(row, JSON.parse(element.textContent));
    }
    return this.details.get(row);
  }

  // The rows that pass the menus and the search, and what was not understood of that.
  filtered(state) {
    const menus = ["kind", "experiment", "status"].filter((name) => state[name]);
    const { tests, problems } = this.parsed(state.search);
    const rows = [];
    for (let row = 0; row < this.count; row++) {
      const passes = menus.every((name) => this.value(name, row) === state[name]);
      if (passes && tests.every((test) => test(row))) rows.push(row);
    }
    return { rows, problems };
  }

  parsed(search) {
    const tests = [];
    const problems = [];
    for (const word of search.match(/"[^"]*"|\S+/g) || []) {
      const comparison = word.match(COMPARISON);
      if (!comparison) {
        const text = word.replaceAll('"', "").toLowerCase();
        tests.push((row) => this.texts[row].includes(text));
        continue;
      }
      const names = this.named(comparison[1]);
      if (!names.length) problems.push(`no column is called ${comparison[1]}`);
      const compare = comparer(comparison[2], comparison[3]);
      tests.push((row) => names.some((name) => compare(this.value(name, row))));
    }
    return { tests, problems };
  }

  // The columns with a name, or whose last words it is: `gain` finds `information_gain`.
  named(name) {
    if (this.columns.has(name)) return [name];
    const ends = [`.${name}`, `_${name}`];
    return [...this.columns.keys()].filter((column) => ends.some((end) => column.endsWith(end)));
  }

  // Rows by a column, those without a value last whatever the order.
  sorted(rows, name, descending) {
    const column = name === "name" ? rows2names(this) : this.columns.get(name);
    if (!column) return rows;
    const sign = descending ? -1 : 1;
    const known = rows.filter((row) => isKnown(column[row]));
    known.sort((a, b) => sign * ordered(column[a], column[b]) || a - b);
    return [...known, ...rows.filter((row) => !isKnown(column[row]))];
  }

  // The objectives of all sweeps, each sweep's in the order of their weight.
  get objectives() {
    return [...new Set(Object.values(this.goals).flatMap((goals) => Object.keys(goals)))];
  }

  // Whether less of a measure is better: as the sweeps of entries with it say, or else its
  // name; null where one sweep says so and another does not.
  lessIsBetter(name, shown) {
    const objective = name.replace(/^objective\./, "");
    const having = shown.filter((row) => this.value(name, row) !== null);
    const ways = new Set(having.map((row) => this.goal(objective, row)).filter(Boolean));
    if (ways.size > 1) return null;
    return ways.size ? ways.has("smaller") : LESS.test(name);
  }

  // Which way the sweep of a trial seeks an objective, if it does.
  goal(objective, row) {
    // a trial's file lies in a folder of that of its sweep
    const sweep = this.value("place", row).split("/").slice(0, -2).join("/");
    const goals = Object.hasOwn(this.goals, sweep) ? this.goals[sweep] : null;
    return goals && Object.hasOwn(goals, objective) ? goals[objective] : null;
  }

  // Whether a row can be the best: others stopped before they had their last numbers.
  isFinished(row) {
    return this.value("status", row) === "finished";
  }

  // The columns in which rows differ, with how many of the rows have a number there.
  measures(rows, groups) {
    const found = [];
    for (const [name, column] of this.columns) {
      if (!groups.some((group) => name.startsWith(group))) continue;
      const numbers = rows.filter((row) => typeof column[row] === "number");
      const first = numbers.length ? column[numbers[0]] : null;
      if (numbers.some((row) => column[row] !== first)) found.push([name, numbers.length]);
    }
    return found;
  }

  // The options in which rows differ, and which an axis or a column can show: those that
  // most rows have are first, and at least a share of the rows has each.
  varying(rows, share = 0) {
    const found = [];
    for (const [name, column] of this.columns) {
      if (!name.startsWith("option.")) continue;
      const values = new Set(rows.map((row) => column[row]).filter((value) => value !== null));
      const text = [...values].some((value) => typeof value === "string");
      // paths, and other text that is never the same twice, explain nothing
      const explains = !text || (values.size <= 12 && ![...values].some(isPath));
      const count = rows.filter((row) => column[row] !== null).length;
      if (values.size > 1 && explains && count >= share * rows.length) found.push([name, count]);
    }
    return found.sort(([, a], [, b]) => b - a).map(([name]) => name);
  }
}

function unpack(column, data) {
  const rows = "set" in column ? data.sets[column.set] : null;
  const values = new Array(data.rows).fill("value" in column && !rows ? column.value : null);
  if (rows) {
    rows.forEach((row, i) => {
      values[row] = "value" in column ? column.value : column.values[i];
    });
  } else if ("values" in column) {
    column.values.forEach((value, row) => {
      values[row] = value;
    });
  }
  return values;
}

function rows2names(rows) {
  return Array.from({ length: rows.count }, (_, row) => rows.name(row));
}

function isKnown(value) {
  return value !== null && value !== "" && value !== "nan";
}

function isPath(value) {
  return typeof value === "string" && value.includes("/");
}

function ordered(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return -1;
  if (typeof b === "number") return 1;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

// What tells whether a value passes a comparison; no value passes none.
function comparer(sign, wanted) {
  const number = Number(wanted);
  const text = wanted.replaceAll('"', "").toLowerCase();
  return (value) => {
    if (value === null) return false;
    const numeric = typeof value === "number" && !Number.isNaN(number);
    const order = numeric ? value - number : ordered(String(value).toLowerCase(), text);
    if (sign === "=") return order === 0;
    if (sign === "!=") return order !== 0;
    if (!numeric && typeof value === "number") return false;
    if (sign === "<") return order < 0;
    if (sign === "<=") return order <= 0;
    return sign === ">" ? order > 0 : order >= 0;
  };
}

// The last two parts of a column's name, without its group: `flow.transforms`.
function shortName(name) {
  const parts = name.split(".");
  return (parts.length > 1 ? parts.slice(1) : parts).slice(-2).join(".");
}
