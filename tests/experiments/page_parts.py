"""What stands on a page, part by part, beside what its document has there."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from orrery.results.answers import doubt, outcome_of_tests

DURATION = r"\d+:\d\d:\d\d"
DASH = "\N{EN DASH}"
INTERVALS = "16 84 16 84"  # above the answers
VOID = ("meta", "link", "img", "br", "wbr")


# --- the page as a tree ---------------------------------------------------------------


class Element:
    """A tag of a page, with what stands in it."""

    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.inside = tag, dict(attributes), []

    def all(self, tag, **attributes):
        """Returns all elements below with a tag and some attributes, in their order."""
        found = []
        for one in self.inside:
            if isinstance(one, Element):
                here = one.attributes.items() >= attributes.items()
                found += [one] if one.tag == tag and here else []
                found += one.all(tag, **attributes)
        return found

    def children(self, tag):
        """Returns the elements with a tag that stand directly in this one."""
        return [e for e in self.inside if isinstance(e, Element) and e.tag == tag]

    @property
    def text(self):
        """What a reader sees, without the space around it."""
        parts = (e.text if isinstance(e, Element) else e for e in self.inside)
        return "".join(parts).strip()


class Tree(HTMLParser):
    """The elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.open = [Element("page", {})]
        self.feed(text)
        self.root = self.open[0]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs)
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].inside.append(data)


# --- the first law: the page is what the document says --------------------------------


@dataclass(frozen=True)
class Shown:
    """A piece of text on a page, and what the document has for it."""

    place: str
    text: str
    value: object

    @property
    def is_right(self):
        if isinstance(self.value, str):
            return self.text == self.value
        if self.value is None:
            return self.text == DASH
        return is_rounded(self.text, self.value)


def shown(page: str, document: dict) -> Iterator[Shown]:
    """Returns every piece of a page with its value in the document.

    Raises:
        ValueError: If the page has more parts, rows or cells than the document, or fewer.
    """
    main = Tree(page).root.all("main")[0]
    (head,) = main.all("header")
    lead = "Run {run}, attempt {attempt}, {began}".format(**document)
    yield Shown("head", head.children("p")[0].text, lead)
    headlines = [s for s in document["sections"] if s["kind"] == "headline"]
    sections = [s for s in document["sections"] if s["kind"] != "headline"]
    yield from _headlines(head, headlines)
    verdicts = document["verdicts"]
    yield from _answers(head, document["answers"], document["metrics"], verdicts)
    yield from _verdicts(head, document["verdicts"])
    yield from _numbers(head, document["metrics"])
    *parts, options, versions = main.children("section")
    if document["lineage"]:
        *parts, lineage = parts
        yield from _lineage(lineage, document["lineage"])
    places = [part.all("h2")[0].attributes["id"] for part in parts]
    if places != [one["key"].replace(".", "-") for one in sections]:
        raise ValueError(f"the page has other parts than the document: {places}")
    for part, section in zip(parts, sections, strict=True):
        yield from _section(part, section)
    yield from _pairs(options, dict(flat(document["options"])), "none")
    yield from _pairs(versions, document["versions"], "not known")


def _headlines(head, headlines):
    parts = head.all("div", **{"class": "headline"})
    for part, one in zip(parts, headlines, strict=True):
        yield Shown(one["key"], part.all("h2")[0].text, one["title"])
        text = "\n\n".join(paragraph.text for paragraph in part.children("p"))
        yield Shown(one["key"], text, one["text"])


def _answers(head, answers, metrics, verdicts):
    tables = head.all("table", **{"class": "answers"})
    if not answers:
        return
    titles = {
        one["quantity"] + one["unit"]: headed(one["quantity"], one["unit"])
        for one in answers
    }
    yield from _sentences(head, answers, metrics, verdicts)
    data = dict.fromkeys(one["data"] for one in answers)
    columns, *rows = tables[0].all("tr")
    tested = {one["data"]: outcome_of_tests(one, verdicts) for one in reversed(answers)}
    heads = ["data", *titles.values(), *(["tests"] if any(tested.values()) else [])]
    for cell, title in zip(columns.children("th"), heads, strict=True):
        yield Shown("answers", cell.text, title)
    for row, name in zip(rows, data, strict=True):
        yield Shown("answers", row.children("th")[0].text, name)
        inside = row.children("td")
        if len(heads) > len(titles) + 1:
            yield Shown("answers", inside.pop().text, tested[name])
        cells = dict(zip(titles, inside, strict=True))
        for one in (one for one in answers if one["data"] == name):
            cell = cells.pop(one["quantity"] + one["unit"])
            yield from _answer(cell, one["key"], metrics)
        yield from (Shown("answers", cell.text, "") for cell in cells.values())


def _sentences(head, answers, metrics, verdicts):
    """The first quantity that was asked for stands in a sentence, of each data."""
    first = [one for one in answers if not one.get("alternative")]
    asked = [one for one in first if one["quantity"] == first[0]["quantity"]]
    ends = ("median", "upper_error", "lower_error")
    known = [
        one
        for one in asked
        if not any(isinstance(metrics[f"{one['key']}.{end}"], str) for end in ends)
    ]
    meant = dict.fromkeys(one.get("meaning") for one in asked)
    told = head.all("p", **{"class": "meaning"})
    for one, meaning in zip(told, filter(None, meant), strict=True):
        yield Shown("answers", one.text, f"{asked[0]['quantity']}: {meaning}.")
    said = head.all("p", **{"class": "answer"})
    for sentence, one in zip(said, known, strict=True):
        doubts = "".join(span.text for span in sentence.all("span"))
        name, _, text = sentence.text.removesuffix(doubts).strip().partition(" = ")
        yield Shown(one["key"], doubts, doubt(one, verdicts))
        yield Shown(one["key"], name, one["quantity"])
        told, _, prior = text.removesuffix(".").partition("; the prior has ")
        numbers = re.split(r" \+| \N{MINUS SIGN}| (?=[^\d])", told, maxsplit=3)
        for number, end in zip(numbers, ends, strict=False):
            yield Shown(one["key"], number, metrics[f"{one['key']}.{end}"])
        source = f" ({one['source']})" if one.get("source") else ""
        rest = f"{in_words(one['unit'])}, from {one['data']}{source}"
        yield Shown(one["key"], numbers[-1], rest)
        unit = f" {in_words(one['unit'])}" if one["unit"] else ""
        if prior:
            yield Shown(one["key"], prior[len(prior) - len(unit) :], unit)
        yield from _prior(prior.removesuffix(unit), one["key"], metrics)


def _prior(text, key, metrics):
    """What was known before: two numbers, or nothing where no prior was recorded."""
    ends = [metrics.get(f"{key}.prior_{end}") for end in ("lower", "upper")]
    numbers = text.split(" to ") if text else [None, None]
    for number, end in zip(numbers, ends, strict=True):
        if (number is None) != (end is None):
            raise ValueError(f"{key}: the page says {text!r} of a prior {ends}")
        if number is not None:
            yield Shown(key, number, end)


def in_words(unit):
    """Returns a unit as people write it."""
    return unit.replace("solMass", "M\N{SUN}").replace(" / ", "/")


def headed(name, unit):
    """Returns the head of a column: its name as it is, and its unit as people write it."""
    return f"{name} {in_words(unit)}".strip()


def _answer(cell, key, metrics):
    """The ends of an interval are shown by their distances from the median."""
    yield Shown(key, "".join(cell.inside[:1]), metrics[f"{key}.median"])
    ends = [metrics[f"{key}.{end}"] for end in ("upper_error", "lower_error")]
    if not any(isinstance(end, str) for end in ends):
        (plus,), (minus,) = cell.all("sup"), cell.all("sub")
        yield Shown(key, plus.text.removeprefix("+"), ends[0])
        yield Shown(key, minus.text.removeprefix("\N{MINUS SIGN}"), ends[1])
        yield from _prior("".join(one.text for one in cell.all("small")), key, metrics)


def _verdicts(head, verdicts):
    items = [li for ul in head.all("ul") for li in ul.children("li")]
    said = {None: "untested", True: "passed", False: "failed"}
    for item, one in zip(items, verdicts, strict=True):
        text = f"{one['test']}: {said[one['passed']]}. {one['text']}"
        # then come links to the warnings that say what to do
        remedy = "".join(span.text for span in item.all("span"))
        shown_text = item.text.removesuffix(remedy).strip()
        yield Shown(one["key"], shown_text, text)


def _numbers(head, metrics):
    entries = [div for dl in head.all("dl") for div in dl.children("div")]
    pairs = {div.all("dt")[0].text: div.all("dd")[0].text for div in entries}
    left_out = {key for key in metrics if key.startswith("posterior.")}
    if {*pairs} != {*metrics} - left_out:
        raise ValueError(f"other numbers than the metrics: {sorted(pairs)}")
    for key, text in pairs.items():
        yield Shown(key, key, key)
        # a number that is not known is a dash
        value = None if metrics[key] == "nan" else metrics[key]
        yield Shown(key, text, value)


def _section(part, section):
    key = section["key"]
    yield Shown(key, part.all("h2")[0].text, section["title"])
    for image in part.all("img"):
        alt = image.attributes["alt"]
        yield Shown(key, alt, f"{section['title']}. {section['text']}")
    if section["kind"] == "table":
        yield from _table(part, section)
    yield Shown(key, "\n\n".join(_prose(part)), section["text"])


def _prose(part):
    """Returns the paragraphs of a part: its caption is the one of a table or a figure."""
    captions = part.all("figcaption") or part.all("p", **{"class": "caption"})
    links = part.all("p", **{"class": "files"})
    kept = captions or [p for p in part.children("p") if p not in links]
    return [one.text for one in kept]


def _table(part, section):
    columns, *rows = part.all("tr")
    head = [headed(c["name"], c["unit"]) for c in section["columns"]]
    for cell, title in zip(columns.children("th"), head, strict=True):
        yield Shown(section["key"], cell.text, title)
    # errors of a data vector that are in its simulations are not shown
    vector = section["key"].startswith("data_vector.")
    hidden = [vector and column["name"] == "error" for column in section["columns"]]
    for row, values in zip(rows, section["rows"], strict=True):
        for i, cell in enumerate(row.children("td")):
            value = None if hidden[i] and values[i] == 0 else values[i]
            yield Shown(section["key"], cell.text, value)
        if len(values) != len(row.children("td")):
            raise ValueError(f"{section['key']}: a row has other cells than its values")


def _lineage(part, lineage):
    entries = {
        (kind, one["key"], one["fingerprint"]): one
        for kind in lineage
        for one in lineage[kind]
    }
    known_here = {fingerprint for _, _, fingerprint in entries}
    _, *rows = part.all("tr")
    for row in rows:
        *what, made_from = (cell.text for cell in row.children("td"))
        one = entries.pop(tuple(what))
        names = (one["key"], one["fingerprint"])
        yield from (Shown("lineage", *p) for p in zip(what[1:], names, strict=True))
        known = one.get("summaries") or [one.get("dataset", "")]
        yield Shown("lineage", made_from, ", ".join(known))
        lost = {*known} - {"", *known_here}
        if lost:
            raise ValueError(f"{what} was made from {lost}, which the lineage lacks")
    if entries:
        raise ValueError(f"the page lacks these of the lineage: {sorted(entries)}")


def _pairs(part, expected, nothing):
    rows = {
        row.children("th")[0].text: row.children("td")[0].text for row in part.all("tr")
    }
    for name, text in rows.items():
        value = expected[name]
        yield Shown(name, name, name)
        yield Shown(name, text, nothing if value is None else str(value).strip())


def flat(options: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Returns nested options by their places, such as `training.epochs`."""
    if not isinstance(options, dict):
        yield place, options
        return
    for name, value in options.items():
        if name != "type":
            yield from flat(value, f"{place}.{name}" if place else name)


def digits_elsewhere(page: str, document: dict) -> Counter:
    """Returns the digits of a page that stand in none of the pieces that `shown` compares.

    Single digits are counted, since pieces are made of texts that touch. Links are left
    out: they are called as what they lead to, and compared there.
    """
    (main,) = Tree(page).root.all("main")
    there = Counter(filter(str.isdigit, "".join(_texts(main))))
    pieces = "".join(one.text for one in shown(page, document))
    names = f"{document['experiment']}{INTERVALS * bool(document['answers'])}"
    return there - Counter(filter(str.isdigit, pieces + names))


def _texts(element):
    for one in element.inside:
        if isinstance(one, str):
            yield one
        elif one.tag == "img":
            yield one.attributes["alt"]
        elif one.tag not in ("a", "script", "style"):
            yield from _texts(one)


# --- numbers as text ------------------------------------------------------------------


def is_number(value: object) -> bool:
    """Returns whether a value is a number, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_rounded(text: str, value: object) -> bool:
    """Returns whether a number is shown as this text, to as many digits as it has.

    Where it has no decimals, a number that is not whole has two digits or more.
    """
    if isinstance(value, str | bool):
        return text == str(value)
    if re.fullmatch(DURATION, text):
        hours, minutes, seconds = map(int, text.split(":"))
        return 3600 * hours + 60 * minutes + seconds == round(value)
    plain = text.replace("\N{MINUS SIGN}", "-").removeprefix("+")
    mantissa, exponent, _ = plain.partition("e")
    decimals = len(mantissa.partition(".")[2])
    if not decimals and isinstance(value, float):
        return plain in {f"{value:.{digits}g}" for digits in range(2, 7)}
    expected = f"{value:.{decimals}{exponent or 'f'}}"
    # what rounds to nothing may be shown without its sign
    return plain == expected or (not float(expected) and plain == expected[1:])
